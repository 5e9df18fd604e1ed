#include "graph/op_view.h"

namespace deeplab::graph {

int64_t taps(const Graph& graph, const Op& op) {
  return std::visit(
      [&](const auto& a) -> int64_t {
        if constexpr (requires(const OpView& view) { a.taps(view); }) {
          return a.taps(OpView(graph, op));
        } else {
          return 0;
        }
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
