#include "passes/dequantize_filters.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "graph/dequantize.h"

namespace deeplab::passes {
namespace {

using graph::Graph;
using graph::TensorId;

graph::Tensor dequantized(const graph::Tensor& filter) {
  graph::Tensor tensor;
  tensor.name = filter.name;
  tensor.shape = filter.shape;
  auto bytes = std::make_shared<std::vector<std::byte>>(tensor.byte_size());
  graph::dequantize(*filter.data, filter.type, filter.shape, filter.quantization,
                    reinterpret_cast<float*>(bytes->data()));
  tensor.data = graph::ConstantBytes(std::shared_ptr<const std::vector<std::byte>>(bytes));
  return tensor;
}

}  // namespace

Status dequantize_filters(Graph& graph) {
  std::map<TensorId, TensorId> filters;
  int64_t weights = 0;
  for (const graph::Op& op : graph.ops) {
    if (!graph::is_hybrid(graph, op) || !filters.insert({op.inputs[1], graph::kNoTensor}).second) {
      continue;
    }
    // Many tensors of a small file may have the same bytes.
    weights += graph.tensor(op.inputs[1]).elements();
    if (weights <= graph::Limits().max_weights) continue;
    return resource_exhausted("up to ", graph::op_label(op), ", int8 filters of float convolutions",
                              " have more than the limit of ", graph::Limits().max_weights,
                              " weights");
  }
  for (auto& [stored, real] : filters) {
    graph::Tensor tensor = dequantized(graph.tensor(stored));
    real = static_cast<TensorId>(graph.tensors.size());
    graph.tensors.push_back(std::move(tensor));
  }
  for (graph::Op& op : graph.ops) {
    if (graph::is_hybrid(graph, op)) op.inputs[1] = filters.at(op.inputs[1]);
  }
  return {};
}

}  // namespace deeplab::passes
