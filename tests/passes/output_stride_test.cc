// Dilations back to strides: what follows, to the bit, and what is refused.
#include "passes/output_stride.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/isa.h"
#include "exec/planned_executor.h"
#include "passes/pipeline.h"
#include "plan/plan.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::passes {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Padding;
using graph::TensorId;
using testing::GraphBuilder;

constexpr int32_t kChannels = 4;

/// A backbone of output stride 2 with dilations of 2 and 4, and DeepLab's head.
struct DilatedNetwork : GraphBuilder {
  DataType type;
  bool as_blocks;  ///< Dilations as SPACE_TO_BATCH_ND around the convolution.
  TensorId last_features = graph::kNoTensor;
  TensorId strided = graph::kNoTensor;  ///< What the first larger stride makes smaller first.

  DilatedNetwork(DataType t, bool blocks) : type(t), as_blocks(blocks) {}

  graph::Quantization activation() const {
    return type == DataType::kInt8 ? testing::per_tensor(0.5f, 3) : graph::Quantization{};
  }
  TensorId filter(graph::Shape shape) {
    if (type == DataType::kFloat32) return constant(type, std::move(shape), 1.0f);
    return constant(type, std::move(shape), int8_t{1}, testing::per_tensor(0.02f, 0));
  }
  TensorId bias(int32_t channels) {
    if (type == DataType::kFloat32) return constant(type, {channels}, 1.0f);
    return constant(DataType::kInt32, {channels}, int32_t{1}, testing::per_tensor(0.01f, 0));
  }
  TensorId conv(TensorId x, int32_t from, int32_t to, int32_t size = 1, int32_t stride = 1,
                int32_t dilation = 1) {
    graph::Conv2D attributes;
    attributes.window = {Padding::kSame, stride, stride, dilation, dilation};
    const TensorId weights = filter({to, size, size, from});
    return op(attributes, {x, weights, bias(to)}, type, activation());
  }
  TensorId depthwise(TensorId x, int32_t dilation) {
    graph::DepthwiseConv2D attributes;
    attributes.activation = graph::Activation::kRelu6;
    const TensorId weights = filter({1, 3, 3, kChannels});
    const TensorId addend = bias(kChannels);
    if (!as_blocks || dilation == 1) {
      attributes.window = {Padding::kSame, 1, 1, dilation, dilation};
      return op(attributes, {x, weights, addend}, type, activation());
    }
    const int32_t side = (*this)[x][1];
    const int32_t extra = (dilation - (side + 2 * dilation) % dilation) % dilation;
    const std::array<int32_t, 2> pad = {dilation, dilation + extra};
    attributes.window.padding = Padding::kValid;
    const auto split =
        op(graph::SpaceToBatchNd{dilation, dilation, pad, pad}, {x}, type, activation());
    const auto inner = op(attributes, {split, weights, addend}, type, activation());
    return op(graph::BatchToSpaceNd{dilation, dilation, {0, extra}, {0, extra}}, {inner}, type,
              activation());
  }
  TensorId block(TensorId x, int32_t dilation, bool residual) {
    const auto inner = depthwise(conv(x, kChannels, kChannels), dilation);
    if (strided == graph::kNoTensor) strided = inner;
    const auto out = conv(inner, kChannels, kChannels);
    return residual ? op(graph::Add{}, {x, out}, type, activation()) : out;
  }
  graph::Shape operator[](TensorId id) { return build({}).tensor(id).shape; }

