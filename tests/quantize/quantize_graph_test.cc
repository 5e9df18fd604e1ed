// A small network quantized: close to float, the same in both executors, every border, every error.
#include "quantize/quantize_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/measure_drop.h"
#include "tests/quantize/quantize_testing.h"

namespace deeplab::quantize {
namespace {

using deeplab::testing::float_deeplab;
using deeplab::testing::GraphBuilder;
using deeplab::testing::noise;
using deeplab::testing::op_names;
using deeplab::testing::ranges_of;
using deeplab::testing::with_random_weights;
using graph::DataType;
using graph::Graph;
using graph::TensorId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Graph quantized(const Graph& graph, const QuantizeOptions& options) {
  auto result = quantize_graph(graph, ranges_of(graph), options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return std::move(result).value();
}

TEST(QuantizeGraph, FollowsTheInt8Specification) {
  const Graph from = float_deeplab();
  const Graph to = quantized(from, {});
  for (const graph::Op& op : to.ops) {
    const bool conv = std::holds_alternative<graph::Conv2D>(op.attributes);
    const bool depthwise = std::holds_alternative<graph::DepthwiseConv2D>(op.attributes);
    if (!conv && !depthwise) continue;
    const graph::Tensor& filter = to.tensor(op.inputs[1]);
    const graph::Tensor& bias = to.tensor(op.inputs[2]);
    const int32_t axis = depthwise ? 3 : 0;
    EXPECT_EQ(filter.type, DataType::kInt8);
    EXPECT_EQ(filter.quantization.axis, axis);
    EXPECT_EQ(filter.quantization.scales.size(),
              static_cast<size_t>(filter.shape[static_cast<size_t>(axis)]));
    for (int32_t zero_point : filter.quantization.zero_points) EXPECT_EQ(zero_point, 0);
    int largest = 0;
    for (int8_t weight : filter.values<int8_t>()) largest = std::max(largest, std::abs(weight));
    EXPECT_EQ(largest, 127);
    EXPECT_EQ(bias.type, DataType::kInt32);
    const float input_scale = to.tensor(op.inputs[0]).quantization.scale();
    for (size_t c = 0; c < bias.quantization.scales.size(); ++c) {
      EXPECT_EQ(bias.quantization.scales[c], input_scale * filter.quantization.scales[c]);
    }
  }
  // RELU6 cuts the range, and the group of the concatenation has one quantization.
  const auto quantization = [&](size_t op) {
    return to.tensor(from.ops[op].output()).quantization;
  };
  EXPECT_EQ(quantization(0).zero_point(), -128);
  EXPECT_LE(quantization(0).scale(), 6.0f / 255);
  for (size_t op : {5, 6, 7}) EXPECT_EQ(quantization(op), quantization(4)) << op;
}

TEST(QuantizeGraph, HasOneScaleATensorWhereAsked) {
  QuantizeOptions options;
  options.granularity = Granularity::kPerTensor;
  for (const graph::Tensor& tensor : quantized(float_deeplab(), options).tensors) {
    EXPECT_LE(tensor.quantization.scales.size(), 1u);
  }
}

TEST(QuantizeGraph, IsCloseToFloat) {
  for (Granularity granularity : {Granularity::kPerChannel, Granularity::kPerTensor}) {
    const Graph from = float_deeplab();
    QuantizeOptions options;
    options.granularity = granularity;
    const auto drops = measure_drop(from, quantized(from, options), noise(3), {}, 0);
    ASSERT_TRUE(drops.ok()) << drops.status().message();
    ASSERT_EQ(drops->size(), 6u);  // five convolutions and an ADD
    for (const OpDrop& drop : *drops) {
      EXPECT_GT(drop.sqnr_db, 25) << drop.name << ' ' << drop.index;
      EXPECT_LT(drop.sqnr_db, 70) << drop.name << ' ' << drop.index;
    }
  }
}

struct BorderCase {
  Border border;
  Output output;
  const char* first;
  const char* last;
  DataType in;
  DataType out;
};

class Borders : public ::testing::TestWithParam<BorderCase> {};

TEST_P(Borders, RunTheSameInBothExecutors) {
  const BorderCase& c = GetParam();
  QuantizeOptions options;
  options.border = c.border;
  options.output = c.output;
  const Graph graph = quantized(float_deeplab(), options);
  EXPECT_EQ(graph::op_name(graph.ops.front().attributes), c.first);
  EXPECT_EQ(graph::op_name(graph.ops.back().attributes), c.last);
  EXPECT_EQ(graph.tensor(graph.inputs[0]).type, c.in);
  EXPECT_EQ(graph.tensor(graph.outputs[0]).type, c.out);
  EXPECT_EQ(graph.tensor(graph.inputs[0]).shape, (graph::Shape{1, 65, 65, 3}));
  const bool labels = c.output == Output::kLabels;
  EXPECT_EQ(graph.tensor(graph.outputs[0]).shape,
            labels ? (graph::Shape{1, 65, 65}) : (graph::Shape{1, 65, 65, 5}));

  Graph shifted = graph;
  ASSERT_TRUE(passes::shift_uint8(shifted).ok());
  auto naive = exec::NaiveExecutor::create(shifted, kernels::Rounding::kEngine);
  ASSERT_TRUE(naive.ok()) << naive.status().message();
  auto planned = GraphRunner::create(graph, {}, input_shift(options));
  ASSERT_TRUE(planned.ok()) << planned.status().message();
  ASSERT_TRUE((*planned)->run(noise(1), 0).ok());
  // The planned executor may write over its input: fed again for the other one.
  auto feed = GraphRunner::create(cut_to(graph, {graph.ops[0].output()}), {}, input_shift(options));
  ASSERT_TRUE((*feed)->run(noise(1), 0).ok());
  std::ranges::copy((*feed)->stored(graph.inputs[0]), (*naive)->tensor(graph.inputs[0]).begin());
  (*naive)->run();
  for (const graph::Op& op : graph.ops) {
    EXPECT_TRUE(std::ranges::equal((*naive)->tensor(op.output()), (*planned)->stored(op.output())))
        << graph::op_label(op);
  }
}

INSTANTIATE_TEST_SUITE_P(
    QuantizeGraph, Borders,
    ::testing::Values(BorderCase{Border::kFloat32, Output::kScores, "QUANTIZE", "DEQUANTIZE",
                                 DataType::kFloat32, DataType::kFloat32},
                      BorderCase{Border::kFloat32, Output::kLabels, "QUANTIZE", "ARG_MAX",
                                 DataType::kFloat32, DataType::kInt64},
                      BorderCase{Border::kInt8, Output::kScores, "CONV_2D", "RESIZE_BILINEAR",
                                 DataType::kInt8, DataType::kInt8},
                      BorderCase{Border::kInt8, Output::kLabels, "CONV_2D", "ARG_MAX",
                                 DataType::kInt8, DataType::kInt64},
                      BorderCase{Border::kUInt8, Output::kScores, "QUANTIZE", "QUANTIZE",
                                 DataType::kUInt8, DataType::kUInt8},
                      BorderCase{Border::kUInt8, Output::kLabels, "QUANTIZE", "ARG_MAX",
                                 DataType::kUInt8, DataType::kInt64}));

TEST(QuantizeGraph, AddsAnArgMaxWhereThereIsNone) {
  Graph from = float_deeplab();
  from.outputs = {from.ops.back().inputs[0]};
  from.ops.pop_back();
  QuantizeOptions options;
  options.output = Output::kLabels;
  const Graph to = quantized(from, options);
  EXPECT_EQ(op_names(to), op_names(quantized(float_deeplab(), options)));
}

TEST(QuantizeGraph, TakesPixelsAsTheyAre) {
  QuantizeOptions options;
  options.border = Border::kUInt8;
  const Graph from = float_deeplab();
  const Graph to = quantized(from, options);
  const graph::Quantization& q = to.tensor(to.inputs[0]).quantization;
  EXPECT_EQ(q.scale(), 1 / 127.5f);
  EXPECT_EQ(q.zero_point(), 128);
  EXPECT_EQ(input_pixels(options)->mean, 128);
  EXPECT_EQ(input_pixels(options)->std, 127.5f);
  EXPECT_FLOAT_EQ(input_shift(options), 0.5f / 127.5f);
  // The stem loses nothing to its input, which noise() makes of whole pixels.
  QuantizeOptions rounded = options;
  rounded.pixel_rule = PixelRule::kRounded;
  const auto shifted_drop = measure_drop(from, to, noise(2), {}, input_shift(options));
  const auto rounded_drop = measure_drop(from, quantized(from, rounded), noise(2), {}, 0);
  ASSERT_TRUE(shifted_drop.ok() && rounded_drop.ok());
  EXPECT_GT(shifted_drop->front().sqnr_db, rounded_drop->front().sqnr_db);
}

TEST(QuantizeGraph, RoundsFloatPixelsLikeThePublishedFiles) {
  const Graph to = quantized(float_deeplab(), {});
  const TensorId id = to.ops[0].output();
  EXPECT_EQ(to.tensor(id).quantization.scale(), 1.0f / 128);
  EXPECT_EQ(to.tensor(id).quantization.zero_point(), 0);
  EXPECT_EQ(input_shift({}), 0);
  // 0..1 as well: pixel / 255.
  QuantizeOptions unit;
  unit.pixels = PixelScale{0, 255};
  const Graph other = quantized(float_deeplab(), unit);
  EXPECT_FLOAT_EQ(other.tensor(other.ops[0].output()).quantization.scale(), 1.0f / 256);
  EXPECT_EQ(other.tensor(other.ops[0].output()).quantization.zero_point(), -128);
}

TEST(QuantizeGraph, GivesSoftmaxItsScale) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 2, 2, 3});
  const auto y = b.op(graph::Softmax{1}, {x}, DataType::kFloat32);
  const Graph from = b.build({y});
  QuantizeOptions options;
  options.pixel_rule = PixelRule::kRounded;
  const auto to = quantize_graph(from, ActivationRanges(from.tensors.size()), options);
  ASSERT_TRUE(to.ok()) << to.status().message();
  EXPECT_EQ(to->tensor(y).quantization, deeplab::testing::per_tensor(1.0f / 256, -128));
}

