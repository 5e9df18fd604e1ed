// The planned executor on small graphs: bytes of every op family, threads, memory, profile.
#include "exec/planned_executor.h"

#include <gtest/gtest.h>

#include "passes/pipeline.h"
#include "tests/counted_new.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::exec {
namespace {

using graph::DataType;
using graph::Graph;
using testing::allocations;
using testing::GraphBuilder;
using testing::per_tensor;

const graph::Quantization kQuantization = per_tensor(0.05f, -7);
const graph::Quantization kOther = per_tensor(0.03f, 12);

struct Planned {
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<PlannedExecutor> executor;
};
Planned make(Graph graph, Isa isa, int threads, bool keep_all_tensors, bool pixel_input = false) {
  Planned planned;
  auto plan = plan::Plan::build(std::move(graph), {.isa = isa,
                                                   .threads = threads,
                                                   .keep_all_tensors = keep_all_tensors,
                                                   .pixel_input = pixel_input,
                                                   .limits = {}});
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  if (!plan.ok()) return planned;
  if (threads > 1) planned.pool = std::move(*ThreadPool::create(threads));
  auto executor = PlannedExecutor::create(*plan, planned.pool.get());
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  if (executor.ok()) planned.executor = std::move(*executor);
  return planned;
}

// Every tensor of the planned graph has the bytes of the naive executor, on every ISA and with
// one and with three threads.
void expect_naive_bytes(const Graph& graph) {
  auto naive = NaiveExecutor::create(graph, kernels::Rounding::kEngine);
  ASSERT_TRUE(naive.ok()) << naive.status().message();
  for (Isa isa : available_isas()) {
    for (int threads : {1, 3}) {
      const Planned planned = make(graph, isa, threads, true);
      ASSERT_NE(planned.executor, nullptr);
      testing::fill_random(**naive, 3);
      testing::fill_random(*planned.executor, 3);
      (*naive)->run();
      planned.executor->run();
      for (const graph::Op& op : graph.ops) {
        const auto a = (*naive)->tensor(op.output());
        const auto b = planned.executor->tensor(op.output());
        ASSERT_EQ(a.size(), b.size());
        ASSERT_EQ(0, std::memcmp(a.data(), b.data(), a.size()))
            << graph::op_label(op) << " " << isa_name(isa) << " threads " << threads;
      }
    }
  }
}

TEST(PlannedExecutor, EveryOpOfInt8) {
  GraphBuilder b;
  const auto f = b.input(DataType::kFloat32, {1, 13, 22, 3});
  const auto x = b.op(graph::Quantize{}, {f}, DataType::kInt8, kQuantization);
  const auto y = b.op(graph::Quantize{}, {x}, DataType::kInt8, kOther);
  const auto sum = b.op(graph::Add{}, {x, y}, DataType::kInt8, kOther);
  const auto relu = b.op(graph::Relu6{}, {sum}, DataType::kInt8, kQuantization);
  const auto joined = b.op(graph::Concatenation{3}, {relu, sum, x}, DataType::kInt8, kQuantization);
  const auto mean = b.op(graph::Mean{{1, 2}, true}, {joined}, DataType::kInt8, kOther);
  const auto spread =
      b.op(graph::ResizeBilinear{13, 22, true, false}, {mean}, DataType::kInt8, kOther);
  const auto tiled = b.op(graph::Tile{{1, 2, 1, 1}}, {spread}, DataType::kInt8, kOther);
  const auto broadcast = b.op(graph::Add{}, {spread, mean}, DataType::kInt8, kOther);
  graph::AveragePool2D pool;
  pool.filter_h = pool.filter_w = 3;
  const auto pooled = b.op(pool, {broadcast}, DataType::kInt8, kOther);
  const auto large =
      b.op(graph::ResizeBilinear{40, 31, false, true}, {pooled}, DataType::kInt8, kOther);
  const auto near =
      b.op(graph::ResizeNearestNeighbor{20, 9, false, true}, {large}, DataType::kInt8, kOther);
  const auto padded =
      b.op(graph::Pad{{{0, 0}, {1, 0}, {0, 2}, {0, 0}}}, {near}, DataType::kInt8, kOther);
  const auto soft = b.op(graph::Softmax{}, {padded}, DataType::kInt8, per_tensor(1.0f / 256, -128));
  const auto back = b.op(graph::Dequantize{}, {soft}, DataType::kFloat32);
  const auto labels = b.op(graph::ArgMax{3}, {back}, DataType::kInt32);
  const auto rows = b.op(graph::ArgMax{1}, {tiled}, DataType::kInt64);
  const auto flat = b.op(graph::Reshape{{21, 11}}, {labels}, DataType::kInt32);
  expect_naive_bytes(b.build({flat, rows}));
}

TEST(PlannedExecutor, EveryOpOfFloat) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {2, 9, 14, 5});
  const auto relu = b.op(graph::Relu{}, {x}, DataType::kFloat32);
  const auto sum = b.op(graph::Add{graph::Activation::kRelu6}, {x, relu}, DataType::kFloat32);
  const auto joined = b.op(graph::Concatenation{3}, {sum, x}, DataType::kFloat32);
  const auto mean = b.op(graph::Mean{{1, 2}, true}, {joined}, DataType::kFloat32);
  const auto spread = b.op(graph::ResizeBilinear{9, 14, false, true}, {mean}, DataType::kFloat32);
  const auto large = b.op(graph::ResizeBilinear{23, 40, true, false}, {joined}, DataType::kFloat32);
  const auto batches = b.op(graph::SpaceToBatchNd{3, 2}, {spread}, DataType::kFloat32);
  const auto space = b.op(graph::BatchToSpaceNd{3, 2}, {batches}, DataType::kFloat32);
  const auto soft = b.op(graph::Softmax{0.5f}, {large}, DataType::kFloat32);
  const auto labels = b.op(graph::ArgMax{3}, {soft}, DataType::kInt64);
  expect_naive_bytes(b.build({labels, space}));
}

