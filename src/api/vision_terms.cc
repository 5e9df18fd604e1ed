#include "api/vision_terms.h"

namespace deeplab::api {

using graph::DataType;

Status check_picture_input(const graph::Graph& graph, bool first_of_many) {
  if (graph.inputs.size() != 1 && !first_of_many) {
    return unsupported("a segmentation model has 1 input, this one ", graph.inputs.size());
  }
  const graph::Tensor& input = graph.tensor(graph.inputs.front());
  const bool is_picture = input.shape.size() == 4 && input.shape[0] == 1 &&
                          (input.shape[3] == 3 || input.shape[3] == 1);
  const bool is_pixels = input.type == DataType::kFloat32 || input.type == DataType::kInt8 ||
                         input.type == DataType::kUInt8;
  if (is_picture && is_pixels) return {};
  return unsupported(
      "input '", input.name, "' is ", graph::type_name(input.type), " ",
      graph::shape_text(input.shape),
      ", expected float32, int8 or uint8 in 1 x height x width x 3, or x 1 for grey");
}

Status select_output(graph::Graph& graph, const std::string& output) {
  if (output.empty()) return {};
  std::string names;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.outputs[i]).name;
    if (name == output || std::to_string(i) == output) {
      graph.outputs = {graph.outputs[i]};
      return {};
    }
    names += str_cat(i == 0 ? "" : ", ", i, " '", name, "'");
  }
  return invalid_argument("the model has no output '", output, "'; it has ", names);
}

vision::ElementType element_type(DataType type) {
  switch (type) {
    case DataType::kInt8:
      return vision::ElementType::kInt8;
    case DataType::kUInt8:
      return vision::ElementType::kUint8;
    case DataType::kInt32:
    case DataType::kInt64:
      return vision::ElementType::kInt32;
    case DataType::kFloat32:
      break;
  }
  return vision::ElementType::kFloat32;
}

vision::Quantization quantization(const graph::Tensor& tensor) {
  if (!tensor.quantization.present()) return {};
  return {tensor.quantization.scale(), tensor.quantization.zero_point()};
}

vision::CornerMode corner_mode(const passes::LabelHead& head) {
  if (head.align_corners) return vision::CornerMode::kAlignCorners;
  if (head.half_pixel_centers || !head.has_resize) return vision::CornerMode::kHalfPixel;
  return vision::CornerMode::kLegacy;
}

}  // namespace deeplab::api
