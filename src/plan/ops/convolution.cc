#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

/// Input and output have `type`, and the bias, if there is one, `bias_type`.
bool convolves(const OpLowering& from, DataType type, DataType filter_type, DataType bias_type) {
  const bool has_bias = from.inputs() > 2 && from.op().inputs[2] != graph::kNoTensor;
  return from.in(0).type == type && from.in(1).type == filter_type && from.out().type == type &&
         (!has_bias || from.in(2).type == bias_type);
}

struct DenseTypes {
  using Int8 = kernels::Conv2DInt8;
  using Float = kernels::Conv2DFloat;
  using Hybrid = kernels::Conv2DHybrid;
  using LoweredInt8 = LoweredConv2DInt8;
  using LoweredHybrid = LoweredConv2DHybrid;
};
struct DepthwiseTypes {
  using Int8 = kernels::DepthwiseConv2DInt8;
  using Float = kernels::DepthwiseConv2DFloat;
  using Hybrid = kernels::DepthwiseConv2DHybrid;
  using LoweredInt8 = LoweredDepthwiseConv2DInt8;
  using LoweredHybrid = LoweredDepthwiseConv2DHybrid;
};

/// Input scale * filter scale / output scale. TensorFlow Lite rounds the product to float32
/// for uint8 and, with one scale, in FULLY_CONNECTED; otherwise it keeps it in double.
Result<std::vector<kernels::Multiplier>> convolution_multipliers(const OpLowering& from,
                                                                 int32_t channels) {
  const graph::Quantization& filter = from.in(1).quantization;
  const float scale_in = from.in(0).quantization.scale();
  const double scale_out = from.out().quantization.scale();
  const bool rounded =
      from.from_uint8() || (std::holds_alternative<graph::FullyConnected>(from.op().attributes) &&
                            !filter.per_channel());
  std::vector<kernels::Multiplier> multipliers;
  multipliers.reserve(index(channels));
  for (int32_t c = 0; c < channels; ++c) {
    const float scale_filter = filter.per_channel() ? filter.scales[index(c)] : filter.scale();
    const double product =
        rounded ? double{scale_in * scale_filter} : double{scale_in} * scale_filter;
    DEEPLAB_ASSIGN_OR_RETURN(const auto factor, from.multiplier(product / scale_out));
    multipliers.push_back(factor);
  }
  return multipliers;
}

/// All but the shape, which is set.
Result<std::vector<kernels::Multiplier>> set_convolution(const OpLowering& from,
                                                         graph::Activation activation,
                                                         kernels::Conv2DInt8& conv) {
  conv.input_zero_point = from.in(0).quantization.zero_point();
  conv.filter_zero_point = from.in(1).quantization.zero_point();
  from.set_output(activation, conv);
  return convolution_multipliers(from, conv.shape.out_c);
}

template <typename Types>
Result<Lowered> convolution(const OpLowering& from, const graph::Window& window,
                            graph::Activation activation, typename Types::Int8 int8_conv,
                            typename Types::Float float_conv, typename Types::Hybrid hybrid_conv) {
  const graph::Shape& filter = from.in(1).shape;
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                           from.window_shape(window, filter[1], filter[2]));
  const auto set_float = [&](kernels::Conv2DFloat& conv) {
    conv.shape = shape;
    const auto [min, max] = activation_bounds(activation);
    conv.output_min = min;
    conv.output_max = max;
  };
  if (convolves(from, DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
    set_float(float_conv);
    return Lowered(float_conv);
  }
  if (convolves(from, DataType::kFloat32, DataType::kInt8, DataType::kFloat32)) {
    set_float(hybrid_conv);
    std::vector<float> scales = from.in(1).quantization.scales;
    hybrid_conv.one_scale = scales.size() == 1;
    scales.resize(index(shape.out_c), scales.front());
    return Lowered(typename Types::LoweredHybrid(hybrid_conv, std::move(scales)));
  }
  if (!convolves(from, DataType::kInt8, DataType::kInt8, DataType::kInt32)) return from.no_kernel();
  int8_conv.shape = shape;
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                           set_convolution(from, activation, int8_conv));
  return Lowered(typename Types::LoweredInt8(int8_conv, std::move(multipliers)));
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::Conv2D& a) {
  return convolution<DenseTypes>(from, a.window, a.activation, {}, {}, {});
}

