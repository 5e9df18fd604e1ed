// What passes have made of a graph, said in the file's terms again.
#include <limits>
#include <memory>
#include <set>

#include "tflite/writer_parts.h"

namespace deeplab::tflite {
namespace {

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
constexpr graph::Limits kNoLimits = {kAny, kAny, kAny, kAny, kAny, kAny};

/// Drops the tensors that nothing refers to and renumbers the rest. All ids are in range.
graph::Graph compact(const graph::Graph& graph) {
  std::vector<graph::TensorId> renumbered(graph.tensors.size(), graph::kNoTensor);
  const auto mark = [&](const std::vector<graph::TensorId>& ids) {
    for (graph::TensorId id : ids) {
      if (id != graph::kNoTensor) renumbered[static_cast<size_t>(id)] = 0;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const graph::Op& op : graph.ops) {
    mark(op.inputs);
    mark(op.outputs);
  }
  graph::Graph result;
  for (size_t id = 0; id < graph.tensors.size(); ++id) {
    if (renumbered[id] == graph::kNoTensor) continue;
    renumbered[id] = static_cast<graph::TensorId>(result.tensors.size());
    result.tensors.push_back(graph.tensors[id]);
  }
  const auto rename = [&](std::vector<graph::TensorId> ids) {
    for (graph::TensorId& id : ids) {
      if (id != graph::kNoTensor) id = renumbered[static_cast<size_t>(id)];
    }
    return ids;
  };
  result.inputs = rename(graph.inputs);
  result.outputs = rename(graph.outputs);
  for (const graph::Op& op : graph.ops) {
    result.ops.push_back({op.attributes, rename(op.inputs), rename(op.outputs), op.index});
  }
  return result;
}

/// The inverse of passes/shift_uint8: the same real values.
Status unshift(graph::Tensor& tensor) {
  if (tensor.file_type == tensor.type) return {};
  constexpr int32_t kShift = 128;
  if (tensor.quantization.per_channel()) {
    return unsupported("tensor '", tensor.name, "': uint8 with ", tensor.quantization.scales.size(),
                       " scales cannot be written; only int8 weights may have one per channel");
  }
  for (int32_t& zero_point : tensor.quantization.zero_points) zero_point += kShift;
  if (tensor.is_constant()) {
    std::vector<std::byte> shifted(tensor.data->begin(), tensor.data->end());
    for (std::byte& value : shifted) value ^= std::byte{kShift};
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(shifted));
  }
  tensor.type = tensor.file_type;
  return {};
}

/// A window's extent along both sides.
struct Sides {
  graph::WindowExtent rows;
  graph::WindowExtent columns;
};
Result<Sides> sides(const graph::Window& w, graph::Padding padding, const graph::Shape& input,
                    int32_t filter_h, int32_t filter_w) {
  Sides result;
  DEEPLAB_ASSIGN_OR_RETURN(
      result.rows, graph::window_extent(padding, input[1], filter_h, w.stride_h, w.dilation_h,
                                        w.pad_top, w.pad_bottom));
  DEEPLAB_ASSIGN_OR_RETURN(
      result.columns, graph::window_extent(padding, input[2], filter_w, w.stride_w, w.dilation_w,
                                           w.pad_left, w.pad_right));
  return result;
}

/// Whether the window stands at the same places: what is padded after the last one is never read.
bool same_places(const graph::WindowExtent& a, const graph::WindowExtent& b) {
  return a.out == b.out && a.pad_before == b.pad_before;
}

Status name_padding(const graph::Op& op, graph::Window& window, const graph::Shape& input,
                    int32_t filter_h, int32_t filter_w) {
  if (window.padding != graph::Padding::kExplicit) return {};
  DEEPLAB_ASSIGN_OR_RETURN(const Sides wanted,
                           sides(window, graph::Padding::kExplicit, input, filter_h, filter_w));
  for (const graph::Padding padding : {graph::Padding::kSame, graph::Padding::kValid}) {
    const auto found = sides(window, padding, input, filter_h, filter_w);
    if (found.ok() && same_places(found->rows, wanted.rows) &&
        same_places(found->columns, wanted.columns)) {
      window.padding = padding;
      window.pad_top = window.pad_bottom = window.pad_left = window.pad_right = 0;
      return {};
    }
  }
  return unsupported(graph::op_label(op), ": a padding of ", window.pad_top, " above, ",
                     window.pad_bottom, " below, ", window.pad_left, " left and ", window.pad_right,
                     " right is neither SAME nor VALID, which is all that the "
                     "file format can say");
}

Status name_padding(const graph::Graph& graph, graph::Op& op) {
  const auto shape = [&](size_t k) -> const graph::Shape& {
    return graph.tensor(op.inputs[k]).shape;
  };
  if (auto* conv = std::get_if<graph::Conv2D>(&op.attributes)) {
    return name_padding(op, conv->window, shape(0), shape(1)[1], shape(1)[2]);
  }
  if (auto* conv = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) {
    return name_padding(op, conv->window, shape(0), shape(1)[1], shape(1)[2]);
  }
  if (auto* pool = std::get_if<graph::AveragePool2D>(&op.attributes)) {
    return name_padding(op, pool->window, shape(0), pool->filter_h, pool->filter_w);
  }
  if (auto* pool = std::get_if<graph::MaxPool2D>(&op.attributes)) {
    return name_padding(op, pool->window, shape(0), pool->filter_h, pool->filter_w);
  }
  return {};
}

/// What a bias's numbers mean: input times filter.
graph::Quantization bias_quantization(const graph::Graph& graph, const graph::Op& op) {
  const graph::Quantization& input = graph.tensor(op.inputs[0]).quantization;
  graph::Quantization product;
  if (!input.present()) return product;
  for (float scale : graph.tensor(op.inputs[1]).quantization.scales) {
    product.scales.push_back(input.scale() * scale);
    product.zero_points.push_back(0);
  }
  return product;
}

graph::TensorId add_tensor(graph::Graph& graph, graph::Tensor tensor) {
  graph.tensors.push_back(std::move(tensor));
  return static_cast<graph::TensorId>(graph.tensors.size() - 1);
}

graph::Tensor zero_bias(const graph::Graph& graph, const graph::Op& op) {
  graph::Tensor bias;
  bias.name = graph.tensor(op.output()).name + "/bias";
  bias.quantization = bias_quantization(graph, op);
  bias.type = bias.quantization.present() ? graph::DataType::kInt32 : graph::DataType::kFloat32;
  bias.file_type = bias.type;
  bias.shape = {graph.tensor(op.output()).shape.back()};
  bias.data = std::make_shared<const std::vector<std::byte>>(bias.byte_size());
  return bias;
}

/// Gives a convolution a bias, and an 8-bit bias its scale. `completed` holds the biases that got
/// theirs here.
void complete_bias(graph::Graph& graph, graph::Op& op, std::set<graph::TensorId>& completed) {
  const bool dense = std::holds_alternative<graph::Conv2D>(op.attributes);
  if (!dense && !std::holds_alternative<graph::DepthwiseConv2D>(op.attributes)) return;
  op.inputs.resize(3, graph::kNoTensor);
  if (op.inputs[2] == graph::kNoTensor) {
    op.inputs[2] = add_tensor(graph, zero_bias(graph, op));
    return;
  }
  graph::Tensor& bias = graph.tensor(op.inputs[2]);
  const bool stated = bias.quantization.present() && !completed.contains(op.inputs[2]);
  if (bias.type != graph::DataType::kInt32 || stated) return;
  graph::Quantization product = bias_quantization(graph, op);
  if (completed.insert(op.inputs[2]).second) {
    bias.quantization = std::move(product);
  } else if (bias.quantization != product) {
    // Two convolutions of different scales share the numbers (zeros, that is).
    graph::Tensor own = bias;
    own.quantization = std::move(product);
    op.inputs[2] = add_tensor(graph, std::move(own));
  }
}

}  // namespace

Result<graph::Graph> file_graph(const graph::Graph& graph) {
  DEEPLAB_RETURN_IF_ERROR(graph::validate(graph, kNoLimits));
  graph::Graph result = compact(graph);
  for (graph::Tensor& tensor : result.tensors) DEEPLAB_RETURN_IF_ERROR(unshift(tensor));
  std::set<graph::TensorId> completed;
  for (graph::Op& op : result.ops) {
    DEEPLAB_RETURN_IF_ERROR(name_padding(result, op));
    complete_bias(result, op, completed);
  }
  // The rules for uint8 and for int8 differ; so they do if a pass has left some of each.
  DEEPLAB_RETURN_IF_ERROR(graph::validate(result, kNoLimits));
  return result;
}

}  // namespace deeplab::tflite
