// Fused steps give the bytes of their ops one by one: random blocks and pooled branches, on every
// instruction set and with several threads.
#include <gtest/gtest.h>

#include "tests/exec/planned_data.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::exec {
namespace {

using graph::DataType;
using graph::Padding;
using graph::TensorId;
using testing::GraphBuilder;
using testing::per_tensor;

/// Random operands; float or int8 with one scale per channel.
class Builder : public GraphBuilder {
 public:
  Builder(DataType type, uint32_t seed) : type_(type), random_(seed) {}

  int32_t pick(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random_() % static_cast<uint32_t>(high - low + 1));
  }
  TensorId picture(int32_t height, int32_t width, int32_t channels) {
    return input(type_, {1, height, width, channels}, activation());
  }
  TensorId conv(graph::Conv2D attributes, TensorId x, int32_t in, int32_t out, int32_t filter = 1) {
    return op(attributes, {x, weights({out, filter, filter, in}, 0), bias(out)}, type_,
              activation());
  }
  TensorId depthwise(graph::DepthwiseConv2D attributes, TensorId x, int32_t channels) {
    return op(attributes, {x, weights({1, 3, 3, channels}, 3), bias(channels)}, type_,
              activation());
  }
  TensorId add(TensorId a, TensorId b) { return op(graph::Add{}, {a, b}, type_, activation()); }
  /// With a constant per channel.
  template <typename Arithmetic>
  TensorId channelwise(Arithmetic attributes, TensorId x, int32_t channels) {
    std::vector<int8_t> values(static_cast<size_t>(channels));
    for (int8_t& v : values) v = static_cast<int8_t>(pick(-128, 127));
    const TensorId b = filled({channels}, per_tensor(0.01f, pick(-10, 10)), values);
    return op(attributes, {x, b}, type_, activation());
  }
  graph::Quantization activation() {
    if (type_ == DataType::kFloat32) return {};
    return per_tensor(0.02f + 0.001f * static_cast<float>(pick(0, 60)), pick(-128, 127));
  }
  DataType type() const { return type_; }

 private:
  TensorId weights(graph::Shape shape, int32_t axis) {
    int64_t count = 1;
    for (int32_t d : shape) count *= d;
    if (type_ == DataType::kFloat32) {
      std::vector<float> values(static_cast<size_t>(count));
      for (float& v : values) v = static_cast<float>(pick(-100, 100)) / 400;
      return filled(std::move(shape), {}, values);
    }
    graph::Quantization scales;
    scales.axis = axis;
    for (int32_t i = 0; i < shape[static_cast<size_t>(axis)]; ++i) {
      scales.scales.push_back(0.001f * static_cast<float>(pick(1, 9)));
      scales.zero_points.push_back(0);
    }
    std::vector<int8_t> values(static_cast<size_t>(count));
    for (int8_t& v : values) v = static_cast<int8_t>(pick(-127, 127));
    return filled(std::move(shape), std::move(scales), values);
  }
  TensorId bias(int32_t channels) {
    if (pick(0, 4) == 0) return graph::kNoTensor;
    if (type_ == DataType::kFloat32) return constant(type_, {channels}, 0.25f);
    return constant(DataType::kInt32, {channels}, int32_t{pick(-2000, 2000)});
  }
  template <typename T>
  TensorId filled(graph::Shape shape, graph::Quantization quantization,
                  const std::vector<T>& values) {
    const TensorId id = constant(type_, std::move(shape), T{}, std::move(quantization));
    const auto bytes = std::as_bytes(std::span(values));
    set_data(id, std::vector<std::byte>(bytes.begin(), bytes.end()));
    return id;
  }

  DataType type_;
  std::mt19937 random_;
};

void fill(Executor& executor, uint32_t seed) {
  std::mt19937 random(seed);
  for (TensorId id : executor.graph().inputs) {
    const std::span<std::byte> bytes = executor.tensor(id);
    if (executor.graph().tensor(id).type == DataType::kFloat32) {
      for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
        const float value = static_cast<float>(random() % 2001) / 1000 - 1;
        std::memcpy(bytes.data() + i, &value, sizeof value);
      }
    } else {
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    }
  }
}

/// Same outputs as the naive executor's; `fused`: how many steps of several ops there must be.
void expect_same(const graph::Graph& graph, int fused) {
  auto naive = testing::make_naive(graph, kernels::Rounding::kEngine);
  ASSERT_NE(naive, nullptr);
  fill(*naive, 5);
  naive->run();
  for (Isa isa : available_isas()) {
    for (int threads : {1, 2, 3, 5}) {
      const auto planned = testing::make_planned(graph, isa, threads, false);
      ASSERT_NE(planned.executor, nullptr);
      int found = 0;
      for (int i = 0; i < planned.executor->step_count(); ++i) {
        found += planned.executor->step_ops(i).size() > 1 ? 1 : 0;
      }
      EXPECT_EQ(found, fused);
      for (int run = 0; run < 2; ++run) {  // Nothing of the first run may show in the second.
        fill(*planned.executor, 5);
        planned.executor->run();
        for (TensorId id : graph.outputs) {
          const auto a = naive->tensor(id);
          const auto b = planned.executor->tensor(id);
          ASSERT_EQ(a.size(), b.size());
          ASSERT_EQ(0, std::memcmp(a.data(), b.data(), a.size()))
              << isa_name(isa) << ", " << threads << " threads";
        }
      }
    }
  }
}