TEST(QuantizeGraph, QuantizesASharedFilterForEachUse) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 2, 2, 2});
  const auto filter = b.constant(DataType::kFloat32, {2, 1, 1, 2}, 0.5f);
  const auto bias = b.constant(DataType::kFloat32, {2}, 1.0f);
  const auto y = b.op(graph::Conv2D{}, {x, filter, bias}, DataType::kFloat32);
  const auto z = b.op(graph::Conv2D{}, {y, filter, bias}, DataType::kFloat32);
  const Graph from = b.build({z});
  const Graph to = quantized(from, {});
  const auto& first = to.ops[1];
  const auto& second = to.ops[2];
  // The input scales differ, so must the stored biases.
  EXPECT_NE(first.inputs[2], second.inputs[2]);
  EXPECT_NE(to.tensor(first.inputs[2]).quantization, to.tensor(second.inputs[2]).quantization);
}

TEST(QuantizeGraph, QuantizesAConstantOperand) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 2, 2, 2});
  const auto two = b.constant(DataType::kFloat32, {2}, 2.0f);
  const auto y = b.op(graph::Add{}, {x, two}, DataType::kFloat32);
  const Graph from = b.build({y});
  const Graph to = quantized(from, {});
  const graph::Tensor& stored = to.tensor(to.ops[1].inputs[1]);
  EXPECT_THAT(stored.values<int8_t>(), ElementsAre(127, 127));
  EXPECT_FLOAT_EQ(stored.quantization.scale() * 255, 2);
}

