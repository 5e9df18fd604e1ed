// The form in which calibration sees a float graph.
#include "quantize/prepare_float.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/quantize/quantize_testing.h"
#include "tflite/writer.h"

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

Graph transposed(int32_t filter) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 4, 5, 3});
  const auto w = b.constant(DataType::kFloat32, {2, filter, filter, 3}, 1.0f);
  const auto y = b.op(graph::TransposeConv{8, 10, 2, 2, 0, 0}, {x, w}, DataType::kFloat32);
  std::mt19937 random(5);
  return deeplab::testing::with_random_weights(b.build({y}), random);
}

TEST(PrepareFloat, MakesConvolutionsOfTransposeConv) {
  for (const auto& [filter, ops] :
       {std::pair{2, "CONV_2D DEPTH_TO_SPACE"}, std::pair{3, "PAD CONV_2D DEPTH_TO_SPACE"}}) {
    const Graph before = transposed(filter);
    Graph after = before;
    ASSERT_TRUE(prepare_float_graph(after).ok());
    EXPECT_EQ(op_names(after), ops);
    ASSERT_TRUE(graph::validate(after).ok()) << graph::validate(after).message();
    EXPECT_TRUE(tflite::write_model({after, {}, ""}).ok());
    const auto x = deeplab::testing::output_of(before, kernels::Rounding::kEngine);
    const auto y = deeplab::testing::output_of(after, kernels::Rounding::kEngine);
    ASSERT_EQ(x.size(), y.size());
    ASSERT_FALSE(x.empty());
    for (size_t i = 0; i < x.size(); i += sizeof(float)) {
      float a, b;
      std::memcpy(&a, &x[i], sizeof a);
      std::memcpy(&b, &y[i], sizeof b);
      ASSERT_NEAR(a, b, 1e-4) << i;
    }
  }
}

}  // namespace
}  // namespace deeplab::quantize
