// The one pass that moves a rounding: what it folds, what it leaves alone, and how far results
// move.
#include "passes/fold_batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/pipeline.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::passes {
namespace {

using graph::Activation;
using graph::DataType;
using graph::Graph;
using graph::TensorId;
using testing::GraphBuilder;
using testing::op_names;

constexpr int32_t kChannels = 6;

struct Network : GraphBuilder {
  TensorId x = input(DataType::kFloat32, {1, 9, 8, kChannels});

  TensorId values(graph::Shape shape) {
    return constant(DataType::kFloat32, std::move(shape), 1.0f);
  }
  TensorId depthwise(TensorId from, TensorId bias) {
    return op(graph::DepthwiseConv2D{}, {from, values({1, 3, 3, kChannels}), bias},
              DataType::kFloat32);
  }
  TensorId conv(TensorId from, TensorId bias) {
    return op(graph::Conv2D{}, {from, values({kChannels, 1, 1, kChannels}), bias},
              DataType::kFloat32);
  }
  template <typename Arithmetic>
  TensorId with(Arithmetic attributes, TensorId a, TensorId b) {
    return op(attributes, {a, b}, DataType::kFloat32);
  }
};

/// Random weights in `graph`; the naive executor's outputs with and without the pass.
void expect_close(const Graph& unfolded, const std::string& names) {
  std::mt19937 random(3);
  const Graph before = testing::with_random_weights(unfolded, random);
  Graph after = before;
  fold_batch_norm(after);
  EXPECT_EQ(op_names(after), names);
  ASSERT_TRUE(graph::validate(after).ok()) << graph::validate(after).message();
  const auto bytes_a = testing::output_of(before, kernels::Rounding::kEngine);
  const auto bytes_b = testing::output_of(after, kernels::Rounding::kEngine);
  ASSERT_FALSE(bytes_a.empty());
  ASSERT_EQ(bytes_a.size(), bytes_b.size());
  const auto* va = reinterpret_cast<const float*>(bytes_a.data());
  const auto* vb = reinterpret_cast<const float*>(bytes_b.data());
  // Sums of at most 9 products of values up to 4 and weights up to 1, times 1: each of some twelve
  // roundings is off by at most half of 2^-24 of 36.
  for (size_t i = 0; i < bytes_a.size() / sizeof(float); ++i) {
    ASSERT_NEAR(va[i], vb[i], 12 * 36 * 0x1p-24) << i;
  }
}

TEST(FoldBatchNorm, MulAndAddAfterADepthwiseConvolution) {
  Network n;
  const auto product =
      n.with(graph::Mul{}, n.depthwise(n.x, graph::kNoTensor), n.values({kChannels}));
  const auto sum = n.with(graph::Add{Activation::kRelu6}, product, n.values({1, 1, 1, kChannels}));
  const Graph graph = n.build({sum});
  expect_close(graph, "DEPTHWISE_CONV_2D");
  Graph after = graph;
  fold_batch_norm(after);
  EXPECT_EQ(std::get<graph::DepthwiseConv2D>(after.ops[0].attributes).activation,
            Activation::kRelu6);
  EXPECT_EQ(after.ops[0].output(), sum);
}

TEST(FoldBatchNorm, DifferencesAndSingleValuesAfterAConvolution) {
  for (bool reversed : {false, true}) {
    Network n;
    const auto difference = n.with(graph::Sub{Activation::kNone, reversed},
                                   n.conv(n.x, n.values({kChannels})), n.values({kChannels}));
    const auto product = n.with(graph::Mul{Activation::kRelu}, difference, n.values({1}));
    expect_close(n.build({product}), "CONV_2D");
  }
}

TEST(FoldBatchNorm, BehindABatchToSpace) {
  Network n;
  const auto split = n.op(graph::SpaceToBatchNd{2, 2, {2, 3}, {2, 2}}, {n.x}, DataType::kFloat32);
  graph::DepthwiseConv2D valid;
  valid.window.padding = graph::Padding::kValid;
  const auto conv =
      n.op(valid, {split, n.values({1, 3, 3, kChannels}), graph::kNoTensor}, DataType::kFloat32);
  const auto join = n.op(graph::BatchToSpaceNd{2, 2, {0, 1}, {0, 0}}, {conv}, DataType::kFloat32);
  const auto product = n.with(graph::Mul{}, join, n.values({kChannels}));
  const auto sum = n.with(graph::Add{Activation::kRelu6}, product, n.values({kChannels}));
  Graph graph = n.build({sum});
  ASSERT_TRUE(optimize(graph).ok());
  EXPECT_EQ(op_names(graph), "DEPTHWISE_CONV_2D");
}

TEST(FoldBatchNorm, LeavesAloneWhatIsNotAConstantPerChannel) {
  {
    Network n;  // Of one row.
    const auto y =
        n.with(graph::Mul{}, n.depthwise(n.x, graph::kNoTensor), n.values({8, kChannels}));
    Graph graph = n.build({y});
    fold_batch_norm(graph);
    EXPECT_EQ(op_names(graph), "DEPTHWISE_CONV_2D MUL");
  }
  {
    Network n;  // An activation.
    const auto conv = n.conv(n.x, graph::kNoTensor);
    Graph graph = n.build({n.with(graph::Add{}, conv, n.x)});
    fold_batch_norm(graph);
    EXPECT_EQ(op_names(graph), "CONV_2D ADD");
  }
  {
    Network n;  // Somebody else reads what the convolution gives.
    const auto conv = n.conv(n.x, graph::kNoTensor);
    const auto product = n.with(graph::Mul{}, conv, n.values({kChannels}));
    Graph graph = n.build({product, conv});
    fold_batch_norm(graph);
    EXPECT_EQ(op_names(graph), "CONV_2D MUL");
  }
  {
    Network n;  // A clamp stands between.
    const auto conv =
        n.op(graph::Conv2D{{}, Activation::kRelu},
             {n.x, n.values({kChannels, 1, 1, kChannels}), graph::kNoTensor}, DataType::kFloat32);
    Graph graph = n.build({n.with(graph::Mul{}, conv, n.values({kChannels}))});
    fold_batch_norm(graph);
    EXPECT_EQ(op_names(graph), "CONV_2D MUL");
  }
  {
    GraphBuilder b;  // 8 bits: every rounding of the file stays.
    const graph::Quantization q = testing::per_tensor(0.5f, 3);
    const auto x = b.input(DataType::kInt8, {1, 4, 4, 2}, q);
    const auto conv =
        b.op(graph::Conv2D{},
             {x, b.constant(DataType::kInt8, {2, 1, 1, 2}, int8_t{1}, testing::per_tensor(0.5f, 0)),
              graph::kNoTensor},
             DataType::kInt8, q);
    const auto y = b.op(graph::Mul{}, {conv, b.constant(DataType::kInt8, {2}, int8_t{1}, q)},
                        DataType::kInt8, q);
    Graph graph = b.build({y});
    ASSERT_TRUE(optimize(graph).ok());
    EXPECT_EQ(op_names(graph), "CONV_2D MUL");
  }
}

TEST(FoldBatchNorm, ASharedFilterIsNotChangedForOthers) {
  Network n;
  const auto filter = n.values({kChannels, 1, 1, kChannels});
  const auto a = n.op(graph::Conv2D{}, {n.x, filter, graph::kNoTensor}, DataType::kFloat32);
  const auto b = n.op(graph::Conv2D{}, {n.x, filter, graph::kNoTensor}, DataType::kFloat32);
  const auto product = n.with(graph::Mul{}, a, n.values({kChannels}));
  Graph graph = n.build({product, b});
  fold_batch_norm(graph);
  EXPECT_EQ(op_names(graph), "CONV_2D CONV_2D");
  EXPECT_EQ(graph.ops[1].inputs[1], filter);
  EXPECT_NE(graph.ops[0].inputs[1], filter);
}

}  // namespace
}  // namespace deeplab::passes