Result<Lowered> lower(const OpLowering& from, const graph::DepthwiseConv2D& a) {
  kernels::DepthwiseConv2DInt8 int8_conv;
  kernels::DepthwiseConv2DFloat float_conv;
  kernels::DepthwiseConv2DHybrid hybrid_conv;
  int8_conv.depth_multiplier = a.depth_multiplier;
  float_conv.depth_multiplier = a.depth_multiplier;
  hybrid_conv.depth_multiplier = a.depth_multiplier;
  return convolution<DepthwiseTypes>(from, a.window, a.activation, int8_conv, float_conv,
                                     hybrid_conv);
}

Result<Lowered> lower(const OpLowering& from, const graph::TransposeConv& a) {
  const graph::Shape& x = from.in(0).shape;
  const graph::Shape& filter = from.in(1).shape;
  kernels::WindowShape shape;
  shape.batch = x[0];
  shape.in_h = x[1];
  shape.in_w = x[2];
  shape.in_c = x[3];
  shape.out_h = a.height;
  shape.out_w = a.width;
  shape.out_c = filter[0];
  shape.filter_h = filter[1];
  shape.filter_w = filter[2];
  shape.stride_h = a.stride_h;
  shape.stride_w = a.stride_w;
  shape.pad_top = a.pad_top;
  shape.pad_left = a.pad_left;
  if (convolves(from, DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::TransposeConvFloat{{shape, min, max}});
  }
  if (!convolves(from, DataType::kInt8, DataType::kInt8, DataType::kInt32)) return from.no_kernel();
  kernels::TransposeConvInt8 conv;
  conv.shape = shape;
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                           set_convolution(from, a.activation, conv));
  return Lowered(LoweredTransposeConvInt8(conv, std::move(multipliers)));
}

// A 1x1 convolution over a row of N pixels.
Result<Lowered> lower(const OpLowering& from, const graph::FullyConnected& a) {
  kernels::WindowShape shape;
  shape.in_h = shape.out_h = 1;
  shape.in_c = from.in(1).shape[1];
  shape.out_c = from.in(1).shape[0];
  shape.in_w = shape.out_w = static_cast<int32_t>(from.in(0).elements() / shape.in_c);
  if (convolves(from, DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::Conv2DFloat{shape, min, max});
  }
  if (!convolves(from, DataType::kInt8, DataType::kInt8, DataType::kInt32)) return from.no_kernel();
  kernels::Conv2DInt8 conv;
  conv.shape = shape;
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                           set_convolution(from, a.activation, conv));
  return Lowered(LoweredConv2DInt8(conv, std::move(multipliers)));
}

void run(const LoweredConv2DInt8& op, const ReferenceRun& to) {
  conv2d_reference(op.params, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1), to.int8_bias(),
                   to.out<int8_t>());
}
void run(const kernels::Conv2DFloat& op, const ReferenceRun& to) {
  conv2d_reference(op, to.rounding, to.in<float>(0), to.in<float>(1), to.float_bias(),
                   to.out<float>());
}
void run(const LoweredConv2DHybrid& op, const ReferenceRun& to) {
  conv2d_reference(op.params, to.rounding, to.in<float>(0), to.in<int8_t>(1), to.float_bias(),
                   to.out<float>());
}
void run(const LoweredDepthwiseConv2DInt8& op, const ReferenceRun& to) {
  depthwise_conv2d_reference(op.params, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1),
                             to.int8_bias(), to.out<int8_t>());
}
void run(const kernels::DepthwiseConv2DFloat& op, const ReferenceRun& to) {
  depthwise_conv2d_reference(op, to.rounding, to.in<float>(0), to.in<float>(1), to.float_bias(),
                             to.out<float>());
}
void run(const LoweredDepthwiseConv2DHybrid& op, const ReferenceRun& to) {
  depthwise_conv2d_reference(op.params, to.rounding, to.in<float>(0), to.in<int8_t>(1),
                             to.float_bias(), to.out<float>());
}
void run(const LoweredTransposeConvInt8& op, const ReferenceRun& to) {
  transpose_conv_reference(op.params, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1),
                           to.int8_bias(), to.out<int8_t>());
}
void run(const kernels::TransposeConvFloat& op, const ReferenceRun& to) {
  transpose_conv_reference(op, to.in<float>(0), to.in<float>(1), to.float_bias(), to.out<float>());
}

}  // namespace deeplab::plan
