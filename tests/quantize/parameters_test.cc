// Scales and zero points, worked out by hand.
#include "quantize/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/parameter_groups.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::quantize {
namespace {

using ::testing::ElementsAre;

TEST(ActivationQuantization, SpreadsTheRangeOver255Steps) {
  EXPECT_EQ(activation_quantization({0, 6}), (ActivationQuantization{6.0f / 255, -128}));
  // -128 - (-1) / (4 / 255) = -64.25
  EXPECT_EQ(activation_quantization({-1, 3}), (ActivationQuantization{4.0f / 255, -64}));
}

TEST(ActivationQuantization, AlwaysHoldsZero) {
  EXPECT_EQ(activation_quantization({2, 5}), (ActivationQuantization{5.0f / 255, -128}));
  EXPECT_EQ(activation_quantization({-5, -2}), (ActivationQuantization{5.0f / 255, 127}));
  EXPECT_EQ(activation_quantization({0, 0}).zero_point, -128);
  EXPECT_GT(activation_quantization({0, 0}).scale, 0);
  for (const Range& range : {Range{-0.3f, 11}, Range{-100, 0.01f}, Range{-1, 1}}) {
    const ActivationQuantization q = activation_quantization(range);
    EXPECT_EQ(quantize_activation(0, q), q.zero_point);
  }
}

TEST(ActivationQuantization, RoundsHalfToEvenAndClamps) {
  const ActivationQuantization q{0.5f, -10};
  EXPECT_EQ(quantize_activation(0.25f, q), -10);
  EXPECT_EQ(quantize_activation(0.75f, q), -8);
  EXPECT_EQ(quantize_activation(-1000, q), -128);
  EXPECT_EQ(quantize_activation(1000, q), 127);
}

TEST(WeightScales, TakeTheLargestMagnitudeOfAChannel) {
  const std::vector<float> weights = {1, -2, 0.5f, 0.25f};
  EXPECT_THAT(
      weight_scales(weights, {2, 1, 1, 2}, kConvChannelAxis, Granularity::kPerChannel, {}, 1),
      ElementsAre(2.0f / 127, 0.5f / 127));
  EXPECT_THAT(
      weight_scales(weights, {1, 1, 2, 2}, kDepthwiseChannelAxis, Granularity::kPerChannel, {}, 1),
      ElementsAre(1.0f / 127, 2.0f / 127));
  EXPECT_THAT(
      weight_scales(weights, {2, 1, 1, 2}, kConvChannelAxis, Granularity::kPerTensor, {}, 1),
      ElementsAre(2.0f / 127));
}

TEST(WeightScales, AChannelOfZerosTakesTheLargestOne) {
  const std::vector<float> weights = {0, 0, 3};
  EXPECT_THAT(weight_scales(weights, {3, 1, 1, 1}, 0, Granularity::kPerChannel, {}, 1),
              ElementsAre(3.0f / 127, 3.0f / 127, 3.0f / 127));
  EXPECT_THAT(
      weight_scales(std::vector<float>{0.0f}, {1, 1, 1, 1}, 0, Granularity::kPerTensor, {}, 1),
      ElementsAre(1.0f));
}

TEST(WeightScales, KeepTheBiasWithin24Bits) {
  const std::vector<float> weights = {1e-9f, 1};
  const std::vector<float> bias = {4, 4};
  const auto scales = weight_scales(weights, {2, 1, 1, 1}, 0, Granularity::kPerChannel, bias, 0.5f);
  EXPECT_THAT(scales, ElementsAre(8.0f / 16777216, 1.0f / 127));
  EXPECT_EQ(quantize_bias(4, 0.5f, scales[0]), 16777216);
  EXPECT_EQ(quantize_bias(-400, 0.5f, scales[0]), -16777216);  // clamped
  EXPECT_EQ(quantize_bias(4, 0.5f, scales[1]), 1016);          // 4 / (0.5 / 127)
}

TEST(WeightScales, WeightsRoundHalfToEvenWithin127) {
  EXPECT_EQ(quantize_weight(0.5f, 1), 0);
  EXPECT_EQ(quantize_weight(1.5f, 1), 2);
  EXPECT_EQ(quantize_weight(-2.5f, 1), -2);
  EXPECT_EQ(quantize_weight(-128, 1), -127);
}

TEST(SharedParameters, TieWhatIsOnlyMoved) {
  const graph::Graph graph = deeplab::testing::small_deeplab(graph::DataType::kFloat32);
  const std::vector<graph::TensorId> groups = shared_parameters(graph);
  const auto output = [&](size_t op) { return graph.ops[op].output(); };
  const auto group = [&](size_t op) { return groups[static_cast<size_t>(output(op))]; };
  // ADD, AVERAGE_POOL_2D, RESIZE_BILINEAR and CONCATENATION are one; it is named by its lowest id.
  for (size_t op : {4, 5, 6, 7}) EXPECT_EQ(group(op), output(4)) << op;
  EXPECT_EQ(group(9), output(8));  // the scores, resized
  for (size_t op : {0, 1, 2, 3, 8, 10}) EXPECT_EQ(group(op), output(op)) << op;
  EXPECT_EQ(groups[static_cast<size_t>(graph.inputs[0])], graph.inputs[0]);
}

}  // namespace
}  // namespace deeplab::quantize
