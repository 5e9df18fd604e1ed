#include "exec/naive_executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "passes/shift_uint8.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::exec {
namespace {

using graph::DataType;
using graph::Graph;
using testing::GraphBuilder;
using testing::per_tensor;

std::unique_ptr<NaiveExecutor> make(Graph graph, kernels::Rounding rounding) {
  auto executor = NaiveExecutor::create(std::move(graph), rounding);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  return executor.ok() ? std::move(*executor) : nullptr;
}

template <typename T>
std::vector<T> values(NaiveExecutor& executor, graph::TensorId id) {
  const std::span<std::byte> bytes = executor.tensor(id);
  std::vector<T> result(bytes.size() / sizeof(T));
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

template <typename T>
void write(NaiveExecutor& executor, graph::TensorId id, const std::vector<T>& from) {
  const std::span<std::byte> bytes = executor.tensor(id);
  ASSERT_EQ(bytes.size(), from.size() * sizeof(T));
  std::memcpy(bytes.data(), from.data(), bytes.size());
}

TEST(NaiveExecutor, RunsOneOpAStepAndKeepsEverything) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 1, 2, 2});
  const auto q = b.op(graph::Quantize{}, {x}, DataType::kInt8, per_tensor(0.5f, 0));
  const auto one = b.constant(DataType::kInt8, {2}, int8_t{2}, per_tensor(0.5f, 0));  // real 1
  const auto sum = b.op(graph::Add{}, {q, one}, DataType::kInt8, per_tensor(0.5f, 0));
  const auto real = b.op(graph::Dequantize{}, {sum}, DataType::kFloat32);
  const auto label = b.op(graph::ArgMax{3}, {real}, DataType::kInt64);
  for (kernels::Rounding rounding : {kernels::Rounding::kEngine, kernels::Rounding::kTfLite}) {
    const auto executor = make(b.build({label}), rounding);
    ASSERT_NE(executor, nullptr);
    ASSERT_EQ(executor->step_count(), 4);
    EXPECT_EQ(executor->step_output(1), sum);
    EXPECT_EQ(executor->step_op(2), 2);
    EXPECT_EQ(executor->step_kernel(0), "naive");
    EXPECT_TRUE(executor->tensor(one).empty()) << "a constant is not an activation";

    write<float>(*executor, x, {1, 2, -1.5f, -3});
    executor->run_step(0);
    EXPECT_EQ(values<int8_t>(*executor, q), (std::vector<int8_t>{2, 4, -3, -6}));
    EXPECT_EQ(values<int8_t>(*executor, sum), (std::vector<int8_t>(4, 0)));
    executor->run();
    EXPECT_EQ(values<int8_t>(*executor, sum), (std::vector<int8_t>{4, 6, -1, -4}));
    EXPECT_EQ(values<float>(*executor, real), (std::vector<float>{2, 3, -0.5f, -2}));
    EXPECT_EQ(values<int64_t>(*executor, label), (std::vector<int64_t>{1, 0}));
    // Nothing is used up: the same once more.
    executor->run();
    EXPECT_EQ(values<int64_t>(*executor, label), (std::vector<int64_t>{1, 0}));
  }
}

TEST(NaiveExecutor, BiasMayBeLeftOut) {
  for (bool third_operand : {false, true}) {
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, {1, 1, 1, 2});
    const auto filter = b.constant(DataType::kFloat32, {1, 1, 1, 2}, 3.0f);
    std::vector<graph::TensorId> inputs = {x, filter};
    if (third_operand) inputs.push_back(graph::kNoTensor);
    const auto y = b.op(graph::Conv2D{}, inputs, DataType::kFloat32);
    const auto executor = make(b.build({y}), kernels::Rounding::kEngine);
    ASSERT_NE(executor, nullptr);
    write<float>(*executor, x, {1, 2});
    executor->run();
    EXPECT_EQ(values<float>(*executor, y), (std::vector<float>{9}));
  }
}

