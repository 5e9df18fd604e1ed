// Two graphs compared by meaning: unused tensors, and so ids, may differ, as they do after a file
// was written.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace deeplab::testing {

/// Fails the current test if the tensors differ.
inline void expect_same_tensor(const graph::Tensor& a, const graph::Tensor& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(graph::type_name(a.type), graph::type_name(b.type)) << a.name;
  EXPECT_EQ(graph::type_name(a.file_type), graph::type_name(b.file_type)) << a.name;
  EXPECT_EQ(a.shape, b.shape) << a.name;
  EXPECT_EQ(a.quantization.scales, b.quantization.scales) << a.name;
  EXPECT_EQ(a.quantization.zero_points, b.quantization.zero_points) << a.name;
  if (a.quantization.per_channel()) {
    EXPECT_EQ(a.quantization.axis, b.quantization.axis) << a.name;
  }
  ASSERT_EQ(a.is_constant(), b.is_constant()) << a.name;
  EXPECT_TRUE(!a.is_constant() || a.data == b.data) << a.name;
}

/// The graph without unused tensors: ids then count the ones that are used, in their order.
inline graph::Graph renumbered(graph::Graph graph) {
  std::vector<graph::TensorId*> places;
  const auto collect = [&](std::vector<graph::TensorId>& ids) {
    for (graph::TensorId& id : ids) {
      if (id != graph::kNoTensor) places.push_back(&id);
    }
  };
  collect(graph.inputs);
  collect(graph.outputs);
  for (graph::Op& op : graph.ops) {
    collect(op.inputs);
    collect(op.outputs);
  }
  std::map<graph::TensorId, graph::TensorId> ids;
  for (const graph::TensorId* id : places) ids[*id] = 0;
  std::vector<graph::Tensor> tensors;
  for (auto& [old, id] : ids) {
    id = static_cast<graph::TensorId>(tensors.size());
    tensors.push_back(graph.tensor(old));
  }
  for (graph::TensorId* id : places) *id = ids[*id];
  graph.tensors = std::move(tensors);
  return graph;
}

/// Fails the current test if the graphs differ in more than unused tensors.
inline void expect_same_graph(const graph::Graph& with_unused_a,
                              const graph::Graph& with_unused_b) {
  const graph::Graph a = renumbered(with_unused_a);
  const graph::Graph b = renumbered(with_unused_b);
  // Ops, their wiring and every attribute; what the dump leaves out is the tensors' business.
  EXPECT_EQ(graph::dump(a), graph::dump(b));
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t id = 0; id < a.tensors.size(); ++id) expect_same_tensor(a.tensors[id], b.tensors[id]);
}

}  // namespace deeplab::testing
