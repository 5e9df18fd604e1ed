#include "passes/split_transpose_conv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/passes/pass_testing.h"

namespace deeplab::passes {
namespace {

using graph::DataType;
using graph::Graph;
using testing::GraphBuilder;
using testing::op_names;
using testing::per_channel;
using testing::per_tensor;

struct Geometry {
  int32_t filter, stride, pad, height, width;
};

/// TRANSPOSE_CONV of a 4x5 picture of 3 channels, uint8 with a zero point on the filter, or int8
/// with a scale for each channel, or float.
Graph transpose_conv(DataType type, const Geometry& g, std::mt19937& random) {
  GraphBuilder b;
  const bool is_float = type == DataType::kFloat32;
  const auto q = is_float ? graph::Quantization{} : per_tensor(0.05f, 9);
  const auto x = b.input(type, {2, 4, 5, 3}, q);
  const graph::Shape shape = {2, g.filter, g.filter, 3};
  graph::TensorId filter = 0;
  if (is_float) {
    filter = b.constant(type, shape, 1.0f);
  } else if (type == DataType::kUInt8) {
    filter = b.constant(type, shape, uint8_t{1}, per_tensor(0.02f, 131));
  } else {
    auto scales = per_channel(2, 0.02f, 0);
    scales.scales[1] = 0.03f;
    filter = b.constant(type, shape, int8_t{1}, scales);
  }
  const auto bias = is_float ? b.constant(type, {2}, 1.0f)
                             : b.constant(DataType::kInt32, {2}, int32_t{1}, per_tensor(0.001f, 0));
  graph::TransposeConv a{g.height, g.width, g.stride, g.stride, g.pad, g.pad};
  a.activation = graph::Activation::kRelu6;
  const auto y = b.op(a, {x, filter, bias}, type, q);
  return testing::with_random_weights(b.build({y}), random);
}

TEST(SplitTransposeConv, EightBitsKeepEveryByte) {
  std::mt19937 random(2);
  for (const Geometry& g : {Geometry{2, 2, 0, 8, 10},
                            {3, 2, 0, 8, 10},
                            {3, 2, 0, 9, 11},
                            {4, 2, 1, 8, 10},
                            {3, 2, 1, 7, 9},
                            {5, 3, 1, 12, 15},
                            {3, 1, 1, 4, 5},
                            {2, 3, 0, 11, 14}}) {
    for (DataType type : {DataType::kInt8, DataType::kUInt8}) {
      const Graph before = transpose_conv(type, g, random);
      ASSERT_TRUE(graph::validate(before).ok()) << graph::validate(before).message();
      Graph after = before;
      split_transpose_conv(after);
      EXPECT_EQ(op_names(after).find("TRANSPOSE_CONV"), std::string::npos);
      // Of the tensors between the ops the file has none.
      ASSERT_TRUE(graph::validate(after).ok()) << graph::validate(after).message();
      for (auto rounding : {kernels::Rounding::kEngine, kernels::Rounding::kTfLite}) {
        const auto x = testing::output_of(before, rounding);
        const auto y = testing::output_of(after, rounding);
        ASSERT_FALSE(x.empty());
        ASSERT_EQ(x.size(), y.size());
        EXPECT_EQ(0, std::memcmp(x.data(), y.data(), x.size())) << g.filter << " " << g.stride;
      }
    }
  }
}

TEST(SplitTransposeConv, FloatMovesRoundingsOnly) {
  std::mt19937 random(2);
  const Graph before = transpose_conv(DataType::kFloat32, {3, 2, 0, 8, 10}, random);
  Graph after = before;
  split_transpose_conv(after);
  EXPECT_EQ(op_names(after), "CONV_2D DEPTH_TO_SPACE");
  const auto x = testing::output_of(before, kernels::Rounding::kEngine);
  const auto y = testing::output_of(after, kernels::Rounding::kEngine);
  ASSERT_FALSE(x.empty());
  ASSERT_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); i += sizeof(float)) {
    float p, q;
    std::memcpy(&p, &x[i], sizeof p);
    std::memcpy(&q, &y[i], sizeof q);
    ASSERT_NEAR(p, q, 1e-5f);
  }
}

TEST(SplitTransposeConv, StaysIfNearlyAllWeightsWouldBeZeros) {
  std::mt19937 random(2);
  Graph graph = transpose_conv(DataType::kInt8, {1, 4, 0, 16, 20}, random);
  split_transpose_conv(graph);
  EXPECT_EQ(op_names(graph), "TRANSPOSE_CONV");
}

}  // namespace
}  // namespace deeplab::passes