class FusedSteps : public ::testing::TestWithParam<DataType> {};

TEST_P(FusedSteps, BlocksOfEveryShape) {
  for (uint32_t seed = 0; seed < 24; ++seed) {
    Builder b(GetParam(), seed);
    const bool large = seed % 3 == 0;  // Over kExpandedCacheBytes: with its expansion.
    const int32_t height = large ? b.pick(60, 90) : b.pick(1, 20);
    const int32_t width = large ? b.pick(120, 150) : b.pick(1, 40);
    const int32_t in = b.pick(1, 24);
    const int32_t wide = large ? b.pick(90, 120) : b.pick(1, 100);
    graph::Conv2D expand;
    expand.activation = graph::Activation::kRelu6;
    graph::DepthwiseConv2D depthwise;
    const int32_t stride = b.pick(1, 2);
    const int32_t dilation = stride == 1 ? b.pick(1, 3) : 1;
    depthwise.window = {seed % 5 == 4 && height > 7 && width > 7 ? Padding::kValid : Padding::kSame,
                        stride, stride, dilation, dilation};
    const auto x = b.picture(height, width, in);
    const auto deep = b.depthwise(depthwise, b.conv(expand, x, in, wide), wide);
    auto out = b.conv({}, deep, wide, in);
    if (stride == 1 && depthwise.window.padding == Padding::kSame && seed % 2 == 0) {
      out = seed % 4 == 0 ? b.add(out, x) : b.add(x, out);
    }
    SCOPED_TRACE(str_cat("seed ", seed, ": ", height, "x", width, "x", in, ", ", wide,
                         " wide, stride ", stride, ", dilation ", dilation));
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), 1));
  }
}

// Rows that a dilation keeps apart are run as pictures of their own.
TEST_P(FusedSteps, RowsADilationApart) {
  for (uint32_t seed = 0; seed < 8; ++seed) {
    Builder b(GetParam(), 500 + seed);
    const int32_t height = b.pick(9, 40);
    const int32_t width = b.pick(30, 50);
    const int32_t dilation = b.pick(2, seed % 4 == 0 ? 12 : 5);
    const int32_t in = b.pick(1, 9);
    // Over kExpandedCacheBytes: with its expansion.
    const auto bytes = static_cast<int32_t>(graph::size_of(GetParam()));
    const int32_t wide = 360000 * dilation / (height * width * bytes) + 1;
    graph::Conv2D expand;
    expand.activation = graph::Activation::kRelu6;
    graph::DepthwiseConv2D depthwise;
    const bool valid = seed % 4 == 1;
    depthwise.window = {valid ? Padding::kValid : Padding::kSame, 1, 1,
                        valid ? std::min(dilation, (height - 1) / 2) : dilation, b.pick(1, 4)};
    const auto x = b.picture(height, width, in);
    const auto deep = b.depthwise(depthwise, b.conv(expand, x, in, wide), wide);
    auto out = b.conv({}, deep, wide, in);
    if (!valid && seed % 2 == 0) out = b.add(x, out);
    SCOPED_TRACE(str_cat("seed ", seed, ": ", height, "x", width, "x", in, ", ", wide,
                         " wide, dilation ", depthwise.window.dilation_h));
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), 1));
  }
}

// The blocks of the page's own file: dilated, with a batch norm that the converter left between.
TEST(FusedSteps, BlocksWithConstantsPerChannel) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Builder b(DataType::kInt8, 300 + seed);
    const bool large = seed % 3 == 0;
    const int32_t height = large ? b.pick(60, 90) : b.pick(1, 20);
    const int32_t width = large ? b.pick(120, 150) : b.pick(1, 40);
    const int32_t in = b.pick(1, 24);
    const int32_t wide = large ? b.pick(90, 200) : b.pick(2, 100);
    graph::DepthwiseConv2D depthwise;
    const int32_t dilation = b.pick(1, 4);
    depthwise.window = {Padding::kSame, 1, 1, dilation, dilation};
    const auto x = b.picture(height, width, in);
    const auto expanded = b.conv({{}, graph::Activation::kRelu6}, x, in, wide);
    auto deep = b.depthwise(depthwise, expanded, wide);
    deep = b.channelwise(graph::Mul{}, deep, wide);
    if (seed % 4 != 3) {
      const bool sub = seed % 4 == 2;
      deep = sub ? b.channelwise(graph::Sub{graph::Activation::kRelu6, seed % 8 == 2}, deep, wide)
                 : b.channelwise(graph::Add{graph::Activation::kRelu6}, deep, wide);
    }
    auto out = b.conv({}, deep, wide, in);
    if (seed % 2 == 0) out = b.add(out, x);
    SCOPED_TRACE(str_cat("seed ", seed, ": ", height, "x", width, "x", in, ", ", wide,
                         " wide, dilation ", dilation));
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), 1));
  }
}

