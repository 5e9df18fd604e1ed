// What the passes share: questions about the neighbourhood of a tensor, and edits.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace deeplab::passes {

bool is_graph_output(const graph::Graph& graph, graph::TensorId id);

/// The op that alone reads `id`, or -1: also if `id` is an output of the graph or an op reads
/// it twice. No other op sees a change of such a tensor.
int sole_reader(const graph::Graph& graph, graph::TensorId id);

/// Same type at both borders, shape and quantization: one may stand for the other.
bool interchangeable(const graph::Tensor& a, const graph::Tensor& b);

/// Every op that read `from` reads `to`.
void redirect_readers(graph::Graph& graph, graph::TensorId from, graph::TensorId to);

/// Removes the ops at the positions where `dead` is set; the others keep their order and index.
void erase_ops(graph::Graph& graph, const std::vector<bool>& dead);

/// The attributes of the op at `position` as T, or null if it is another op or -1.
template <typename T>
T* attributes_at(graph::Graph& graph, int position) {
  return position < 0 ? nullptr
                      : std::get_if<T>(&graph.ops[static_cast<size_t>(position)].attributes);
}

}  // namespace deeplab::passes
