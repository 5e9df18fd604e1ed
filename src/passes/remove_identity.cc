#include "passes/remove_identity.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace deeplab::passes {
namespace {

using graph::Graph;
using graph::Op;
using graph::TensorId;

/// Whether the attributes change nothing, given that input and output are interchangeable (the
/// same shape and quantization).
struct KeepsValues {
  const Op& op;

  // At equal size every convention has the sample positions on the pixels themselves.
  bool operator()(const graph::ResizeBilinear&) const { return true; }
  bool operator()(const graph::ResizeNearestNeighbor&) const { return true; }
  bool operator()(const graph::Tile&) const { return true; }
  bool operator()(const graph::Reshape&) const { return true; }
  bool operator()(const graph::Pad&) const { return true; }
  bool operator()(const graph::Quantize&) const { return true; }
  bool operator()(const graph::Concatenation& a) const {
    return op.inputs.size() == 1 && a.activation == graph::Activation::kNone;
  }
  template <typename Other>
  bool operator()(const Other&) const {
    return false;
  }
};

/// Makes the identity at `position` unreachable; false if it has to stay.
bool bypass(Graph& graph, size_t position) {
  const TensorId input = graph.ops[position].inputs.front();
  const TensorId output = graph.ops[position].output();
  if (graph.tensor(input).is_constant()) return false;
  if (!is_graph_output(graph, output)) {
    redirect_readers(graph, output, input);
    return true;
  }
  const int producer = graph.producer(input);
  if (producer < 0 || is_graph_output(graph, input)) return false;
  graph.ops[static_cast<size_t>(producer)].outputs.front() = output;
  redirect_readers(graph, input, output);
  return true;
}

}  // namespace

bool is_identity(const Graph& graph, const Op& op) {
  return interchangeable(graph.tensor(op.inputs.front()), graph.tensor(op.output())) &&
         std::visit(KeepsValues{op}, op.attributes);
}

void remove_identity(Graph& graph) {
  std::vector<bool> dead(graph.ops.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (is_identity(graph, graph.ops[i])) dead[i] = bypass(graph, i);
  }
  erase_ops(graph, dead);
}

}  // namespace deeplab::passes
