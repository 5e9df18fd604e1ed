#include "plan/lower.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "passes/shift_uint8.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::plan {
namespace {

using graph::DataType;
using graph::Graph;
using testing::GraphBuilder;
using testing::per_tensor;

constexpr float kFloatMax = std::numeric_limits<float>::max();

/// Lowers the graph's last op, which must give parameters of this kind.
template <typename Params>
Params lower_last(const Graph& graph) {
  auto lowered = lower(graph, graph.ops.back());
  EXPECT_TRUE(lowered.ok() && std::holds_alternative<Params>(*lowered))
      << lowered.status().message();
  return std::get<Params>(std::move(*lowered));
}

Graph conv_graph(DataType type, graph::Conv2D attributes, float scale_in, float scale_filter,
                 float scale_out) {
  GraphBuilder b;
  const bool unsigned_type = type == DataType::kUInt8;
  const int32_t zero = unsigned_type ? 128 : 0;
  const auto x = b.input(type, {2, 9, 7, 3}, per_tensor(scale_in, zero + 2));
  const auto filter =
      unsigned_type
          ? b.constant(type, {4, 3, 3, 3}, uint8_t{1}, per_tensor(scale_filter, 3))
          : b.constant(type, {4, 3, 3, 3}, int8_t{1}, testing::per_channel(4, scale_filter, 0));
  const auto y =
      b.op(attributes, {x, filter, graph::kNoTensor}, type, per_tensor(scale_out, zero - 28));
  return b.build({y});
}

TEST(Lower, ConvolutionGeometryAndQuantization) {
  graph::Conv2D attributes;
  attributes.window = {graph::Padding::kSame, 2, 2};
  attributes.activation = graph::Activation::kRelu6;
  const Graph graph = conv_graph(DataType::kInt8, attributes, 0.5f, 0.25f, 0.125f);
  const LoweredConv2DInt8 conv = lower_last<LoweredConv2DInt8>(graph);
  const kernels::WindowShape& s = conv.params.shape;
  EXPECT_EQ(s.batch, 2);
  EXPECT_EQ(s.in_h, 9);
  EXPECT_EQ(s.in_w, 7);
  EXPECT_EQ(s.in_c, 3);
  EXPECT_EQ(s.out_h, 5);
  EXPECT_EQ(s.out_w, 4);
  EXPECT_EQ(s.out_c, 4);
  EXPECT_EQ(s.pad_top, 1);
  EXPECT_EQ(s.pad_left, 1);
  EXPECT_EQ(conv.params.input_zero_point, 2);
  EXPECT_EQ(conv.params.filter_zero_point, 0);
  EXPECT_EQ(conv.params.output_zero_point, -28);
  EXPECT_EQ(conv.params.output_min, -28);       // real 0
  EXPECT_EQ(conv.params.output_max, -28 + 48);  // real 6 in steps of 1/8
  ASSERT_EQ(conv.array.size(), 4u);
  EXPECT_EQ(conv.params.multipliers, conv.array.data());
  EXPECT_EQ(conv.array[3].scale, 1.0f);
}

TEST(Lower, MovingKeepsThePointer) {
  const Graph graph = conv_graph(DataType::kInt8, {}, 0.5f, 0.25f, 0.125f);
  auto lowered = lower(graph, graph.ops.back());
  ASSERT_TRUE(lowered.ok());
  const Lowered moved = std::move(*lowered);
  const auto& conv = std::get<LoweredConv2DInt8>(moved);
  EXPECT_EQ(conv.params.multipliers, conv.array.data());
  static_assert(!std::is_copy_constructible_v<LoweredConv2DInt8>);
}

TEST(Lower, TheProductOfScalesIsFloatForUInt8AndDoubleForInt8) {
  const float in = 0.1f, filter = 0.3f, out = 0.7f;
  const double wide = static_cast<double>(in) * filter / out;
  const double narrow = static_cast<double>(in * filter) / out;
  ASSERT_NE(kernels::make_multiplier(wide).mantissa, kernels::make_multiplier(narrow).mantissa);
  const Graph int8_graph = conv_graph(DataType::kInt8, {}, in, filter, out);
  EXPECT_EQ(lower_last<LoweredConv2DInt8>(int8_graph).array[0].mantissa,
            kernels::make_multiplier(wide).mantissa);
  Graph uint8_graph = conv_graph(DataType::kUInt8, {}, in, filter, out);
  ASSERT_TRUE(passes::shift_uint8(uint8_graph).ok());
  const auto conv = lower_last<LoweredConv2DInt8>(uint8_graph);
  EXPECT_EQ(conv.array[0].mantissa, kernels::make_multiplier(narrow).mantissa);
  EXPECT_EQ(conv.params.filter_zero_point, 3 - 128);
}

TEST(Lower, ActivationBoundsRoundHalfAwayAndStayInRange) {
  const auto bounds = [](graph::Activation activation, float scale, int32_t zero_point) {
    GraphBuilder b;
    const auto x = b.input(DataType::kInt8, {4}, per_tensor(1, 0));
    const auto y =
        b.op(graph::Add{activation}, {x, x}, DataType::kInt8, per_tensor(scale, zero_point));
    const auto add = lower_last<kernels::AddInt8>(b.build({y}));
    return std::pair(add.output_min, add.output_max);
  };
  using graph::Activation;
  EXPECT_EQ(bounds(Activation::kNone, 0.1f, 5), std::pair(-128, 127));
  EXPECT_EQ(bounds(Activation::kRelu, 0.1f, 5), std::pair(5, 127));
  EXPECT_EQ(bounds(Activation::kRelu6, 0.1f, 5), std::pair(5, 65));
  EXPECT_EQ(bounds(Activation::kRelu6, 4.0f, -128), std::pair(-128, -126));  // 1.5 to 2
  EXPECT_EQ(bounds(Activation::kRelu6, 1e-6f, -128), std::pair(-128, 127));
  EXPECT_EQ(bounds(Activation::kReluN1To1, 2.0f, 10), std::pair(9, 11));  // 0.5 to 1, both ways
}

TEST(Lower, AddUsesTheLargerScaleTwice) {
  GraphBuilder b;
  const auto x = b.input(DataType::kInt8, {2, 3, 4}, per_tensor(0.5f, 1));
  const auto y = b.input(DataType::kInt8, {4}, per_tensor(0.25f, 2));
  const auto z = b.op(graph::Add{}, {x, y}, DataType::kInt8, per_tensor(2.0f, 3));
  const auto add = lower_last<kernels::AddInt8>(b.build({z}));
  EXPECT_EQ(add.a_scale, 0.25f);
  EXPECT_EQ(add.b_scale, 0.125f);
  EXPECT_EQ(add.a_multiplier.scale, 0.5f);
  EXPECT_EQ(add.b_multiplier.scale, 0.25f);
  EXPECT_EQ(add.output_multiplier.scale, 0.5f / (1 << 20));
  EXPECT_EQ(add.a_zero_point, 1);
  EXPECT_EQ(add.b_zero_point, 2);
  EXPECT_EQ(add.output_zero_point, 3);
  // [2, 3] of a share one row of b.
  EXPECT_EQ(add.shape.dims.rank, 2);
  EXPECT_EQ(add.shape.dims.extent[0], 6);
  EXPECT_EQ(add.shape.b_strides[0], 0);
  EXPECT_EQ(add.shape.dims.extent[1], 4);
  EXPECT_EQ(add.shape.b_strides[1], 1);
}

TEST(Lower, AddShapesAreJoined) {
  const auto shape = [](graph::Shape a, graph::Shape b_shape) {
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, std::move(a));
    const auto y = b.input(DataType::kFloat32, std::move(b_shape));
    const auto z = b.op(graph::Add{}, {x, y}, DataType::kFloat32);
    return lower_last<kernels::AddFloat>(b.build({z})).shape;
  };
  EXPECT_TRUE(shape({1, 5, 5, 8}, {1, 5, 5, 8}).elementwise());
  EXPECT_TRUE(shape({}, {}).elementwise());
  EXPECT_FALSE(shape({4}, {}).elementwise());
  EXPECT_EQ(shape({4}, {}).b_strides[0], 0);
  const kernels::BroadcastShape mixed = shape({2, 3, 4, 5}, {2, 1, 1, 5});
  EXPECT_EQ(mixed.dims.rank, 3);
  EXPECT_EQ(mixed.b_strides[0], 5);
  EXPECT_EQ(mixed.dims.extent[1], 12);
  EXPECT_EQ(mixed.b_strides[1], 0);
  EXPECT_EQ(mixed.b_strides[2], 1);
}

