// Equalization: the float results stay, the channels come closer.
#include "quantize/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "quantize/measure_drop.h"
#include "tests/quantize/quantize_testing.h"

namespace deeplab::quantize {
namespace {

using deeplab::testing::GraphBuilder;
using deeplab::testing::noise;
using deeplab::testing::statistics_of;
using graph::DataType;
using graph::Graph;
using graph::TensorId;

std::shared_ptr<const std::vector<std::byte>> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

/// expand 1x1 -> RELU6 -> depthwise 3x3 -> RELU6 -> project 1x1, four channels within, of which the
/// second reaches a hundredth of the first and the third meets the clamp.
Graph block() {
  GraphBuilder b;
  const auto weights = [&](graph::Shape shape) {
    return b.constant(DataType::kFloat32, shape, 0.1f);
  };
  graph::Conv2D expand;
  expand.activation = graph::Activation::kRelu6;
  graph::DepthwiseConv2D middle;
  middle.activation = graph::Activation::kRelu6;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 3});
  const auto e = b.op(expand, {x, weights({4, 1, 1, 3}), weights({4})}, DataType::kFloat32);
  const auto d = b.op(middle, {e, weights({1, 3, 3, 4}), weights({4})}, DataType::kFloat32);
  const auto p =
      b.op(graph::Conv2D{}, {d, weights({2, 1, 1, 4}), weights({2})}, DataType::kFloat32);
  Graph graph = b.build({p});
  const auto set = [&](size_t op, std::vector<float> values) {
    graph.tensor(graph.ops[op].inputs[1]).data = bytes_of(values);
  };
  set(0, {1, -1, 1, 0.01f, 0.01f, -0.01f, 9, 9, 9, 0.5f, 0.2f, -0.3f});
  std::vector<float> taps(36);
  std::mt19937 random(5);
  for (float& tap : taps) tap = std::uniform_real_distribution<float>(-0.3f, 0.5f)(random);
  set(1, taps);
  set(2, {1, 30, -0.2f, 0.1f, -0.5f, -20, 0.1f, 0.7f});
  return graph;
}

double sqnr_of_output(const Graph& exact, const Graph& other, TensorId id) {
  const auto drops = measure_drop(exact, other, noise(3), {}, 0);
  EXPECT_TRUE(drops.ok());
  for (const OpDrop& drop : *drops) {
    if (drop.tensor == id) return drop.sqnr_db;
  }
  ADD_FAILURE() << "not measured";
  return 0;
}

TEST(Equalize, KeepsFloatResultsOnTheCalibrationPhotos) {
  for (Granularity granularity : {Granularity::kPerChannel, Granularity::kPerTensor}) {
    const Graph before = block();
    Graph after = before;
    EqualizeOptions options;
    options.granularity = granularity;
    EXPECT_GT(equalize(after, statistics_of(before, noise(3)), options), 0);
    EXPECT_TRUE(graph::validate(after).ok());
    EXPECT_GT(sqnr_of_output(before, after, before.outputs[0]), 100);
  }
}

TEST(Equalize, FillsTheRangeButForTheHeadroom) {
  const Graph before = block();
  Graph after = before;
  equalize(after, statistics_of(before, noise(3)), {});
  const Statistics old = statistics_of(before, noise(3));
  const Statistics now = statistics_of(after, noise(3));
  const auto expand = static_cast<size_t>(before.ops[0].output());
  EXPECT_LT(old[expand].channel_ranges[1].max, 0.2f);
  for (size_t c : {0, 1, 3}) EXPECT_NEAR(now[expand].channel_ranges[c].max, 6 / 1.25f, 0.01) << c;
  EXPECT_EQ(now[expand].channel_ranges[2], old[expand].channel_ranges[2]);  // it was clamped
}

TEST(Equalize, MakesQuantizationBetter) {
  const Graph before = block();
  for (Granularity granularity : {Granularity::kPerChannel, Granularity::kPerTensor}) {
    Graph after = before;
    EqualizeOptions equalization;
    equalization.granularity = granularity;
    equalize(after, statistics_of(before, noise(3)), equalization);
    QuantizeOptions options;
    options.granularity = granularity;
    const auto quantized = [&](const Graph& graph) {
      auto result = quantize_graph(graph, deeplab::testing::ranges_of(graph), options);
      EXPECT_TRUE(result.ok()) << result.status().message();
      return std::move(result).value();
    };
    const TensorId output = before.outputs[0];
    EXPECT_GT(sqnr_of_output(before, quantized(after), output),
              sqnr_of_output(before, quantized(before), output));
  }
}

TEST(Equalize, LeavesWhatOthersReadAlone) {
  // The middle tensor is an output, too: scaling it would be seen.
  Graph graph = block();
  graph.outputs.push_back(graph.ops[0].output());
  graph.outputs.push_back(graph.ops[1].output());
  const Graph before = graph;
  EXPECT_EQ(equalize(graph, statistics_of(before, noise(2)), {}), 0);
  for (size_t id = 0; id < graph.tensors.size(); ++id) {
    if (!graph.tensors[id].is_constant()) continue;
    EXPECT_TRUE(graph.tensors[id].data == before.tensors[id].data);
  }
}