/// The ops of the other mobile segmenters, on a picture that several threads share.
TEST(PlannedExecutor, EveryOpOfOtherSegmenters) {
  for (DataType type : {DataType::kInt8, DataType::kFloat32}) {
    const bool is_float = type == DataType::kFloat32;
    const auto q = is_float ? graph::Quantization{} : kQuantization;
    const auto q_of = [&](float scale, int32_t zero) {
      return is_float ? graph::Quantization{} : per_tensor(scale, zero);
    };
    GraphBuilder b;
    const auto x = b.input(type, {1, 48, 62, 24}, q);
    graph::MaxPool2D pool;
    pool.window.stride_h = pool.window.stride_w = 2;
    pool.filter_h = pool.filter_w = 3;
    auto t = b.op(pool, {x}, type, q);
    t = b.op(graph::SpaceToDepth{1}, {t}, type, q);
    const auto alpha = is_float ? b.constant(type, {24}, 0.25f)
                                : b.constant(type, {24}, int8_t{17}, per_tensor(0.01f, -3));
    t = b.op(graph::Prelu{}, {t, alpha}, type, q);
    t = b.op(graph::Unary{graph::UnaryFunction::kHardSwish}, {t}, type, q);
    t = b.op(graph::Unary{graph::UnaryFunction::kLeakyRelu, 0.1f}, {t}, type, q);
    const auto gate =
        b.op(graph::Unary{graph::UnaryFunction::kLogistic},
             {b.op(graph::Mean{{1, 2}, true}, {t}, type, q)}, type, q_of(1.0f / 256, -128));
    const auto weights = is_float ? b.constant(type, {24, 24}, 0.125f)
                                  : b.constant(type, {24, 24}, int8_t{9}, per_tensor(0.01f, 0));
    const auto squeezed = b.op(graph::FullyConnected{true}, {gate, weights}, type, q);
    t = b.op(graph::Mul{}, {t, squeezed}, type, q);
    t = b.op(graph::DepthToSpace{2}, {t}, type, q);
    t = b.op(graph::Slice{{0, 1, 3, 0}, {1, 40, 28, 3}, {1, 1, 2, 2}, {}}, {t}, type, q);
    t = b.op(graph::MirrorPad{{{0, 0}, {1, 2}, {2, 1}, {0, 0}}}, {t}, type, q);
    t = b.op(graph::Pad{{{0, 0}, {0, 1}, {1, 0}, {0, 0}}, 1.5f}, {t}, type, q);
    t = b.op(graph::Transpose{{0, 3, 1, 2}}, {t}, type, q);
    const auto labels = b.op(graph::ArgMax{1}, {t}, DataType::kInt64);
    const auto mask = b.op(graph::Cast{}, {labels}, DataType::kFloat32);
    expect_naive_bytes(b.build({mask}));
  }
}