TEST(Lower, SmallOnes) {
  GraphBuilder b;
  const auto q = per_tensor(0.5f, 7);
  const auto x = b.input(DataType::kInt8, {1, 4, 6, 2}, q);
  auto last = [&](graph::Attributes attributes, DataType type, graph::Quantization quantization) {
    return b.build({b.op(std::move(attributes), {x}, type, std::move(quantization))});
  };
  EXPECT_EQ(lower_last<kernels::Pad>(
                last(graph::Pad{{{0, 0}, {1, 2}, {0, 0}, {0, 0}}}, DataType::kInt8, q))
                .fill[0],
            std::byte{7});
  EXPECT_EQ(lower_last<LoweredCopy>(last(graph::Reshape{{2, -1}}, DataType::kInt8, q)).bytes, 48u);
  const auto arg_max = lower_last<LoweredArgMax>(last(graph::ArgMax{2}, DataType::kInt32, {}));
  EXPECT_EQ(arg_max.params.outer, 4);
  EXPECT_EQ(arg_max.params.axis, 6);
  EXPECT_EQ(arg_max.params.inner, 2);
  EXPECT_FALSE(arg_max.int64_output);
  EXPECT_FALSE(arg_max.float_input);
  const auto s2b = lower_last<kernels::SpaceToBatchNd>(
      last(graph::SpaceToBatchNd{2, 3, {1, 1}, {0, 0}}, DataType::kInt8, q));
  EXPECT_EQ(s2b.out_h, 3);
  EXPECT_EQ(s2b.out_w, 2);
  EXPECT_EQ(s2b.pixel_bytes, 2);
  EXPECT_EQ(s2b.pad_top, 1);
  EXPECT_EQ(lower_last<kernels::RequantizeInt8>(
                last(graph::Quantize{}, DataType::kInt8, per_tensor(0.25f, 0)))
                .multiplier.scale,
            2.0f);
  EXPECT_EQ(lower_last<kernels::DequantizeInt8>(last(graph::Dequantize{}, DataType::kFloat32, {}))
                .zero_point,
            7);
  const auto mean = lower_last<kernels::MeanInt8>(
      last(graph::Mean{{1, 2}, true}, DataType::kInt8, per_tensor(1.0f, 1)));
  EXPECT_EQ(mean.shape.count(), 24);
  EXPECT_FLOAT_EQ(mean.multiplier.scale, 0.5f / 24);
  const auto relu6 =
      lower_last<kernels::ReluInt8>(last(graph::Relu6{}, DataType::kInt8, per_tensor(0.5f, -3)));
  EXPECT_EQ(relu6.output_min, -3);
  EXPECT_EQ(relu6.output_max, 9);
}

