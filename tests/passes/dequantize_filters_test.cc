// int8 filters of float convolutions become float32 constants: the same bytes under the engine's
// rounding, and then whatever float networks have.
#include "passes/dequantize_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/pipeline.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::passes {
namespace {

using graph::Activation;
using graph::DataType;
using graph::Graph;
using graph::TensorId;
using ::testing::ElementsAre;
using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::op_names;

constexpr int32_t kChannels = 6;

/// What a converter makes of a network like the page's: int8 filters with one scale per channel or
/// one, float32 biases, MUL and ADD constants.
struct Network : GraphBuilder {
  TensorId x = input(DataType::kFloat32, {1, 9, 8, kChannels});

  TensorId values(graph::Shape shape) {
    return constant(DataType::kFloat32, std::move(shape), 1.0f);
  }
  graph::Quantization scales(bool each, int32_t axis) {
    graph::Quantization q =
        each ? testing::per_channel(kChannels, 0.01f, axis) : testing::per_tensor(0.01f, 0);
    q.scales.back() = 0.02f;
    return q;
  }
  TensorId filter(graph::Shape shape, bool each, int32_t axis) {
    return constant(DataType::kInt8, std::move(shape), int8_t{1}, scales(each, axis));
  }
  TensorId conv(TensorId from, TensorId weights, TensorId bias,
                Activation activation = Activation::kNone) {
    return op(graph::Conv2D{{}, activation}, {from, weights, bias}, DataType::kFloat32);
  }
  TensorId dense(TensorId from, bool each, Activation activation = Activation::kNone) {
    const TensorId weights = filter({kChannels, 1, 1, kChannels}, each, 0);
    return conv(from, weights, values({kChannels}), activation);
  }
  TensorId dilated_depthwise(TensorId from, bool each) {
    const TensorId split =
        op(graph::SpaceToBatchNd{2, 2, {2, 3}, {2, 2}}, {from}, DataType::kFloat32);
    graph::DepthwiseConv2D valid;
    valid.window.padding = graph::Padding::kValid;
    const TensorId weights = filter({1, 3, 3, kChannels}, each, 3);
    const TensorId y = op(valid, {split, weights, values({kChannels})}, DataType::kFloat32);
    return op(graph::BatchToSpaceNd{2, 2, {0, 1}, {0, 0}}, {y}, DataType::kFloat32);
  }
};

/// The naive executor's output 0 for one input.
std::vector<float> run(const Graph& graph, kernels::Rounding rounding) {
  auto executor = exec::NaiveExecutor::create(graph, rounding);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  if (!executor.ok()) return {};
  testing::fill_random(**executor, 4);
  (*executor)->run();
  const auto bytes = (*executor)->tensor(graph.outputs[0]);
  const auto* values = reinterpret_cast<const float*>(bytes.data());
  return {values, values + bytes.size() / sizeof(float)};
}

Graph randomized(const Graph& graph) {
  std::mt19937 random(3);
  return testing::with_random_weights(graph, random);
}

TEST(DequantizeFilters, TheSameBytesUnderTheEnginesRounding) {
  for (const bool each : {false, true}) {
    Network n;
    const auto wide = n.dense(n.x, each, Activation::kRelu6);
    const auto deep = n.dilated_depthwise(wide, each);
    const auto sum = n.op(graph::Add{}, {n.dense(deep, each), n.x}, DataType::kFloat32);
    const Graph before = randomized(n.build({sum}));
    ASSERT_TRUE(graph::validate(before).ok()) << graph::validate(before).message();
    Graph after = before;
    ASSERT_TRUE(dequantize_filters(after).ok());
    ASSERT_TRUE(graph::validate(after).ok()) << graph::validate(after).message();
    EXPECT_EQ(op_names(after), op_names(before));
    for (const graph::Op& op : after.ops) {
      if (op.inputs.size() != 3) continue;
      EXPECT_EQ(after.tensor(op.inputs[1]).type, DataType::kFloat32) << graph::op_label(op);
    }
    EXPECT_EQ(run(before, kernels::Rounding::kEngine), run(after, kernels::Rounding::kEngine));
    // TensorFlow Lite's definition is the file's graph alone.
    EXPECT_NE(run(before, kernels::Rounding::kTfLite), run(after, kernels::Rounding::kTfLite));
  }
}

TEST(DequantizeFilters, ValuesByHand) {
  Network n;
  const auto weights = n.filter({kChannels, 1, 1, kChannels}, true, 0);
  std::vector<std::byte> stored(kChannels * kChannels, std::byte{0x80});  // -128
  stored[1] = std::byte{3};
  n.set_data(weights, std::move(stored));
  const auto y = n.conv(n.x, weights, graph::kNoTensor);
  Graph graph = n.build({y});
  ASSERT_TRUE(dequantize_filters(graph).ok());
  const auto values = graph.tensor(graph.ops[0].inputs[1]).values<float>();
  EXPECT_EQ(values[0], 0.01f * -128);
  EXPECT_EQ(values[1], 0.01f * 3);
  EXPECT_EQ(values[35], 0.02f * -128);
}

TEST(DequantizeFilters, AFilterOfTwoConvolutionsOnce) {
  Network n;
  const auto weights = n.filter({kChannels, 1, 1, kChannels}, false, 0);
  const auto y = n.conv(n.conv(n.x, weights, graph::kNoTensor), weights, graph::kNoTensor);
  Graph graph = n.build({y});
  const size_t tensors = graph.tensors.size();
  ASSERT_TRUE(dequantize_filters(graph).ok());
  EXPECT_EQ(graph.tensors.size(), tensors + 1);
  EXPECT_EQ(graph.ops[0].inputs[1], graph.ops[1].inputs[1]);
  EXPECT_EQ(graph.tensor(weights).type, DataType::kInt8) << "ids keep their meaning";
}

TEST(DequantizeFilters, LeavesOtherNetworksAlone) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8, DataType::kUInt8}) {
    Graph graph = testing::small_deeplab(type);
    const std::string before = graph::dump(graph);
    ASSERT_TRUE(dequantize_filters(graph).ok());
    EXPECT_EQ(graph::dump(graph), before);
  }
}

