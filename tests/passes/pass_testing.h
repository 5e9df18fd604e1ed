// What the pass tests share: graphs with random weights, and the check that a pass has not
// changed a byte.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "exec/naive_executor.h"
#include "passes/shift_uint8.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::testing {

/// The graph with random weights, int8 if it was uint8.
inline graph::Graph with_random_weights(graph::Graph graph, std::mt19937& random) {
  for (graph::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant()) continue;
    std::vector<std::byte> bytes(tensor.data->size());
    for (size_t i = 0; i < bytes.size(); i += graph::size_of(tensor.type)) {
      if (tensor.type == graph::DataType::kFloat32) {
        const float value = std::uniform_real_distribution<float>(-1, 1)(random);
        std::memcpy(&bytes[i], &value, sizeof value);
      } else if (tensor.type == graph::DataType::kInt32) {
        const auto value = static_cast<int32_t>(random() % 2001) - 1000;
        std::memcpy(&bytes[i], &value, sizeof value);
      } else {
        bytes[i] = static_cast<std::byte>(random());
      }
    }
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }
  const Status status = passes::shift_uint8(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph;
}

inline void fill_random(exec::Executor& executor, uint32_t seed) {
  std::mt19937 random(seed);
  for (graph::TensorId id : executor.graph().inputs) {
    const std::span<std::byte> bytes = executor.tensor(id);
    if (executor.graph().tensor(id).type == graph::DataType::kFloat32) {
      for (size_t i = 0; i < bytes.size(); i += 4) {
        const float value = std::uniform_real_distribution<float>(-4, 4)(random);
        std::memcpy(&bytes[i], &value, sizeof value);
      }
    } else {
      for (std::byte& value : bytes) value = static_cast<std::byte>(random());
    }
  }
}

/// Every tensor that both graphs write, and at least all outputs, has the same bytes, in both
/// roundings and for several inputs.
inline void expect_same_bytes(const graph::Graph& before, const graph::Graph& after) {
  const Status valid = graph::validate(after);
  ASSERT_TRUE(valid.ok()) << valid.message();
  ASSERT_EQ(before.inputs, after.inputs);
  ASSERT_EQ(before.outputs, after.outputs);
  for (auto rounding : {kernels::Rounding::kEngine, kernels::Rounding::kTfLite}) {
    auto a = exec::NaiveExecutor::create(before, rounding);
    auto b = exec::NaiveExecutor::create(after, rounding);
    ASSERT_TRUE(a.ok()) << a.status().message();
    ASSERT_TRUE(b.ok()) << b.status().message();
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      fill_random(**a, seed);
      fill_random(**b, seed);
      (*a)->run();
      (*b)->run();
      for (const graph::Op& op : after.ops) {
        const auto x = (*a)->tensor(op.output());
        const auto y = (*b)->tensor(op.output());
        ASSERT_EQ(x.size(), y.size()) << graph::op_label(op);
        ASSERT_EQ(0, std::memcmp(x.data(), y.data(), x.size())) << graph::op_label(op);
      }
    }
  }
}

/// The bytes of output 0 for random inputs.
inline std::vector<std::byte> output_of(const graph::Graph& graph, kernels::Rounding rounding) {
  auto executor = exec::NaiveExecutor::create(graph, rounding);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  if (!executor.ok()) return {};
  fill_random(**executor, 4);
  (*executor)->run();
  const std::span<const std::byte> bytes = (*executor)->tensor(graph.outputs[0]);
  return {bytes.begin(), bytes.end()};
}

/// "CONV_2D ADD": the ops that are left.
inline std::string op_names(const graph::Graph& graph) {
  std::string names;
  for (const graph::Op& op : graph.ops) {
    if (!names.empty()) names += ' ';
    names += graph::op_name(op.attributes);
  }
  return names;
}

/// Convolution operands for an input of `in_c` channels and that scale: {x, filter, bias}.
inline std::vector<graph::TensorId> conv_operands(GraphBuilder& b, graph::TensorId x, float scale,
                                                  int32_t in_c, int32_t out_c, int32_t filter) {
  using graph::DataType;
  const auto w =
      b.constant(DataType::kInt8, {out_c, filter, filter, in_c}, int8_t{1}, per_tensor(0.02f, 0));
  const auto bias = b.constant(DataType::kInt32, {out_c}, int32_t{0}, per_tensor(scale * 0.02f, 0));
  return {x, w, bias};
}
inline std::vector<graph::TensorId> depthwise_operands(GraphBuilder& b, graph::TensorId x,
                                                       float scale, int32_t channels,
                                                       int32_t filter) {
  using graph::DataType;
  const auto w =
      b.constant(DataType::kInt8, {1, filter, filter, channels}, int8_t{1}, per_tensor(0.02f, 0));
  const auto bias =
      b.constant(DataType::kInt32, {channels}, int32_t{0}, per_tensor(scale * 0.02f, 0));
  return {x, w, bias};
}

}  // namespace deeplab::testing
