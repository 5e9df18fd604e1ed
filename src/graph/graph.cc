#include "graph/graph.h"

#include <algorithm>

namespace deeplab::graph {

int Graph::producer(TensorId id) const {
  for (size_t i = 0; i < ops.size(); ++i) {
    if (std::ranges::find(ops[i].outputs, id) != ops[i].outputs.end()) return static_cast<int>(i);
  }
  return -1;
}

std::vector<int> Graph::consumers(TensorId id) const {
  std::vector<int> readers;
  for (size_t i = 0; i < ops.size(); ++i) {
    if (std::ranges::find(ops[i].inputs, id) != ops[i].inputs.end()) {
      readers.push_back(static_cast<int>(i));
    }
  }
  return readers;
}

void drop_constants(Graph& graph) {
  for (Tensor& tensor : graph.tensors) {
    if (tensor.is_constant()) tensor.data.drop();
  }
}

}  // namespace deeplab::graph