TEST(PlannedExecutor, SmallDeeplabOfEveryType) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8, DataType::kUInt8}) {
    std::mt19937 random(4);
    Graph graph = testing::with_random_weights(testing::small_deeplab(type), random);
    ASSERT_TRUE(passes::optimize(graph).ok());
    expect_naive_bytes(graph);
  }
}

TEST(PlannedExecutor, RunAllocatesNothing) {
  std::mt19937 random(4);
  Graph graph = testing::with_random_weights(testing::small_deeplab(DataType::kInt8), random);
  ASSERT_TRUE(passes::optimize(graph).ok());
  for (int threads : {1, 2}) {
    const Planned planned = make(graph, available_isas().back(), threads, false);
    ASSERT_NE(planned.executor, nullptr);
    planned.executor->set_profiling(true);
    const int64_t before = allocations;
    planned.executor->run();
    EXPECT_EQ(allocations - before, 0) << threads << " threads";
  }
  const int64_t before = allocations;
  EXPECT_NE(std::make_unique<int>(1), nullptr);
  EXPECT_EQ(allocations - before, 1);  // The counter counts.
}

TEST(PlannedExecutor, HoldsInputsAndOutputsOnlyUnlessAskedForAll) {
  std::mt19937 random(4);
  const Graph graph = testing::with_random_weights(testing::small_deeplab(DataType::kInt8), random);
  const Planned some = make(graph, Isa::kScalar, 1, false);
  const Planned all = make(graph, Isa::kScalar, 1, true);
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const auto id = static_cast<graph::TensorId>(i);
    const size_t size = graph.tensors[i].is_constant() ? 0 : graph.tensors[i].byte_size();
    const bool border = id == graph.inputs[0] || id == graph.outputs[0];
    EXPECT_EQ(some.executor->tensor(id).size(), border ? size : 0) << id;
    EXPECT_EQ(all.executor->tensor(id).size(), size) << id;
  }
  EXPECT_TRUE(some.executor->tensor(-1).empty());
  EXPECT_TRUE(some.executor->tensor(10000).empty());
}

/// A block that begins with the input, through a convolution of this filter and window.
Graph block_of_pixels(const graph::Shape& input, int32_t filter, const graph::Window& window,
                      int32_t depthwise_stride) {
  constexpr int32_t kWide = 40;
  GraphBuilder b;
  const auto f32 = DataType::kFloat32;
  const auto weights = [&](graph::Shape shape) { return b.constant(f32, std::move(shape), 0.0f); };
  graph::DepthwiseConv2D depthwise;
  depthwise.window = {graph::Padding::kSame, depthwise_stride, depthwise_stride};
  depthwise.activation = graph::Activation::kRelu6;
  const auto x = b.input(f32, input);
  const auto wide = b.op(graph::Conv2D{window, graph::Activation::kRelu6},
                         {x, weights({kWide, filter, filter, input[3]}), weights({kWide})}, f32);
  const auto deep = b.op(depthwise, {wide, weights({1, 3, 3, kWide}), weights({kWide})}, f32);
  const auto narrow = b.op(graph::Conv2D{}, {deep, weights({8, 1, 1, kWide}), weights({8})}, f32);
  std::mt19937 random(11);
  return testing::with_random_weights(b.build({narrow}), random);
}