/// Tensors that share the bytes of one buffer: a small file could ask for any amount of memory.
TEST(DequantizeFilters, RefusesFiltersThatSumUpToTooMuch) {
  GraphBuilder b;
  TensorId y = b.input(DataType::kFloat32, {1, 1, 1, 1024});
  const TensorId first =
      b.constant(DataType::kInt8, {1024, 1, 1, 1024}, int8_t{1}, testing::per_tensor(0.01f, 0));
  y = b.op(graph::Conv2D{}, {y, first}, DataType::kFloat32);
  Graph graph = b.build({y});
  for (int i = 0; i < 64; ++i) {  // 65 times 2^20 weights
    graph.tensors.push_back(graph.tensor(first));
    const auto filter = static_cast<TensorId>(graph.tensors.size() - 1);
    graph.tensors.push_back(graph.tensor(y));
    const auto out = static_cast<TensorId>(graph.tensors.size() - 1);
    graph.ops.push_back({graph::Conv2D{}, {graph.outputs[0], filter}, {out}, i + 1});
    graph.outputs = {out};
  }
  const Status status = optimize(graph);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("op 64 (CONV_2D), int8 filters of float convolutions "
                                          "have more than the limit of 67108864 weights"));
}

/// The page's own shape of network: what a float file of it becomes, this one becomes.
TEST(Optimize, ADynamicRangeNetworkBecomesAFloatOne) {
  Network n;
  auto y = n.dense(n.x, true, Activation::kRelu6);
  y = n.dilated_depthwise(y, true);
  y = n.op(graph::Mul{}, {y, n.values({kChannels})}, DataType::kFloat32);
  y = n.op(graph::Add{Activation::kRelu6}, {y, n.values({kChannels})}, DataType::kFloat32);
  y = n.op(graph::Add{}, {n.dense(y, false), n.x}, DataType::kFloat32);
  const Graph before = randomized(n.build({y}));
  Graph graph = before;
  ASSERT_TRUE(optimize(graph).ok());
  EXPECT_EQ(op_names(graph), "CONV_2D DEPTHWISE_CONV_2D CONV_2D ADD");
  const std::vector<float> a = run(before, kernels::Rounding::kEngine);
  const std::vector<float> b = run(graph, kernels::Rounding::kEngine);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4) << i;

  Graph as_it_is = before;
  ASSERT_TRUE(optimize(as_it_is, {.dequantize_filters = false}).ok());
  EXPECT_EQ(op_names(as_it_is), "CONV_2D DEPTHWISE_CONV_2D MUL ADD CONV_2D ADD");
}

}  // namespace
}  // namespace deeplab::passes