  Graph make(int32_t side) {
    const auto x = input(type, {1, side, side, 3}, activation());
    auto at = conv(x, 3, kChannels, 3, 2);
    at = block(at, 1, false);  // where a network of stride 4 has its stride
    at = block(at, 2, true);
    at = block(at, 2, false);  // and one of stride 8 the next
    at = block(at, 4, true);
    last_features = at;
    const int32_t cells = (*this)[at][1];
    graph::AveragePool2D pool;
    pool.window.padding = Padding::kValid;
    pool.filter_h = pool.filter_w = cells;
    const auto pooled = conv(op(pool, {at}, type, activation()), kChannels, kChannels);
    const auto spread =
        op(graph::ResizeBilinear{cells, cells, true, false}, {pooled}, type, activation());
    const auto wide = conv(at, kChannels, kChannels, 3, 1, 4);
    const auto joined = op(graph::Concatenation{3}, {spread, wide}, type, activation());
    const auto scores = conv(joined, 2 * kChannels, 5);
    const auto full =
        op(graph::ResizeBilinear{side, side, true, false}, {scores}, type, activation());
    return build({full, last_features});
  }
};

Graph network(DataType type, bool as_blocks, int32_t side, TensorId* features = nullptr) {
  DilatedNetwork builder(type, as_blocks);
  std::mt19937 random(5);
  Graph graph = testing::with_random_weights(builder.make(side), random);
  EXPECT_TRUE(graph::validate(graph).ok()) << graph::validate(graph).message();
  if (features != nullptr) *features = builder.last_features;
  return graph;
}

std::unique_ptr<exec::Executor> run(const Graph& graph) {
  auto executor = exec::NaiveExecutor::create(graph, kernels::Rounding::kEngine);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  testing::fill_random(**executor, 9);
  (*executor)->run();
  return std::move(*executor);
}

class EveryNetwork : public ::testing::TestWithParam<std::tuple<DataType, bool, int32_t, int32_t>> {
};

TEST_P(EveryNetwork, FeaturesAreEverySecondOneToTheBit) {
  const auto [type, as_blocks, side, stride] = GetParam();
  TensorId features = graph::kNoTensor;
  const Graph fine = network(type, as_blocks, side, &features);
  ASSERT_EQ(output_stride(fine), 2);
  Graph coarse = fine;
  const Status status = set_output_stride(coarse, stride);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(output_stride(coarse), stride);
  EXPECT_EQ(coarse.tensor(coarse.outputs[0]).shape, fine.tensor(fine.outputs[0]).shape);

  const int32_t step = stride / 2;
  const graph::Shape from = fine.tensor(features).shape;
  const graph::Shape to = coarse.tensor(features).shape;
  ASSERT_EQ(to[1], (from[1] + step - 1) / step);
  ASSERT_EQ(to[2], (from[2] + step - 1) / step);
  const auto a = run(fine);
  const auto b = run(coarse);
  const auto bytes_a = a->tensor(features);
  const auto bytes_b = b->tensor(features);
  const auto cell = graph::size_of(type) * static_cast<size_t>(from[3]);
  for (int32_t y = 0; y < to[1]; ++y) {
    for (int32_t x = 0; x < to[2]; ++x) {
      const auto at_a = cell * static_cast<size_t>(y * step * from[2] + x * step);
      const auto at_b = cell * static_cast<size_t>(y * to[2] + x);
      ASSERT_EQ(0, std::memcmp(&bytes_a[at_a], &bytes_b[at_b], cell)) << y << ", " << x;
    }
  }
}