// The strips take rows of bytes, of which some pixels are padding: any shape of the first window.
TEST(PlannedExecutor, PixelsAreTheFloatsOfTheirTable) {
  using graph::Padding;
  struct Case {
    graph::Shape input;
    int32_t filter;
    graph::Window window;
    int32_t depthwise_stride = 1;
  };
  const Case cases[] = {
      {{1, 101, 97, 3}, 3, {Padding::kSame, 2, 2}},
      {{1, 60, 70, 1}, 3, {Padding::kSame}, 2},
      {{1, 60, 70, 2}, 1, {Padding::kValid}},
      {{1, 150, 141, 3}, 1, {Padding::kSame, 3, 3}, 2},
      {{1, 70, 73, 3}, 5, {Padding::kValid, 1, 1, 3, 2}},
      {{1, 40, 45, 3}, 3, {Padding::kExplicit, 1, 1, 1, 1, 9, 7, 8, 6}, 2},
      {{1, 1, 2100, 3}, 3, {Padding::kSame}},
      {{1, 2100, 1, 1}, 3, {Padding::kSame}},
  };
  for (const Case& c : cases) {
    const Graph graph = block_of_pixels(c.input, c.filter, c.window, c.depthwise_stride);
    const auto channels = static_cast<size_t>(c.input[3]);
    std::vector<float> values(channels * 256);
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t channel = i / 256;
      values[i] = static_cast<float>(i % 256) / 64 - static_cast<float>(1 + channel);
    }
    for (Isa isa : available_isas()) {
      for (int threads : {1, 3}) {
        const Planned floats = make(graph, isa, threads, false);
        const Planned pixels = make(graph, isa, threads, false, true);
        ASSERT_TRUE(floats.executor && pixels.executor);
        ASSERT_TRUE(pixels.executor->plan().input_is_pixels()) << graph::shape_text(c.input);
        pixels.executor->set_pixel_values(values);
        const auto bytes = pixels.executor->tensor(graph.inputs[0]);
        auto* wanted = reinterpret_cast<float*>(floats.executor->tensor(graph.inputs[0]).data());
        std::mt19937 random(7);
        for (size_t i = 0; i < bytes.size(); ++i) {
          const size_t pixel = random() % 256;
          bytes[i] = static_cast<std::byte>(pixel);
          wanted[i] = values[i % channels * 256 + pixel];
        }
        floats.executor->run();
        pixels.executor->run();
        const auto a = floats.executor->tensor(graph.outputs[0]);
        const auto b = pixels.executor->tensor(graph.outputs[0]);
        ASSERT_EQ(a.size(), b.size());
        EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size()))
            << graph::shape_text(c.input) << " " << isa_name(isa) << " threads " << threads;
      }
    }
  }
}

TEST(PlannedExecutor, ProfilesOnlyWhenAsked) {
  std::mt19937 random(4);
  const Planned planned =
      make(testing::with_random_weights(testing::small_deeplab(DataType::kInt8), random),
           Isa::kScalar, 1, false);
  PlannedExecutor& executor = *planned.executor;
  executor.run();
  for (int64_t time : executor.step_nanoseconds()) EXPECT_EQ(time, 0);
  executor.set_profiling(true);
  executor.run();
  EXPECT_EQ(executor.step_nanoseconds().size(), static_cast<size_t>(executor.step_count()));
  for (int64_t time : executor.step_nanoseconds()) EXPECT_GT(time, 0);
  executor.reset_profile();
  for (int64_t time : executor.step_nanoseconds()) EXPECT_EQ(time, 0);
}

TEST(PlannedExecutor, RefusesAPoolLargerThanThePlan) {
  std::mt19937 random(4);
  auto plan = plan::Plan::build(
      testing::with_random_weights(testing::small_deeplab(DataType::kInt8), random), {});
  ASSERT_TRUE(plan.ok());
  auto pool = ThreadPool::create(2);
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(PlannedExecutor::create(*plan, pool->get()).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(PlannedExecutor::create(nullptr, nullptr).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace deeplab::exec
