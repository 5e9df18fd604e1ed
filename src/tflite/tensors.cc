#include <limits>

#include "tflite/source.h"
#include "tflite/text.h"

namespace deeplab::tflite {
namespace {

Result<graph::DataType> data_type(schema::TensorType type) {
  switch (type) {
    case schema::TensorType::FLOAT32:
      return graph::DataType::kFloat32;
    case schema::TensorType::UINT8:
      return graph::DataType::kUInt8;
    case schema::TensorType::INT8:
      return graph::DataType::kInt8;
    case schema::TensorType::INT32:
      return graph::DataType::kInt32;
    case schema::TensorType::INT64:
      return graph::DataType::kInt64;
    default:
      break;
  }
  const std::string name = schema::EnumNameTensorType(type);
  return unsupported("type ", name.empty() ? std::to_string(static_cast<int>(type)) : name,
                     " is not supported (float32, uint8, int8, int32, int64 are)");
}

}  // namespace

Result<graph::Tensor> TensorReader::read(size_t id) {
  const schema::Tensor& from = source_.tensor(id);
  const auto label = [&] { return source_.label(id); };
  graph::Tensor tensor;
  if (from.name() != nullptr) tensor.name = clean_text(from.name()->string_view(), kMaxName);
  const auto type = data_type(from.type());
  if (!type.ok()) return annotate(type.status(), label());
  tensor.type = tensor.file_type = *type;
  if (from.is_variable()) return unsupported(label(), ": variable tensors are not supported");
  if (from.sparsity() != nullptr) return unsupported(label(), ": sparse tensors are not supported");

  const auto shape = elements(from.shape());
  if (shape.size() > kMaxRank) {
    return unsupported(label(), ": has ", shape.size(), " dimensions, more than ", kMaxRank);
  }
  tensor.shape.assign(shape.begin(), shape.end());
  const auto data = source_.buffer(from.buffer());
  if (!data.ok()) return annotate(data.status(), label());
  // Elsewhere the file's numbers mean nothing (float models carry the ranges of training).
  const bool bias = *type == graph::DataType::kInt32 && !data->empty();
  if (*type == graph::DataType::kUInt8 || *type == graph::DataType::kInt8 || bias) {
    DEEPLAB_ASSIGN_OR_RETURN(tensor.quantization, read_quantization(id));
  }
  if (data->empty()) return tensor;
  // A well-made file aligns its buffers to 16; a hostile one need not.
  const bool aligned = reinterpret_cast<uintptr_t>(data->data()) % sizeof(int64_t) == 0;
  if (source_.owner != nullptr && aligned) {
    tensor.data = graph::ConstantBytes(*source_.owner, *data);
    return tensor;
  }
  auto& copy = buffers_[from.buffer()];
  if (copy == nullptr) {
    DEEPLAB_RETURN_IF_ERROR(spend(data->size(), id));
    copy = std::make_shared<const std::vector<std::byte>>(data->begin(), data->end());
  }
  tensor.data = copy;
  return tensor;
}

Result<graph::Quantization> TensorReader::read_quantization(size_t id) {
  const schema::QuantizationParameters* from = source_.tensor(id).quantization();
  graph::Quantization to;
  if (from == nullptr || size_of(from->scale()) == 0) return to;
  if (from->details_type() != schema::QuantizationDetails::NONE) {
    return unsupported(source_.label(id), ": custom quantization is not supported");
  }
  const auto scales = elements(from->scale());
  const size_t zero_points = size_of(from->zero_point());
  if (scales.size() != zero_points) {
    return invalid_model(source_.label(id), ": expected as many zero points as scales, found ",
                         zero_points, " and ", scales.size());
  }
  DEEPLAB_RETURN_IF_ERROR(spend(scales.size_bytes() + zero_points * sizeof(int64_t), id));
  to.scales.assign(scales.begin(), scales.end());
  to.zero_points.reserve(zero_points);
  for (size_t i = 0; i < zero_points; ++i) {
    const int64_t zero_point = int64_element(*from->zero_point(), i);
    if (zero_point < std::numeric_limits<int32_t>::min() ||
        zero_point > std::numeric_limits<int32_t>::max()) {
      return invalid_model(source_.label(id), ": zero point ", zero_point, " is not an int32");
    }
    to.zero_points.push_back(static_cast<int32_t>(zero_point));
  }
  if (to.per_channel()) to.axis = from->quantized_dimension();
  return to;
}

// FlatBuffers may name one vector many times over; a small file could so demand any amount of
// memory. Writers do share a little, hence the factor.
Status TensorReader::spend(size_t bytes, size_t id) {
  copied_ += bytes;
  if (copied_ <= 4 * source_.bytes.size()) return {};
  return invalid_model(source_.label(id), ": the tensors before this one name more data than the ",
                       source_.bytes.size(), " bytes of the file can hold");
}

}  // namespace deeplab::tflite
