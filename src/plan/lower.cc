#include "plan/lower.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace deeplab::plan {
namespace {

using graph::DataType;
using graph::Tensor;

size_t index(int32_t i) { return static_cast<size_t>(i); }

template <typename T>
struct Bounds {
  T min, max;
};

constexpr float kFloatMax = std::numeric_limits<float>::max();

/// The interval of an activation, in numbers that a float can be clamped to.
Bounds<float> activation_bounds(graph::Activation activation) {
  const graph::Interval real = graph::interval(activation);
  return {std::max(real.min, -kFloatMax), std::min(real.max, kFloatMax)};
}

/// The same in stored values: TensorFlow Lite rounds bound / scale half away from zero.
Bounds<int32_t> quantized_bounds(graph::Activation activation, const Tensor& output) {
  const Bounds<float> real = activation_bounds(activation);
  const auto quantize = [&](float bound, int32_t otherwise) {
    if (std::abs(bound) == kFloatMax) return otherwise;
    const float steps = std::round(bound / output.quantization.scale());
    const float value = steps + static_cast<float>(output.quantization.zero_point());
    return static_cast<int32_t>(std::clamp(value, -128.0f, 127.0f));
  };
  return {quantize(real.min, -128), quantize(real.max, 127)};
}

/// From the shapes of a picture and of what a sliding window makes of it.
Result<kernels::WindowShape> window_shape(const graph::Shape& x, const graph::Shape& y,
                                          const graph::Window& w, int32_t filter_h,
                                          int32_t filter_w) {
  DEEPLAB_ASSIGN_OR_RETURN(const graph::WindowExtent rows,
                           graph::window_extent(w.padding, x[1], filter_h, w.stride_h, w.dilation_h,
                                                w.pad_top, w.pad_bottom));
  DEEPLAB_ASSIGN_OR_RETURN(const graph::WindowExtent columns,
                           graph::window_extent(w.padding, x[2], filter_w, w.stride_w, w.dilation_w,
                                                w.pad_left, w.pad_right));
  kernels::WindowShape shape;
  shape.batch = x[0];
  shape.in_h = x[1];
  shape.in_w = x[2];
  shape.in_c = x[3];
  shape.out_h = rows.out;
  shape.out_w = columns.out;
  shape.out_c = y[3];
  shape.filter_h = filter_h;
  shape.filter_w = filter_w;
  shape.stride_h = w.stride_h;
  shape.stride_w = w.stride_w;
  shape.dilation_h = w.dilation_h;
  shape.dilation_w = w.dilation_w;
  shape.pad_top = rows.pad_before;
  shape.pad_left = columns.pad_before;
  return shape;
}

kernels::NumberType number_type(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kFloat32:
      return kernels::NumberType::kFloat32;
    case DataType::kUInt8:
      return kernels::NumberType::kUInt8;
    case DataType::kInt8:
      break;
    case DataType::kInt32:
      return kernels::NumberType::kInt32;
    case DataType::kInt64:
      return kernels::NumberType::kInt64;
  }
  return tensor.file_type == DataType::kUInt8 ? kernels::NumberType::kUInt8
                                              : kernels::NumberType::kInt8;
}

/// Lowers one op; one call operator for each kind.
class Lowering {
 public:
  Lowering(const graph::Graph& graph, const graph::Op& op) : graph_(graph), op_(op) {}

  Result<Lowered> operator()(const graph::Conv2D& a) const {
    return convolution<DenseTypes>(a.window, a.activation, {}, {}, {});
  }

  Result<Lowered> operator()(const graph::DepthwiseConv2D& a) const {
    kernels::DepthwiseConv2DInt8 int8_conv;
    kernels::DepthwiseConv2DFloat float_conv;
    kernels::DepthwiseConv2DHybrid hybrid_conv;
    int8_conv.depth_multiplier = a.depth_multiplier;
    float_conv.depth_multiplier = a.depth_multiplier;
    hybrid_conv.depth_multiplier = a.depth_multiplier;
    return convolution<DepthwiseTypes>(a.window, a.activation, int8_conv, float_conv, hybrid_conv);
  }