std::string error_of(const Graph& graph, const ActivationRanges& ranges,
                     const QuantizeOptions& options = {}) {
  const auto result = quantize_graph(graph, ranges, options);
  return result.ok() ? "" : result.status().message();
}

TEST(QuantizeGraph, RefusesWhatItCannotQuantize) {
  const Graph graph = float_deeplab();
  const ActivationRanges ranges = ranges_of(graph);
  const auto at = [](TensorId id) { return static_cast<size_t>(id); };
  EXPECT_THAT(error_of(quantized(graph, {}), ranges), HasSubstr("quantized already"));
  EXPECT_THAT(error_of(deeplab::testing::small_deeplab(DataType::kUInt8), ranges),
              HasSubstr("quantized already"));
  EXPECT_THAT(error_of(graph, {}), HasSubstr("expected a range for each of"));

  ActivationRanges missing = ranges;
  missing[at(graph.ops[0].output())] = Range{};
  EXPECT_THAT(error_of(graph, missing), HasSubstr("range is not known"));
  ActivationRanges infinite = ranges;
  infinite[at(graph.ops[2].output())].max = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of(graph, infinite), HasSubstr("not finite"));

  Graph broken = graph;
  const TensorId filter = graph.ops[2].inputs[1];
  std::vector<float> weights(broken.tensor(filter).values<float>().begin(),
                             broken.tensor(filter).values<float>().end());
  weights[3] = NAN;
  std::vector<std::byte> bytes(weights.size() * sizeof(float));
  std::memcpy(bytes.data(), weights.data(), bytes.size());
  broken.tensor(filter).data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  EXPECT_THAT(error_of(broken, ranges), HasSubstr("found a weight of nan"));
}

