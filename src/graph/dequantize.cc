#include "graph/dequantize.h"

namespace deeplab::graph {

void dequantize(std::span<const std::byte> stored, DataType type, const Shape& shape,
                const Quantization& q, float* to) {
  // Element i is in slice i / inner % slices along the axis of the scales.
  size_t slices = 1;
  size_t inner = 1;
  if (q.per_channel()) {
    slices = q.scales.size();
    for (size_t d = static_cast<size_t>(q.axis) + 1; d < shape.size(); ++d) {
      inner *= static_cast<size_t>(shape[d]);
    }
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    const size_t slice = i / inner % slices;
    const auto byte = static_cast<uint8_t>(stored[i]);
    const int32_t value = type == DataType::kInt8 ? static_cast<int8_t>(byte) : int32_t{byte};
    to[i] = q.scales[slice] * static_cast<float>(value - q.zero_points[slice]);
  }
}

bool is_hybrid(const Graph& graph, const Op& op) {
  return (std::holds_alternative<Conv2D>(op.attributes) ||
          std::holds_alternative<DepthwiseConv2D>(op.attributes)) &&
         graph.tensor(op.inputs[0]).type == DataType::kFloat32 &&
         graph.tensor(op.inputs[1]).file_type == DataType::kInt8;
}

}  // namespace deeplab::graph