TEST(Equalize, GoesThroughAConcatenation) {
  // Two branches with RELU, one resized, into one convolution: its columns belong to both.
  GraphBuilder b;
  graph::Conv2D relu;
  relu.activation = graph::Activation::kRelu;
  const auto weights = [&](graph::Shape shape, float v) {
    return b.constant(DataType::kFloat32, shape, v);
  };
  const auto x = b.input(DataType::kFloat32, {1, 4, 4, 3});
  graph::AveragePool2D pool;
  pool.window.padding = graph::Padding::kValid;
  pool.filter_h = pool.filter_w = 4;
  const auto mean = b.op(pool, {x}, DataType::kFloat32);
  const auto low =
      b.op(relu, {mean, weights({2, 1, 1, 3}, 0.02f), weights({2}, 0.3f)}, DataType::kFloat32);
  const auto wide = b.op(graph::ResizeBilinear{4, 4, true, false}, {low}, DataType::kFloat32);
  const auto high =
      b.op(relu, {x, weights({2, 1, 1, 3}, 2), weights({2}, 0.5f)}, DataType::kFloat32);
  const auto both = b.op(graph::Concatenation{3}, {wide, high}, DataType::kFloat32);
  const auto y = b.op(graph::Conv2D{}, {both, weights({3, 1, 1, 4}, 0.5f), weights({3}, 0)},
                      DataType::kFloat32);
  const Graph before = b.build({y});
  Graph after = before;
  EXPECT_GT(equalize(after, statistics_of(before, noise(3)), {}), 0);
  EXPECT_GT(sqnr_of_output(before, after, y), 100);
  const Statistics now = statistics_of(after, noise(3));
  const float reach_high = now[static_cast<size_t>(high)].histogram.range().max;
  const float reach_low = now[static_cast<size_t>(low)].histogram.range().max;
  EXPECT_GT(reach_low, 0.9f * reach_high);
}

/// stem -> (expand -> project) + shortcut -> two readers: a stream of three tensors, of which the
/// first channel reaches a hundred times as far as the others.
Graph shortcut() {
  GraphBuilder b;
  const auto weights = [&](graph::Shape shape, float v) {
    return b.constant(DataType::kFloat32, shape, v);
  };
  graph::Conv2D relu6;
  relu6.activation = graph::Activation::kRelu6;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 3});
  const auto stem = b.op(graph::Conv2D{}, {x, weights({4, 1, 1, 3}, 0.1f), weights({4}, 0.05f)},
                         DataType::kFloat32);
  const auto wide =
      b.op(relu6, {stem, weights({5, 1, 1, 4}, 0.2f), weights({5}, 0.5f)}, DataType::kFloat32);
  const auto narrow = b.op(graph::Conv2D{}, {wide, weights({4, 1, 1, 5}, 0.1f), weights({4}, 0)},
                           DataType::kFloat32);
  const auto sum = b.op(graph::Add{}, {narrow, stem}, DataType::kFloat32);
  const auto y = b.op(graph::Conv2D{}, {sum, weights({2, 1, 1, 4}, 0.3f), weights({2}, 0)},
                      DataType::kFloat32);
  const auto z =
      b.op(relu6, {sum, weights({2, 1, 1, 4}, -0.3f), weights({2}, 0)}, DataType::kFloat32);
  const auto both = b.op(graph::Concatenation{3}, {y, z}, DataType::kFloat32);
  Graph graph = b.build({both});
  const auto scale = [&](size_t op, size_t first, size_t step, size_t count, float factor) {
    graph::Tensor& tensor = graph.tensor(graph.ops[op].inputs[1]);
    std::vector<float> values(tensor.values<float>().begin(), tensor.values<float>().end());
    for (size_t i = 0; i < values.size(); ++i) values[i] *= 1 + 0.1f * static_cast<float>(i);
    for (size_t i = 0; i < count; ++i) values[first + i * step] *= factor;
    tensor.data = bytes_of(values);
  };
  scale(0, 0, 1, 3, 100);    // the stem's first row
  scale(2, 0, 1, 5, 100);    // the projection's
  scale(1, 0, 4, 5, 0.01f);  // what the expansion makes of the first channel,
  scale(4, 0, 4, 2, 0.01f);  // and the two readers
  scale(5, 0, 4, 2, 0.01f);
  return graph;
}

TEST(Equalize, GoesAlongShortcuts) {
  const Graph before = shortcut();
  Graph after = before;
  EXPECT_GE(equalize(after, statistics_of(before, noise(3)), {}), 3 * 4);
  const TensorId last = before.ops[4].output();
  EXPECT_GT(sqnr_of_output(before, after, last), 100);
  const Statistics now = statistics_of(after, noise(3));
  for (size_t op : {0, 3}) {
    const auto& ranges = now[static_cast<size_t>(before.ops[op].output())].channel_ranges;
    const auto reach = [&](size_t c) { return std::max(-ranges[c].min, ranges[c].max); };
    for (size_t c : {1, 2, 3}) EXPECT_LT(reach(0), 10 * reach(c)) << op;
  }
  const auto quantized = [&](const Graph& graph) {
    auto result = quantize_graph(graph, deeplab::testing::ranges_of(graph), {});
    EXPECT_TRUE(result.ok()) << result.status().message();
    return std::move(result).value();
  };
  EXPECT_GT(sqnr_of_output(before, quantized(after), last),
            10 + sqnr_of_output(before, quantized(before), last));
}

TEST(Equalize, LeavesAShortcutThatAnotherOpReads) {
  Graph graph = shortcut();
  graph.outputs.push_back(graph.ops[3].output());
  const Graph before = graph;
  equalize(graph, statistics_of(before, noise(2)), {});
  const TensorId stem = graph.ops[0].inputs[1];
  EXPECT_TRUE(graph.tensor(stem).data == before.tensor(stem).data);
}

TEST(WeightSpread, IsLargestOverSmallestRow) {
  const Graph graph = block();
  EXPECT_FLOAT_EQ(static_cast<float>(weight_spread(graph, graph.ops[0])), 900);
  EXPECT_EQ(weight_spread(graph, {graph::Relu{}, {0}, {0}, 0}), 1);
}

}  // namespace
}  // namespace deeplab::quantize