TEST(FusedSteps, ConstantsPerChannelWithoutABlock) {
  Builder b(DataType::kInt8, 400);
  const auto x = b.picture(9, 300, 21);
  auto y = b.channelwise(graph::Sub{graph::Activation::kNone, true}, x, 21);
  y = b.channelwise(graph::Mul{graph::Activation::kRelu}, y, 21);
  y = b.channelwise(graph::Add{}, y, 21);
  ASSERT_NO_FATAL_FAILURE(expect_same(b.build({y}), 1));  // Two together, one by itself.
}

// The first block of a MobileNet: a 3x3 convolution with stride 2 where others expand.
TEST_P(FusedSteps, TheStem) {
  for (uint32_t seed = 0; seed < 3; ++seed) {
    Builder b(GetParam(), 100 + seed);
    graph::Conv2D stem;
    stem.window = {Padding::kSame, 2, 2};
    stem.activation = graph::Activation::kRelu6;
    const int32_t side = 420 + b.pick(0, 3);
    const auto x = b.picture(side, side, 3);
    const auto out = b.conv({}, b.depthwise({}, b.conv(stem, x, 3, 16, 3), 16), 16, 8);
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, FusedSteps, ::testing::Values(DataType::kInt8, DataType::kFloat32),
                         [](const auto& type) {
                           return std::string(graph::type_name(type.param));
                         });

TEST(FusedPooledBranch, EveryOrder) {
  for (uint32_t seed = 0; seed < 24; ++seed) {
    Builder b(DataType::kInt8, 200 + seed);
    const int32_t height = b.pick(2, 12);
    const int32_t width = b.pick(2, 30);
    const int32_t channels = b.pick(1, 70);
    graph::AveragePool2D pool;
    pool.window.padding = Padding::kValid;
    pool.filter_h = height;
    pool.filter_w = width;
    const auto x = b.picture(height, width, channels);
    const graph::Quantization scale = b.activation();
    const auto picture = b.op(graph::Relu{}, {x}, DataType::kInt8, scale);
    auto branch = b.op(pool, {x}, DataType::kInt8, b.quantization_of(x));
    if (seed % 2 == 0) {
      branch = b.op(graph::ResizeBilinear{height, width, true, false}, {branch}, DataType::kInt8,
                    b.quantization_of(branch));
    } else {
      branch = b.op(graph::Tile{{1, height, width, 1}}, {branch}, DataType::kInt8,
                    b.quantization_of(branch));
    }
    if (seed % 3 != 0) branch = b.op(graph::Quantize{}, {branch}, DataType::kInt8, b.activation());
    const bool first = seed % 4 < 2;
    const auto joined = b.op(graph::Concatenation{3},
                             first ? std::vector{branch, picture} : std::vector{picture, branch},
                             DataType::kInt8, scale);
    const auto out = b.conv({}, joined, 2 * channels, b.pick(1, 70));
    SCOPED_TRACE(str_cat("seed ", seed));
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), 1));
  }
}

// A float sum has one order: only a pixel that comes first may be summed first.
TEST(FusedPooledBranch, FloatWithThePixelFirst) {
  for (uint32_t seed = 0; seed < 16; ++seed) {
    Builder b(DataType::kFloat32, 220 + seed);
    const int32_t height = b.pick(2, 12);
    const int32_t width = b.pick(2, 30);
    const int32_t channels = b.pick(1, 70);
    const auto x = b.picture(height, width, channels);
    const auto picture = b.op(graph::Relu{}, {x}, DataType::kFloat32);
    auto branch = b.op(graph::Mean{{1, 2}, true}, {x}, DataType::kFloat32);
    if (seed % 2 == 0) {
      branch =
          b.op(graph::ResizeBilinear{height, width, true, false}, {branch}, DataType::kFloat32);
    } else {
      branch = b.op(graph::Tile{{1, height, width, 1}}, {branch}, DataType::kFloat32);
    }
    const bool first = seed % 4 < 2;
    const auto joined = b.op(graph::Concatenation{3},
                             first ? std::vector{branch, picture} : std::vector{picture, branch},
                             DataType::kFloat32);
    const auto out = b.conv({}, joined, 2 * channels, b.pick(1, 70));
    SCOPED_TRACE(str_cat("seed ", seed));
    ASSERT_NO_FATAL_FAILURE(expect_same(b.build({out}), first ? 1 : 0));
  }
}

}  // namespace
}  // namespace deeplab::exec