TEST(QuantizeGraph, RefusesOtherInputsAndOutputs) {
  GraphBuilder two;
  const auto a = two.input(DataType::kFloat32, {1, 2, 2, 3});
  const auto b = two.input(DataType::kFloat32, {1, 2, 2, 3});
  const Graph sum = two.build({two.op(graph::Add{}, {a, b}, DataType::kFloat32)});
  EXPECT_THAT(error_of(sum, {}), HasSubstr("one input and one output, found 2 and 1"));

  GraphBuilder flat;
  const auto x = flat.input(DataType::kFloat32, {1, 12});
  const Graph row = flat.build({flat.op(graph::Relu{}, {x}, DataType::kFloat32)});
  EXPECT_THAT(error_of(row, {}), HasSubstr("[1, height, width, channels] as the graph's input"));

  GraphBuilder reshaped;
  const auto picture = reshaped.input(DataType::kFloat32, {1, 2, 2, 3});
  const Graph list =
      reshaped.build({reshaped.op(graph::Reshape{{1, 4, 3}}, {picture}, DataType::kFloat32)});
  QuantizeOptions options;
  options.output = Output::kLabels;
  EXPECT_THAT(error_of(list, ActivationRanges(list.tensors.size()), options),
              HasSubstr("no labels can be made of the output 1x4x3"));
}

// What only moves values has one scale: it cannot join ops that each have a given one.
TEST(QuantizeGraph, RefusesScalesThatCannotBeJoined) {
  const auto joined = [](const auto& other) {
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, {1, 2, 2, 3});
    const auto p = b.op(graph::Softmax{1}, {x}, DataType::kFloat32);
    return b.build({b.op(graph::Concatenation{3}, {p, other(b, x)}, DataType::kFloat32)});
  };
  const Graph pixels = joined([](GraphBuilder& /*b*/, TensorId x) { return x; });
  EXPECT_THAT(error_of(pixels, ActivationRanges(pixels.tensors.size())),
              HasSubstr("its scale is given, and an op that cannot rescale ties it to another"));

  const Graph wide = joined([](GraphBuilder& b, TensorId x) {
    return b.op(graph::Add{}, {x, x}, DataType::kFloat32);
  });
  ActivationRanges ranges(wide.tensors.size());
  ranges[static_cast<size_t>(wide.ops[1].output())] = {-2, 2};
  EXPECT_THAT(error_of(wide, ranges), HasSubstr("values from -2 to 2 are joined"));
  ranges[static_cast<size_t>(wide.ops[1].output())] = {0, 1};
  EXPECT_EQ(error_of(wide, ranges), "");
}

TEST(QuantizeGraph, EveryStepNeedsAPhoto) {
  const Graph from = float_deeplab();
  Graph to = quantized(from, {});
  const Samples none = noise(0);
  const auto sentence = HasSubstr("needs at least one photo");
  EXPECT_THAT(collect_statistics(from, range_sources(from), none, {}).status().message(), sentence);
  EXPECT_THAT(correct_biases(to, from, {}, none, {}, 0).message(), sentence);
  EXPECT_THAT(measure_drop(from, to, none, {}, 0).status().message(), sentence);
}