TEST(NaiveExecutor, EveryOpOfTheListRuns) {
  // Each op on a 4x4 picture of two int8 channels, or of floats; only that the output has been
  // written whole is looked at here, the values have tests of their own.
  const auto eight_bit = per_tensor(0.5f, -3);
  graph::AveragePool2D pool;
  pool.filter_h = pool.filter_w = 2;
  const std::vector<graph::Attributes> ops = {
      pool,
      graph::Mean{{1, 2}, true},
      graph::ResizeBilinear{7, 5, false, true},
      graph::ResizeNearestNeighbor{7, 5, false, false},
      graph::Concatenation{3},
      graph::Tile{{1, 2, 1, 3}},
      graph::Pad{{{0, 0}, {1, 1}, {2, 0}, {0, 0}}},
      graph::Softmax{1.0f},
      graph::Relu{},
      graph::Relu6{},
      graph::Reshape{{8, -1}},
      graph::SpaceToBatchNd{2, 2, {0, 0}, {1, 1}},
  };
  for (DataType type : {DataType::kInt8, DataType::kFloat32}) {
    const bool quantized = type == DataType::kInt8;
    for (const graph::Attributes& attributes : ops) {
      SCOPED_TRACE(graph::op_name(attributes));
      const bool softmax = std::holds_alternative<graph::Softmax>(attributes);
      GraphBuilder b;
      const auto quantization = quantized ? eight_bit : graph::Quantization{};
      const auto x = b.input(type, {1, 4, 4, 2}, quantization);
      const auto y = b.op(attributes, {x}, type,
                          quantized && softmax ? per_tensor(1 / 256.0f, -128) : quantization);
      const Graph graph = b.build({y});
      ASSERT_TRUE(graph::validate(graph).ok()) << graph::validate(graph).message();
      for (kernels::Rounding rounding : {kernels::Rounding::kEngine, kernels::Rounding::kTfLite}) {
        const auto executor = make(graph, rounding);
        ASSERT_NE(executor, nullptr);
        // The picture is one colour, so no op gives what the output is filled with beforehand.
        if (quantized) {
          write(*executor, x, std::vector<int8_t>(32, 5));
        } else {
          write(*executor, x, std::vector<float>(32, 2.0f));
        }
        const std::span<std::byte> output = executor->tensor(y);
        std::fill(output.begin(), output.end(), std::byte{0x77});
        executor->run();
        if (quantized) {
          const auto result = values<int8_t>(*executor, y);
          EXPECT_EQ(std::count(result.begin(), result.end(), 0x77), 0);
        } else {
          const auto result = values<float>(*executor, y);
          EXPECT_TRUE(std::all_of(result.begin(), result.end(),
                                  [](float v) { return v >= 0 && v <= 2.00001f; }));
        }
      }
    }
  }
}

TEST(NaiveExecutor, UInt8AndInt8FilesOfTheSameNetworkAgreeInTheEnginesRounding) {
  // The same real weights and scales, written once as uint8 and once as int8.
  const auto run = [](DataType type) {
    GraphBuilder b;
    const int32_t zero = type == DataType::kUInt8 ? 128 : 0;
    const auto x = b.input(type, {1, 5, 5, 2}, per_tensor(0.5f, zero + 3));
    const auto filter = type == DataType::kUInt8
                            ? b.constant(type, {3, 3, 3, 2}, uint8_t{131}, per_tensor(0.1f, 128))
                            : b.constant(type, {3, 3, 3, 2}, int8_t{3}, per_tensor(0.1f, 0));
    graph::Conv2D conv;
    conv.activation = graph::Activation::kRelu;
    const auto y = b.op(conv, {x, filter}, type, per_tensor(0.3f, zero - 100));
    const auto z =
        b.op(graph::ResizeBilinear{9, 9, true, false}, {y}, type, per_tensor(0.3f, zero - 100));
    Graph graph = b.build({z});
    EXPECT_TRUE(passes::shift_uint8(graph).ok());
    const auto executor = make(std::move(graph), kernels::Rounding::kEngine);
    std::vector<int8_t> pixels(50);
    std::iota(pixels.begin(), pixels.end(), int8_t{-20});
    write(*executor, x, pixels);
    executor->run();
    return values<int8_t>(*executor, z);
  };
  EXPECT_EQ(run(DataType::kUInt8), run(DataType::kInt8));
}

TEST(NaiveExecutor, RefusesAtCreation) {
  const auto unshifted =
      NaiveExecutor::create(testing::small_deeplab(DataType::kUInt8), kernels::Rounding::kEngine);
  ASSERT_FALSE(unshifted.ok());
  EXPECT_EQ(unshifted.status().code(), StatusCode::kInvalidArgument);

  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, graph::Shape(9, 1));
  const auto y = b.op(graph::Tile{std::vector<int32_t>(9, 1)}, {x}, DataType::kFloat32);
  const auto unsupported = NaiveExecutor::create(b.build({y}), kernels::Rounding::kEngine);
  ASSERT_FALSE(unsupported.ok());
  EXPECT_NE(unsupported.status().message().find("op 0 (TILE)"), std::string::npos);
}

}  // namespace
}  // namespace deeplab::exec
