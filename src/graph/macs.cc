#include "graph/operands.h"

namespace deeplab::graph {

int64_t taps(const Graph& graph, const Op& op) {
  return std::visit(
      Overloaded{
          [&](const Conv2D&) {
            const Tensor& filter = graph.tensor(op.inputs[1]);
            return filter.elements() / filter.shape[0];
          },
          [&](const DepthwiseConv2D&) {
            const Tensor& filter = graph.tensor(op.inputs[1]);
            return filter.elements() / filter.shape[3];
          },
          [&](const FullyConnected&) { return int64_t{graph.tensor(op.inputs[1]).shape[1]}; },
          // An upper bound: at the border fewer places reach an element.
          [&](const TransposeConv& a) {
            const Shape& filter = graph.tensor(op.inputs[1]).shape;
            const auto places = [](int32_t extent, int32_t stride) {
              return int64_t{extent} / stride + (extent % stride != 0);
            };
            return places(filter[1], a.stride_h) * places(filter[2], a.stride_w) * filter[3];
          },
          [](const auto&) { return int64_t{0}; },
      },
      op.attributes);
}

int64_t macs(const Graph& graph, const Op& op) {
  return graph.tensor(op.output()).elements() * taps(graph, op);
}

int64_t macs(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += macs(graph, op);
  return total;
}

}  // namespace deeplab::graph