TEST(QuantizeGraph, RefusesAccumulatorsThatCouldOverflow) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 1, 1, 40000});
  const auto filter = b.constant(DataType::kFloat32, {1, 1, 1, 40000}, 0.5f);
  const auto y = b.op(graph::Conv2D{}, {x, filter, graph::kNoTensor}, DataType::kFloat32);
  const Graph graph = b.build({y});
  ActivationRanges ranges(graph.tensors.size());
  ranges[static_cast<size_t>(y)] = {-1, 1};
  EXPECT_THAT(error_of(graph, ranges), HasSubstr("32-bit accumulator"));
}

TEST(QuantizeGraph, RefusesShiftedPixelsWithoutABias) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 2, 2, 3});
  const auto y = b.op(graph::Relu{}, {x}, DataType::kFloat32);
  const Graph graph = b.build({y});
  QuantizeOptions options;
  options.border = Border::kInt8;
  EXPECT_THAT(error_of(graph, ranges_of(graph), options), HasSubstr("expected a convolution"));
}

TEST(QuantizeGraph, OpsOfOtherSegmentersHaveTheParametersThatTheirKernelsExpect) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 4});
  graph::MaxPool2D pool;
  pool.filter_h = pool.filter_w = 2;
  const auto largest = b.op(pool, {x}, DataType::kFloat32);
  const auto swish =
      b.op(graph::Unary{graph::UnaryFunction::kHardSwish}, {largest}, DataType::kFloat32);
  const auto gate =
      b.op(graph::Unary{graph::UnaryFunction::kLogistic}, {swish}, DataType::kFloat32);
  const auto y = b.op(graph::Mul{}, {swish, gate}, DataType::kFloat32);
  const Graph from = b.build({y});
  const Graph to = quantized(from, {});
  EXPECT_TRUE(graph::validate(to).ok()) << graph::validate(to).message();
  EXPECT_EQ(to.tensor(gate).quantization, deeplab::testing::per_tensor(1.0f / 256, -128));
  EXPECT_EQ(to.tensor(largest).quantization, to.tensor(to.ops[1].inputs[0]).quantization);

  GraphBuilder c;
  const auto input = c.input(DataType::kFloat32, {1, 8, 8, 4});
  const auto square =
      c.op(graph::Unary{graph::UnaryFunction::kSquare}, {input}, DataType::kFloat32);
  const Graph other = c.build({square});
  EXPECT_THAT(error_of(other, ranges_of(other), {}), HasSubstr("op 0 (SQUARE)"));
}

TEST(PrepareFloatGraph, GivesEveryConvolutionItsOwnBias) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 2, 2, 2});
  const auto filter = b.constant(DataType::kFloat32, {2, 1, 1, 2}, 0.5f);
  const auto y = b.op(graph::Conv2D{}, {x, filter, graph::kNoTensor}, DataType::kFloat32);
  const auto r = b.op(graph::Relu6{}, {y}, DataType::kFloat32);
  const auto z = b.op(graph::Conv2D{}, {r, filter, graph::kNoTensor}, DataType::kFloat32);
  Graph graph = b.build({z});
  ASSERT_TRUE(prepare_float_graph(graph).ok());
  EXPECT_EQ(op_names(graph), "CONV_2D CONV_2D");  // the RELU6 is in the first one
  EXPECT_NE(graph.ops[0].inputs[1], graph.ops[1].inputs[1]);
  for (const graph::Op& op : graph.ops) {
    ASSERT_EQ(op.inputs.size(), 3u);
    EXPECT_THAT(graph.tensor(op.inputs[2]).values<float>(), ElementsAre(0, 0));
  }
  EXPECT_TRUE(graph::validate(graph).ok());
}

/// The largest of the channels' mean errors, over four samples and all pixels of `id`.
double mean_shift(const Graph& from, const Graph& to, TensorId id) {
  const auto a = GraphRunner::create(cut_to(from, {id}), {});
  const auto b = GraphRunner::create(cut_to(to, {id}), {});
  std::vector<float> x, y;
  const auto channels = static_cast<size_t>(from.tensor(id).shape.back());
  std::vector<double> sums(channels);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE((*a)->run(noise(4), i).ok());
    EXPECT_TRUE((*b)->run(noise(4), i).ok());
    (*a)->real_values(id, x);
    (*b)->real_values(id, y);
    for (size_t k = 0; k < x.size(); ++k) sums[k % channels] += y[k] - x[k];
  }
  double worst = 0;
  for (double sum : sums) worst = std::max(worst, std::abs(sum));
  return worst * static_cast<double>(channels) / static_cast<double>(4 * x.size());
}