TEST_P(EveryNetwork, ThePlanGivesTheNaiveBytes) {
  const auto [type, as_blocks, side, stride] = GetParam();
  Graph coarse = network(type, as_blocks, side);
  ASSERT_TRUE(set_output_stride(coarse, stride).ok());
  const auto naive = run(coarse);
  Graph optimized = coarse;
  ASSERT_TRUE(optimize(optimized).ok());
  for (const Isa isa : available_isas()) {
    plan::PlanOptions options;
    options.isa = isa;
    auto plan = plan::Plan::build(optimized, options);
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    auto planned = exec::PlannedExecutor::create(*plan, nullptr);
    ASSERT_TRUE(planned.ok()) << planned.status().message();
    testing::fill_random(**planned, 9);
    (*planned)->run();
    for (TensorId id : coarse.outputs) {
      const auto x = naive->tensor(id);
      const auto y = (*planned)->tensor(id);
      ASSERT_EQ(x.size(), y.size());
      EXPECT_EQ(0, std::memcmp(x.data(), y.data(), x.size())) << isa_name(isa);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OutputStride, EveryNetwork,
                         ::testing::Combine(::testing::Values(DataType::kFloat32, DataType::kInt8),
                                            ::testing::Bool(), ::testing::Values(65, 64, 51),
                                            ::testing::Values(4, 8)));

TEST(OutputStride, ItsOwnChangesNothing) {
  const Graph fine = network(DataType::kFloat32, true, 33);
  Graph same = fine;
  ASSERT_TRUE(set_output_stride(same, 2).ok());
  EXPECT_EQ(testing::op_names(same), testing::op_names(fine));
}

std::string refusal(Graph graph, int32_t stride) {
  const Graph before = graph;
  const Status status = set_output_stride(graph, stride);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(testing::op_names(graph), testing::op_names(before));
  EXPECT_EQ(graph.tensor(graph.outputs[0]).shape, before.tensor(before.outputs[0]).shape);
  return std::string(status.message());
}

TEST(OutputStride, OtherStridesAreRefusedWithThoseThatThereAre) {
  const Graph fine = network(DataType::kFloat32, false, 33);
  for (int32_t stride : {1, 3, 6}) {
    EXPECT_NE(refusal(fine, stride).find("its output stride is 2: expected 2, 4 or 8"),
              std::string::npos);
  }
  EXPECT_NE(refusal(fine, 16).find("its output stride is 2 and cannot be 16: too few of its "
                                   "convolutions are dilated"),
            std::string::npos);
}

TEST(OutputStride, ANetworkWithoutDilationIsRefused) {
  const Graph graph = testing::small_deeplab(DataType::kFloat32);
  const std::string message = refusal(graph, 8);
  EXPECT_NE(message.find("its output stride is 4 and cannot be 8: too few"), std::string::npos)
      << message;
}

TEST(OutputStride, AnOpThatReadsEveryNeighbourIsNamed) {
  DilatedNetwork b(DataType::kFloat32, false);
  const auto x = b.input(DataType::kFloat32, {1, 33, 33, 3});
  auto at = b.block(b.conv(x, 3, kChannels, 3, 2), 1, false);
  at = b.block(at, 2, false);
  const auto undilated = b.depthwise(at, 1);
  const std::string message = refusal(b.build({undilated}), 4);
  EXPECT_NE(message.find("op 7 (DEPTHWISE_CONV_2D): it reads every neighbour"), std::string::npos)
      << message;
}

TEST(OutputStride, AShortcutOverTheStrideIsNamed) {
  DilatedNetwork b(DataType::kFloat32, false);
  const auto x = b.input(DataType::kFloat32, {1, 33, 33, 3});
  auto at = b.conv(x, 3, kChannels, 3, 2);
  const auto before = at;
  at = b.block(at, 1, false);
  at = b.block(at, 2, false);
  const auto sum = b.op(graph::Add{}, {at, before}, DataType::kFloat32);
  const std::string message = refusal(b.build({sum}), 4);
  EXPECT_NE(message.find("(ADD): it joins what"), std::string::npos) << message;
}

TEST(OutputStride, AJoinBeforeTheFirstDilatedConvolutionIsNamed) {
  DilatedNetwork b(DataType::kFloat32, false);
  const auto x = b.input(DataType::kFloat32, {1, 33, 33, 3});
  auto at = b.block(b.conv(x, 3, kChannels, 3, 2), 1, true);
  at = b.block(at, 2, false);
  const std::string message = refusal(b.build({at}), 4);
  EXPECT_NE(message.find("before its first dilated convolution, op 6 (DEPTHWISE_CONV_2D), op 4 "
                         "(ADD) comes first"),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace deeplab::passes