TEST(Lower, FloatWithoutActivationIsBoundedByTheTypeOnly) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 4, 4, 2});
  const auto y = b.op(graph::AveragePool2D{{}, 2, 2, {}}, {x}, DataType::kFloat32);
  const auto pool = lower_last<kernels::AveragePool2DFloat>(b.build({y}));
  EXPECT_EQ(pool.output_min, -kFloatMax);
  EXPECT_EQ(pool.output_max, kFloatMax);
}

TEST(Lower, EveryOpOfASmallNetworkOfEveryType) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8, DataType::kUInt8}) {
    Graph graph = testing::small_deeplab(type);
    ASSERT_TRUE(passes::shift_uint8(graph).ok());
    for (const graph::Op& op : graph.ops) {
      const auto lowered = lower(graph, op);
      EXPECT_TRUE(lowered.ok()) << lowered.status().message();
    }
  }
}

TEST(Lower, ErrorsNameTheOp) {
  const auto error = [](const Graph& graph) {
    const auto lowered = lower(graph, graph.ops.back());
    EXPECT_FALSE(lowered.ok());
    EXPECT_EQ(lowered.status().code(), StatusCode::kUnsupported);
    return lowered.status().message();
  };
  {  // uint8 has to be shifted first
    const std::string message = error(conv_graph(DataType::kUInt8, {}, 1, 1, 1));
    EXPECT_NE(message.find("op 0 (CONV_2D)"), std::string::npos) << message;
    EXPECT_NE(message.find("uint8"), std::string::npos) << message;
  }
  {  // a factor that no multiplier holds
    const std::string message = error(conv_graph(DataType::kInt8, {}, 1e20f, 1e10f, 1e-5f));
    EXPECT_NE(message.find("op 0 (CONV_2D)"), std::string::npos) << message;
  }
  {  // too many dimensions
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, graph::Shape(9, 1));
    const auto y = b.op(graph::Tile{std::vector<int32_t>(9, 2)}, {x}, DataType::kFloat32);
    const std::string message = error(b.build({y}));
    EXPECT_NE(message.find("op 0 (TILE)"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace deeplab::plan
