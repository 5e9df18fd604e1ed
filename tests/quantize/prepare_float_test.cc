// The form in which calibration sees a float graph.
#include "quantize/prepare_float.h"

#include <gtest/gtest.h>

#include "tests/quantize/quantize_testing.h"

namespace deeplab::quantize {
namespace {

using deeplab::testing::GraphBuilder;
using deeplab::testing::op_names;
using graph::DataType;
using graph::Graph;
using graph::TensorId;

/// A dilated depthwise convolution as blocks, `crop` rows and columns of it cut off in front, then
/// a batch norm as two ops.
Graph blocks_and_batch_norm(int32_t crop) {
  GraphBuilder b;
  const auto weights = [&](graph::Shape shape) {
    return b.constant(DataType::kFloat32, std::move(shape), 1.0f);
  };
  const auto x = b.input(DataType::kFloat32, {1, 9, 9, 4});
  const auto split = b.op(graph::SpaceToBatchNd{2, 2, {2, 3}, {2, 3}}, {x}, DataType::kFloat32);
  graph::DepthwiseConv2D valid;
  valid.window.padding = graph::Padding::kValid;
  const auto conv = b.op(valid, {split, weights({1, 3, 3, 4}), weights({4})}, DataType::kFloat32);
  const auto join =
      b.op(graph::BatchToSpaceNd{2, 2, {crop, 1}, {crop, 1}}, {conv}, DataType::kFloat32);
  const auto product = b.op(graph::Mul{}, {join, weights({4})}, DataType::kFloat32);
  const auto sum =
      b.op(graph::Add{graph::Activation::kRelu6}, {product, weights({4})}, DataType::kFloat32);
  std::mt19937 random(3);
  return deeplab::testing::with_random_weights(b.build({sum}), random);
}

TEST(PrepareFloat, FoldsDilationAndBatchNormIntoTheConvolution) {
  Graph graph = blocks_and_batch_norm(0);
  ASSERT_TRUE(prepare_float_graph(graph).ok());
  ASSERT_EQ(op_names(graph), "DEPTHWISE_CONV_2D");
  const auto& conv = std::get<graph::DepthwiseConv2D>(graph.ops[0].attributes);
  EXPECT_EQ(conv.activation, graph::Activation::kRelu6);
  EXPECT_EQ(conv.window.dilation_h, 2);
  EXPECT_EQ(conv.window.padding, graph::Padding::kSame);
  EXPECT_TRUE(graph::validate(graph).ok());
}

TEST(PrepareFloat, KeepsBlocksWhosePaddingNoFileCanSay) {
  Graph graph = blocks_and_batch_norm(1);
  ASSERT_TRUE(prepare_float_graph(graph).ok());
  EXPECT_EQ(op_names(graph), "SPACE_TO_BATCH_ND DEPTHWISE_CONV_2D BATCH_TO_SPACE_ND MUL ADD");
}

}  // namespace
}  // namespace deeplab::quantize
