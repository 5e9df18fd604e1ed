#include "quantize/dequantize_graph.h"

#include "passes/remove_dead_ops.h"
#include "passes/remove_identity.h"
#include "passes/shift_uint8.h"
#include "quantize/constants.h"

namespace deeplab::quantize {
namespace {

/// The real values of an int8 or int32 constant.
std::vector<float> real_values(const graph::Tensor& tensor) {
  const auto count = static_cast<size_t>(tensor.elements());
  const graph::Quantization& q = tensor.quantization;
  size_t inner = 1;  // elements from one index of the axis to the next
  for (size_t d = static_cast<size_t>(q.axis) + 1; d < tensor.shape.size(); ++d) {
    inner *= static_cast<size_t>(tensor.shape[d]);
  }
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t stored = tensor.type == graph::DataType::kInt8 ? tensor.values<int8_t>()[i]
                                                                 : tensor.values<int32_t>()[i];
    const size_t channel = q.per_channel() ? i / inner % q.scales.size() : 0;
    values[i] = static_cast<float>(double{q.scales[channel]} * (stored - q.zero_points[channel]));
  }
  return values;
}

}  // namespace

Result<graph::Graph> dequantize_graph(const graph::Graph& original) {
  graph::Graph g = original;
  DEEPLAB_RETURN_IF_ERROR(passes::shift_uint8(g));
  for (graph::Tensor& tensor : g.tensors) {
    if (tensor.quantization.present()) {
      if (tensor.is_constant()) tensor.data = constant_bytes<float>(real_values(tensor));
      tensor.quantization = {};
      tensor.type = tensor.file_type = graph::DataType::kFloat32;
    }
  }
  for (graph::Op& op : g.ops) {
    // Without quantization these two copy: a RESHAPE to the same shape is an identity, too.
    if (std::holds_alternative<graph::Quantize>(op.attributes) ||
        std::holds_alternative<graph::Dequantize>(op.attributes)) {
      op.attributes = graph::Reshape{g.tensor(op.output()).shape};
    }
  }
  passes::remove_identity(g);
  passes::remove_dead_ops(g);
  DEEPLAB_RETURN_IF_ERROR(annotate(graph::validate(g), "dequantized"));
  return g;
}

}  // namespace deeplab::quantize