TEST(CorrectBiases, TakeTheMeanErrorBack) {
  const Graph from = float_deeplab();
  QuantizeOptions options;
  options.granularity = Granularity::kPerTensor;
  const Graph before = quantized(from, options);
  const auto means = collect_statistics(from, mean_sources(from), noise(4), {});
  ASSERT_TRUE(means.ok());
  Graph after = before;
  const Status status = correct_biases(after, from, *means, noise(4), {}, 0);
  ASSERT_TRUE(status.ok()) << status.message();
  const TensorId scores = from.ops[8].output();
  EXPECT_LT(mean_shift(from, after, scores), 0.5 * mean_shift(from, before, scores));
}

/// Two residual blocks with a PRELU after the sum; gives the sum of the second, too. The slopes, of
/// which one is large, share a scale: the others are rounded much, and shift what they make.
Graph residual_network(TensorId& sum) {
  constexpr int32_t kChannels = 8;
  GraphBuilder b;
  const auto conv = [&](TensorId x, int32_t inputs) {
    const TensorId filter = b.constant(DataType::kFloat32, {kChannels, 1, 1, inputs}, 0.0f);
    const TensorId bias = b.constant(DataType::kFloat32, {kChannels}, 0.0f);
    return b.op(graph::Conv2D{}, {x, filter, bias}, DataType::kFloat32);
  };
  TensorId stream = conv(b.input(DataType::kFloat32, {1, 64, 64, 3}), 3);
  std::vector<TensorId> slopes;
  for (int block = 0; block < 2; ++block) {
    sum = b.op(graph::Add{}, {stream, conv(stream, kChannels)}, DataType::kFloat32);
    slopes.push_back(b.constant(DataType::kFloat32, {1, 1, kChannels}, 0.0f));
    stream = b.op(graph::Prelu{}, {sum, slopes.back()}, DataType::kFloat32);
  }
  std::mt19937 random(5);
  Graph graph = with_random_weights(b.build({stream}), random);
  std::vector<float> slope(kChannels, 0.117f);
  slope[0] = 4;
  const auto bytes = std::as_bytes(std::span(slope));
  for (TensorId id : slopes) {
    graph.tensor(id).data =
        std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  }
  return graph;
}

// The shortcut's shift comes from an activation, and no bias but the block's last takes it back.
TEST(CorrectBiases, ASumIsCorrectedForItsShortcut) {
  TensorId sum = graph::kNoTensor;
  const Graph from = residual_network(sum);
  const Graph before = quantized(from, {});
  const auto means = collect_statistics(from, mean_sources(from), noise(4), {});
  ASSERT_TRUE(means.ok()) << means.status().message();
  Graph after = before;
  const Status status = correct_biases(after, from, *means, noise(4), {}, 0);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_LT(mean_shift(from, after, sum), 0.1 * mean_shift(from, before, sum));
}

TEST(CorrectBiases, LeaveAPerfectGraphAlmostAlone) {
  // With the input in whole steps and weights that int8 holds exactly nothing is off.
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 4, 4, 1});
  const auto filter = b.constant(DataType::kFloat32, {1, 1, 1, 1}, 127.0f);
  const auto bias = b.constant(DataType::kFloat32, {1}, 3.0f);
  const auto y = b.op(graph::Conv2D{}, {x, filter, bias}, DataType::kFloat32);
  const Graph from = b.build({y});
  QuantizeOptions options;
  options.border = Border::kInt8;
  const Graph before = quantized(from, options);
  const auto means = collect_statistics(from, {x}, noise(2), {});
  ASSERT_TRUE(means.ok());
  Graph after = before;
  ASSERT_TRUE(correct_biases(after, from, *means, noise(2), {}, input_shift(options)).ok());
  const auto stored = [](const Graph& g) {
    return g.tensor(g.ops[0].inputs[2]).values<int32_t>()[0];
  };
  EXPECT_NEAR(stored(after), stored(before), 1);
}

}  // namespace
}  // namespace deeplab::quantize