  Result<Lowered> operator()(const graph::TransposeConv& a) const {
    const graph::Shape& x = in(0).shape;
    const graph::Shape& filter = in(1).shape;
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
    if (convolves(DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::TransposeConvFloat{{shape, min, max}});
    }
    if (!convolves(DataType::kInt8, DataType::kInt8, DataType::kInt32)) return no_kernel();
    kernels::TransposeConvInt8 conv;
    conv.shape = shape;
    DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                             set_convolution(a.activation, conv));
    return Lowered(LoweredTransposeConvInt8(conv, std::move(multipliers)));
  }

  // A 1x1 convolution over a row of N pixels.
  Result<Lowered> operator()(const graph::FullyConnected& a) const {
    kernels::WindowShape shape;
    shape.in_h = shape.out_h = 1;
    shape.in_c = in(1).shape[1];
    shape.out_c = in(1).shape[0];
    shape.in_w = shape.out_w = static_cast<int32_t>(in(0).elements() / shape.in_c);
    if (convolves(DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::Conv2DFloat{shape, min, max});
    }
    if (!convolves(DataType::kInt8, DataType::kInt8, DataType::kInt32)) return no_kernel();
    kernels::Conv2DInt8 conv;
    conv.shape = shape;
    DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                             set_convolution(a.activation, conv));
    return Lowered(LoweredConv2DInt8(conv, std::move(multipliers)));
  }

  Result<Lowered> operator()(const graph::Prelu&) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, broadcast());
    if (all(DataType::kFloat32)) return Lowered(kernels::PreluFloat{shape});
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    kernels::PreluInt8 prelu;
    prelu.shape = shape;
    prelu.input_zero_point = in(0).quantization.zero_point();
    prelu.alpha_zero_point = in(1).quantization.zero_point();
    // float32 products and quotients, as TensorFlow Lite has them here.
    const float scale = in(0).quantization.scale();
    const float scale_out = out().quantization.scale();
    DEEPLAB_ASSIGN_OR_RETURN(prelu.identity, multiplier(scale / scale_out));
    DEEPLAB_ASSIGN_OR_RETURN(prelu.product,
                             multiplier(scale * in(1).quantization.scale() / scale_out));
    prelu.output_zero_point = out().quantization.zero_point();
    return Lowered(prelu);
  }

  Result<Lowered> operator()(const graph::Unary& a) const {
    const int64_t count = out().elements();
    static_assert(static_cast<int>(kernels::UnaryKind::kLog) + 1 == graph::kUnaryFunctions,
                  "the same functions in the same order");
    const auto kind = static_cast<kernels::UnaryKind>(a.function);
    if (all(DataType::kFloat32)) return Lowered(kernels::UnaryFloat{count, kind, a.alpha});
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    const graph::Quantization& x = in(0).quantization;
    const graph::Quantization& y = out().quantization;
    return Lowered(kernels::UnaryInt8{
        count, kernels::unary_table(kind, a.alpha,
                                    {x.scale(), x.zero_point(), y.scale(), y.zero_point()})});
  }

  Result<Lowered> operator()(const graph::Add& a) const { return sum(a.activation, 1, 1); }
  Result<Lowered> operator()(const graph::Sub& a) const {
    return a.reversed ? sum(a.activation, -1, 1) : sum(a.activation, 1, -1);
  }

  Result<Lowered> operator()(const graph::Mul& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, broadcast());
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::MulFloat{shape, min, max});
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    kernels::MulInt8 mul;
    mul.shape = shape;
    mul.a_zero_point = in(0).quantization.zero_point();
    mul.b_zero_point = in(1).quantization.zero_point();
    // float32 products and quotients, as TensorFlow Lite has them here.
    DEEPLAB_ASSIGN_OR_RETURN(mul.multiplier,
                             multiplier(in(0).quantization.scale() * in(1).quantization.scale() /
                                        out().quantization.scale()));
    set_output(a.activation, mul);
    return Lowered(mul);
  }

  Result<Lowered> operator()(const graph::Binary& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, broadcast());
    static_assert(static_cast<int>(kernels::BinaryKind::kDiv) + 1 == graph::kBinaryFunctions,
                  "the same functions in the same order");
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::BinaryFloat{shape, static_cast<kernels::BinaryKind>(a.function),
                                          a.reversed, min, max});
    }
    const bool largest = a.function == graph::BinaryFunction::kMaximum;
    if (!largest && a.function != graph::BinaryFunction::kMinimum) return no_kernel();
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    return Lowered(kernels::ExtremeInt8{shape, largest});
  }

  /// a_sign * a + b_sign * b
  Result<Lowered> sum(graph::Activation activation, float a_sign, float b_sign) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, broadcast());
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(activation);
      return Lowered(kernels::AddFloat{shape, a_sign, b_sign, min, max});
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    kernels::AddInt8 add;
    add.shape = shape;
    add.a_zero_point = in(0).quantization.zero_point();
    add.b_zero_point = in(1).quantization.zero_point();
    const double scale_a = in(0).quantization.scale();
    const double scale_b = in(1).quantization.scale();
    const double scale_out = out().quantization.scale();
    DEEPLAB_ASSIGN_OR_RETURN(const auto a_factor, multiplier(scale_a / scale_out));
    DEEPLAB_ASSIGN_OR_RETURN(const auto b_factor, multiplier(scale_b / scale_out));
    add.a_scale = a_sign * a_factor.scale;
    add.b_scale = b_sign * b_factor.scale;
    const double common = 2 * std::max(scale_a, scale_b);
    DEEPLAB_ASSIGN_OR_RETURN(add.a_multiplier, multiplier(scale_a / common));
    DEEPLAB_ASSIGN_OR_RETURN(add.b_multiplier, multiplier(scale_b / common));
    DEEPLAB_ASSIGN_OR_RETURN(add.output_multiplier,
                             multiplier(common / ((1 << kernels::kTfLiteAddShift) * scale_out)));
    set_output(activation, add);
    return Lowered(add);
  }

  Result<Lowered> operator()(const graph::AveragePool2D& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                             window_shape(a.window, a.filter_h, a.filter_w));
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::AveragePool2DFloat{shape, min, max});
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    const auto [min, max] = quantized_bounds(a.activation, out());
    return Lowered(
        kernels::AveragePool2DInt8{shape, out().quantization.zero_point(), min, max, from_uint8()});
  }

  Result<Lowered> operator()(const graph::MaxPool2D& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                             window_shape(a.window, a.filter_h, a.filter_w));
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(kernels::MaxPool2DFloat{shape, min, max});
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    const auto [min, max] = quantized_bounds(a.activation, out());
    return Lowered(kernels::MaxPool2DInt8{shape, min, max});
  }

  Result<Lowered> operator()(const graph::Mean& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::Reduction shape, reduction(a.axes));
    if (all(DataType::kFloat32)) return Lowered(kernels::MeanFloat{shape});
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    const double ratio = double{in(0).quantization.scale()} / out().quantization.scale();
    DEEPLAB_RETURN_IF_ERROR(multiplier(ratio).status());
    return Lowered(kernels::MeanInt8{shape, in(0).quantization.zero_point(),
                                     kernels::make_mean_multiplier(ratio, shape.count()),
                                     out().quantization.zero_point()});
  }

  Result<Lowered> operator()(const graph::Reduce& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::Reduction shape, reduction(a.axes));
    const bool sum = a.function == graph::ReduceFunction::kSum;
    if (all(DataType::kFloat32)) {
      return sum ? Lowered(kernels::SumFloat{shape}) : Lowered(kernels::ReduceMaxFloat{shape});
    }
    if (sum) return no_kernel();
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    return Lowered(kernels::ReduceMaxInt8{shape});
  }

  Result<Lowered> operator()(const graph::ResizeBilinear& a) const {
    const kernels::ResizeShape shape = resize_shape(a);
    if (all(DataType::kFloat32)) return Lowered(kernels::ResizeBilinearFloat{shape});
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    return Lowered(kernels::ResizeBilinearInt8{shape, from_uint8()});
  }

  Result<Lowered> operator()(const graph::ResizeNearestNeighbor& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    return Lowered(kernels::ResizeNearestNeighbor{resize_shape(a), element_size()});
  }

  Result<Lowered> operator()(const graph::Concatenation& a) const {
    int64_t outer = 1;
    for (int32_t d = 0; d < a.axis; ++d) outer *= in(0).shape[index(d)];
    const auto count = static_cast<int32_t>(op_.inputs.size());
    if (all(DataType::kFloat32)) {
      std::vector<int64_t> inners;
      for (int32_t k = 0; k < count; ++k) inners.push_back(in(k).elements() / outer);
      const auto [min, max] = activation_bounds(a.activation);
      return Lowered(LoweredConcatenationFloat(
          kernels::ConcatenationFloat{outer, nullptr, count, min, max}, std::move(inners)));
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    kernels::ConcatenationInt8 concatenation;
    concatenation.outer = outer;
    concatenation.count = count;
    concatenation.from_uint8 = from_uint8();
    set_output(a.activation, concatenation);
    const float inverse_output_scale = 1.0f / out().quantization.scale();
    std::vector<kernels::ConcatenationInt8Input> inputs;
    for (int32_t k = 0; k < count; ++k) {
      const graph::Quantization& q = in(k).quantization;
      const float scale = q.scale() * inverse_output_scale;
      DEEPLAB_RETURN_IF_ERROR(multiplier(scale).status());
      inputs.push_back({in(k).elements() / outer, q.zero_point(), scale, q == out().quantization});
    }
    return Lowered(LoweredConcatenationInt8(concatenation, std::move(inputs)));
  }

  Result<Lowered> operator()(const graph::Tile& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::Tile tile;
    DEEPLAB_ASSIGN_OR_RETURN(tile.dims, dims(in(0).shape));
    std::copy(a.multiples.begin(), a.multiples.end(), tile.multiples.begin());
    tile.element_size = element_size();
    return Lowered(tile);
  }

  Result<Lowered> operator()(const graph::Pad& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::Pad pad;
    DEEPLAB_ASSIGN_OR_RETURN(pad.dims, dims(in(0).shape));
    for (size_t i = 0; i < a.amounts.size(); ++i) {
      pad.before[i] = a.amounts[i][0];
      pad.after[i] = a.amounts[i][1];
    }
    pad.element_size = element_size();
    if (out().type == DataType::kFloat32) {
      std::memcpy(pad.fill.data(), &a.value, sizeof a.value);
    } else if (out().type == DataType::kInt8) {
      pad.fill[0] = stored_byte(a.value);
    }
    return Lowered(pad);
  }

  Result<Lowered> operator()(const graph::MirrorPad& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::MirrorPad pad;
    DEEPLAB_ASSIGN_OR_RETURN(pad.dims, dims(in(0).shape));
    for (size_t i = 0; i < a.amounts.size(); ++i) {
      pad.before[i] = a.amounts[i][0];
      pad.after[i] = a.amounts[i][1];
    }
    pad.symmetric = a.symmetric;
    pad.element_size = element_size();
    return Lowered(pad);
  }

  Result<Lowered> operator()(const graph::Slice& a) const {
    graph::Shape strides = dense_strides(in(0).shape);
    int64_t offset = 0;
    for (size_t d = 0; d < strides.size(); ++d) {
      offset += int64_t{a.begin[d]} * strides[d];
      strides[d] *= a.step[d];
    }
    return strided_copy(a.size, strides, offset);
  }

  Result<Lowered> operator()(const graph::Transpose& a) const {
    const graph::Shape from = dense_strides(in(0).shape);
    graph::Shape strides;
    for (int32_t d : a.permutation) strides.push_back(from[index(d)]);
    return strided_copy(out().shape, strides, 0);
  }

  // Output [n, y, by, x, bx, c] is input [n, y, x, by, bx, c].
  Result<Lowered> operator()(const graph::DepthToSpace& a) const {
    const graph::Shape& x = in(0).shape;
    const int32_t c = out().shape[3];
    const graph::Shape s = dense_strides({x[0], x[1], x[2], a.block, a.block, c});
    return strided_copy({x[0], x[1], a.block, x[2], a.block, c},
                        {s[0], s[1], s[3], s[2], s[4], s[5]}, 0);
  }

  // Output [n, y, x, by, bx, c] is input [n, y, by, x, bx, c].
  Result<Lowered> operator()(const graph::SpaceToDepth& a) const {
    const graph::Shape& y = out().shape;
    const int32_t c = in(0).shape[3];
    const graph::Shape s = dense_strides({y[0], y[1], a.block, y[2], a.block, c});
    return strided_copy({y[0], y[1], y[2], a.block, a.block, c},
                        {s[0], s[1], s[3], s[2], s[4], s[5]}, 0);
  }

  Result<Lowered> operator()(const graph::Cast&) const {
    return Lowered(kernels::Cast{out().elements(), number_type(in(0)), number_type(out())});
  }

  Result<Lowered> operator()(const graph::Quantize&) const {
    if (out().type != DataType::kInt8) return no_kernel();
    const int64_t count = out().elements();
    const float scale = out().quantization.scale();
    const int32_t zero_point = out().quantization.zero_point();
    if (in(0).type == DataType::kFloat32) {
      return Lowered(kernels::QuantizeFloat{count, scale, 1.0f / scale, zero_point});
    }
    if (in(0).type != DataType::kInt8) return no_kernel();
    DEEPLAB_ASSIGN_OR_RETURN(const auto factor,
                             multiplier(double{in(0).quantization.scale()} / scale));
    return Lowered(
        kernels::RequantizeInt8{count, in(0).quantization.zero_point(), factor, zero_point});
  }

  Result<Lowered> operator()(const graph::Dequantize&) const {
    if (in(0).type != DataType::kInt8 || out().type != DataType::kFloat32) return no_kernel();
    return Lowered(kernels::DequantizeInt8{out().elements(), in(0).quantization.scale(),
                                           in(0).quantization.zero_point()});
  }

  Result<Lowered> operator()(const graph::ArgMax& a) const {
    const DataType from = in(0).type;
    const DataType to = out().type;
    if ((from != DataType::kInt8 && from != DataType::kFloat32) ||
        (to != DataType::kInt32 && to != DataType::kInt64)) {
      return no_kernel();
    }
    kernels::ArgMax arg_max;
    arg_max.axis = in(0).shape[index(a.axis)];
    for (size_t d = 0; d < in(0).shape.size(); ++d) {
      if (d < index(a.axis)) arg_max.outer *= in(0).shape[d];
      if (d > index(a.axis)) arg_max.inner *= in(0).shape[d];
    }
    return Lowered(LoweredArgMax{arg_max, from == DataType::kFloat32, to == DataType::kInt64});
  }

  Result<Lowered> operator()(const graph::Softmax& a) const {
    const int32_t depth = in(0).shape.back();
    const int64_t outer = in(0).elements() / depth;
    if (all(DataType::kFloat32)) return Lowered(kernels::SoftmaxFloat{outer, depth, a.beta});
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    const float scale = a.beta * in(0).quantization.scale();
    DEEPLAB_RETURN_IF_ERROR(multiplier(scale).status());
    return Lowered(kernels::SoftmaxInt8{
        outer, depth, scale, kernels::make_softmax_multiplier(a.beta, in(0).quantization.scale())});
  }

  Result<Lowered> operator()(const graph::Relu&) const { return relu(graph::Activation::kRelu); }
  Result<Lowered> operator()(const graph::Relu6&) const { return relu(graph::Activation::kRelu6); }

  Result<Lowered> operator()(const graph::Reshape&) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    return Lowered(LoweredCopy{out().byte_size()});
  }

  Result<Lowered> operator()(const graph::SpaceToBatchNd& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::SpaceToBatchNd op;
    set_block(a.block_h, a.block_w, op);
    op.batch = in(0).shape[0];
    op.pad_top = a.pad_h[0];
    op.pad_left = a.pad_w[0];
    op.fill = zero_byte();
    return Lowered(op);
  }

  Result<Lowered> operator()(const graph::BatchToSpaceNd& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::BatchToSpaceNd op;
    set_block(a.block_h, a.block_w, op);
    op.batch = out().shape[0];
    op.crop_top = a.crop_h[0];
    op.crop_left = a.crop_w[0];
    return Lowered(op);
  }

 private:
  const Tensor& in(int32_t k) const { return graph_.tensor(op_.inputs[index(k)]); }
  const Tensor& out() const { return graph_.tensor(op_.output()); }
  bool from_uint8() const { return in(0).file_type == DataType::kUInt8; }
  int32_t element_size() const { return static_cast<int32_t>(graph::size_of(out().type)); }
  /// Every byte of a stored real zero.
  std::byte zero_byte() const {
    return out().type == DataType::kInt8 ? stored_byte(0) : std::byte{0};
  }
  /// `value` as the int8 output stores it.
  std::byte stored_byte(float value) const {
    const graph::Quantization& q = out().quantization;
    const float stored = std::round(value / q.scale()) + static_cast<float>(q.zero_point());
    return static_cast<std::byte>(static_cast<int8_t>(std::clamp(stored, -128.0f, 127.0f)));
  }

  static graph::Shape dense_strides(const graph::Shape& shape) {
    graph::Shape strides(shape.size());
    int32_t stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      strides[d] = stride;
      stride *= shape[d];
    }
    return strides;
  }
  Result<Lowered> strided_copy(const graph::Shape& shape, const graph::Shape& strides,
                               int64_t offset) const {
    DEEPLAB_RETURN_IF_ERROR(expect_moved());
    kernels::StridedCopy copy;
    DEEPLAB_ASSIGN_OR_RETURN(copy.dims, dims(shape));
    std::copy(strides.begin(), strides.end(), copy.strides.begin());
    copy.offset = offset;
    copy.element_size = element_size();
    return Lowered(kernels::simplify(copy));
  }

  /// All inputs and the output are of this type, and quantized if it is int8.
  bool all(DataType type) const {
    const auto matches = [&](const Tensor& tensor) {
      return tensor.type == type && (type != DataType::kInt8 || tensor.quantization.present());
    };
    for (size_t k = 0; k < op_.inputs.size(); ++k) {
      if (!matches(in(static_cast<int32_t>(k)))) return false;
    }
    return matches(out());
  }
  Status no_kernel() const {
    return unsupported(graph::op_label(op_), ": no kernel takes ", graph::type_name(in(0).type),
                       " and gives ", graph::type_name(out().type));
  }
  Status expect_all(DataType type) const { return all(type) ? Status() : no_kernel(); }
  /// Values are only moved: any type, input and output alike.
  Status expect_moved() const { return in(0).type == out().type ? Status() : no_kernel(); }

  Result<kernels::Multiplier> multiplier(double factor) const {
    if (factor > 0 && factor < 2147483648.0) return kernels::make_multiplier(factor);
    return unsupported(graph::op_label(op_), ": the scales of its tensors give a factor of ",
                       factor, ", expected one above 0 and below 2^31");
  }

  Result<kernels::Dims> dims(const graph::Shape& shape) const {
    if (shape.size() > kernels::kMaxRank) {
      return unsupported(graph::op_label(op_), ": ", shape.size(), " dimensions, at most ",
                         kernels::kMaxRank, " are supported");
    }
    kernels::Dims dims;
    dims.rank = static_cast<int>(shape.size());
    std::copy(shape.begin(), shape.end(), dims.extent.begin());
    return dims;
  }

  Result<kernels::Reduction> reduction(std::span<const int32_t> axes) const {
    kernels::Reduction shape;
    DEEPLAB_ASSIGN_OR_RETURN(shape.dims, dims(in(0).shape));
    for (int32_t axis : axes) shape.reduced[index(axis)] = true;
    return shape;
  }

  /// Dimensions that are repeated alike, or not at all, are joined with their neighbours.
  Result<kernels::BroadcastShape> broadcast() const {
    const graph::Shape& a = in(0).shape;
    const graph::Shape& b = in(1).shape;
    graph::Shape extent;  // innermost first
    std::vector<int64_t> stride;
    int64_t b_elements = 1;
    bool previous_repeats = false;
    for (size_t i = 0; i < a.size(); ++i) {
      const int32_t extent_a = a[a.size() - 1 - i];
      if (extent_a == 1) continue;  // b has one element there, too.
      const int32_t extent_b = i < b.size() ? b[b.size() - 1 - i] : 1;
      const bool repeats = extent_b != extent_a;
      if (!extent.empty() && repeats == previous_repeats) {
        extent.back() *= extent_a;
      } else {
        extent.push_back(extent_a);
        stride.push_back(repeats ? 0 : b_elements);
      }
      b_elements *= extent_b;
      previous_repeats = repeats;
    }
    if (extent.empty()) {  // two single elements
      extent.push_back(1);
      stride.push_back(1);
    }
    kernels::BroadcastShape shape;
    DEEPLAB_ASSIGN_OR_RETURN(shape.dims, dims(graph::Shape(extent.rbegin(), extent.rend())));
    std::copy(stride.rbegin(), stride.rend(), shape.b_strides.begin());
    return shape;
  }

  Result<kernels::WindowShape> window_shape(const graph::Window& window, int32_t filter_h,
                                            int32_t filter_w) const {
    return deeplab::plan::window_shape(in(0).shape, out().shape, window, filter_h, filter_w);
  }

  template <typename Resize>
  kernels::ResizeShape resize_shape(const Resize& a) const {
    const graph::Shape& x = in(0).shape;
    return {x[0], x[1], x[2], a.height, a.width, x[3], a.align_corners, a.half_pixel_centers};
  }

  template <typename Params>
  void set_output(graph::Activation activation, Params& params) const {
    params.output_zero_point = out().quantization.zero_point();
    const auto [min, max] = quantized_bounds(activation, out());
    params.output_min = min;
    params.output_max = max;
  }

  template <typename Block>
  void set_block(int32_t block_h, int32_t block_w, Block& op) const {
    op.in_h = in(0).shape[1];
    op.in_w = in(0).shape[2];
    op.out_h = out().shape[1];
    op.out_w = out().shape[2];
    op.block_h = block_h;
    op.block_w = block_w;
    op.pixel_bytes = out().shape[3] * element_size();
  }

  /// Input and output have `type`, and the bias, if there is one, `bias_type`.
  bool convolves(DataType type, DataType filter_type, DataType bias_type) const {
    const bool has_bias = op_.inputs.size() > 2 && op_.inputs[2] != graph::kNoTensor;
    return in(0).type == type && in(1).type == filter_type && out().type == type &&
           (!has_bias || in(2).type == bias_type);
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

  template <typename Types>
  Result<Lowered> convolution(const graph::Window& window, graph::Activation activation,
                              typename Types::Int8 int8_conv, typename Types::Float float_conv,
                              typename Types::Hybrid hybrid_conv) const {
    const graph::Shape& filter = in(1).shape;
    DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                             window_shape(window, filter[1], filter[2]));
    const auto set_float = [&](kernels::Conv2DFloat& conv) {
      conv.shape = shape;
      const auto [min, max] = activation_bounds(activation);
      conv.output_min = min;
      conv.output_max = max;
    };
    if (convolves(DataType::kFloat32, DataType::kFloat32, DataType::kFloat32)) {
      set_float(float_conv);
      return Lowered(float_conv);
    }
    if (convolves(DataType::kFloat32, DataType::kInt8, DataType::kFloat32)) {
      set_float(hybrid_conv);
      std::vector<float> scales = in(1).quantization.scales;
      hybrid_conv.one_scale = scales.size() == 1;
      scales.resize(index(shape.out_c), scales.front());
      return Lowered(typename Types::LoweredHybrid(hybrid_conv, std::move(scales)));
    }
    if (!convolves(DataType::kInt8, DataType::kInt8, DataType::kInt32)) return no_kernel();
    int8_conv.shape = shape;
    DEEPLAB_ASSIGN_OR_RETURN(std::vector<kernels::Multiplier> multipliers,
                             set_convolution(activation, int8_conv));
    return Lowered(typename Types::LoweredInt8(int8_conv, std::move(multipliers)));
  }

  /// All but the shape, which is set.
  Result<std::vector<kernels::Multiplier>> set_convolution(graph::Activation activation,
                                                           kernels::Conv2DInt8& conv) const {
    conv.input_zero_point = in(0).quantization.zero_point();
    conv.filter_zero_point = in(1).quantization.zero_point();
    set_output(activation, conv);
    return convolution_multipliers(conv.shape.out_c);
  }

  /// Input scale * filter scale / output scale. TensorFlow Lite rounds the product to float32
  /// for uint8 and, with one scale, in FULLY_CONNECTED; otherwise it keeps it in double.
  Result<std::vector<kernels::Multiplier>> convolution_multipliers(int32_t channels) const {
    const graph::Quantization& filter = in(1).quantization;
    const float scale_in = in(0).quantization.scale();
    const double scale_out = out().quantization.scale();
    const bool rounded =
        from_uint8() ||
        (std::holds_alternative<graph::FullyConnected>(op_.attributes) && !filter.per_channel());
    std::vector<kernels::Multiplier> multipliers;
    multipliers.reserve(index(channels));
    for (int32_t c = 0; c < channels; ++c) {
      const float scale_filter = filter.per_channel() ? filter.scales[index(c)] : filter.scale();
      const double product =
          rounded ? double{scale_in * scale_filter} : double{scale_in} * scale_filter;
      DEEPLAB_ASSIGN_OR_RETURN(const auto factor, multiplier(product / scale_out));
      multipliers.push_back(factor);
    }
    return multipliers;
  }

  Result<Lowered> relu(graph::Activation activation) const {
    const int64_t count = out().elements();
    if (all(DataType::kFloat32)) {
      const auto [min, max] = activation_bounds(activation);
      return Lowered(kernels::ReluFloat{count, min, max});
    }
    DEEPLAB_RETURN_IF_ERROR(expect_all(DataType::kInt8));
    kernels::ReluInt8 relu;
    relu.count = count;
    relu.input_zero_point = in(0).quantization.zero_point();
    // A float32 quotient, as TensorFlow Lite has it here.
    DEEPLAB_ASSIGN_OR_RETURN(relu.multiplier,
                             multiplier(in(0).quantization.scale() / out().quantization.scale()));
    set_output(activation, relu);
    return Lowered(relu);
  }

  const graph::Graph& graph_;
  const graph::Op& op_;
};

}  // namespace

Result<Lowered> lower(const graph::Graph& graph, const graph::Op& op) {
  return std::visit(Lowering(graph, op), op.attributes);
}

Result<kernels::WindowShape> convolution_shape(const graph::Graph& graph, const graph::Op& op,
                                               const graph::Window& window) {
  const graph::Shape& filter = graph.tensor(op.inputs[1]).shape;
  return window_shape(graph.tensor(op.inputs[0]).shape, graph.tensor(op.output()).shape, window,
                      filter[1], filter[2]);
}

}  // namespace deeplab::plan
