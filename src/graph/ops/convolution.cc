#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "graph/canvas.h"
#include "graph/dequantize.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

// Bounds the sum of x * w, and of each of the three zero-point corrections, by 2^14 a tap.
constexpr int64_t kAccumulatorPerTap = 4 * 128 * 128;
constexpr int64_t kAccumulatorMax = std::numeric_limits<int32_t>::max();

/// Of a filter that reads all channels of the input.
Status expect_dense_filter(const OpView& op) {
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", op.shape(), 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("filter", op.shape(1), 4));
  const Shape& filter = op.shape(1);
  if (filter[3] == op.shape()[3]) return {};
  return op.error("the filter ", shape_text(filter), " reads ", filter[3],
                  " channels, but the input ", shape_text(op.shape()), " has ", op.shape()[3]);
}

/// Of a TRANSPOSE_CONV: a window over `out` elements, padded, has `places` places.
Status expect_places(const OpView& op, const char* what, int32_t out, int32_t filter,
                     int32_t stride, int32_t pad, int32_t places) {
  const int64_t first_unreached = int64_t{out} + pad;
  const bool fits = stride >= 1 && stride <= kMaxStride && filter <= kMaxFilter && pad < filter &&
                    (int64_t{places} - 1) * stride < first_unreached &&
                    first_unreached <= int64_t{places} * stride + filter;
  if (fits) return {};
  return op.error(what, ": an input of ", places, " with a stride of ", stride, ", a filter of ",
                  filter, " and a padding of ", pad, " does not give ", out);
}

/// A hybrid filter stands for float32 numbers.
Status expect_finite_weights(const OpView& op, float scale) {
  if (std::isfinite(scale * 128)) return {};
  return op.error("expected a filter whose values are finite, found a scale of ", scale);
}

Status expect_accumulator(const OpView& op) {
  if (!is_eight_bit(op.in(1))) return {};
  const int64_t count = taps(op.graph(), op.op());
  if (count <= kAccumulatorMax / kAccumulatorPerTap) return {};
  return op.not_supported("a sum over ", count, " filter taps can leave the 32-bit accumulator");
}

Status filter_quantization(const OpView& op, int32_t channel_axis) {
  const Tensor& filter = op.in(1);
  const Quantization& q = filter.quantization;
  if (q.per_channel() && q.axis != channel_axis) {
    return op.error("expected the filter's scales along dimension ", channel_axis, ", found ",
                    q.axis);
  }
  for (size_t c = 0; c < q.scales.size(); ++c) {
    // The int8 format is symmetric; only what was uint8 in the file may be off zero.
    if (filter.file_type == DataType::kInt8 && q.zero_points[c] != 0) {
      return op.error("expected zero point 0 on an int8 filter, found ", q.zero_points[c]);
    }
    if (!is_eight_bit(op.in(0))) {
      DEEPLAB_RETURN_IF_ERROR(expect_finite_weights(op, q.scales[c]));
      continue;
    }
    DEEPLAB_RETURN_IF_ERROR(op.expect_above_0(q.scales[c]));
    DEEPLAB_RETURN_IF_ERROR(op.expect_factor(double{op.in(0).quantization.scale()} * q.scales[c] /
                                             op.out().quantization.scale()));
  }
  return {};
}

/// Neither the bias's scale nor the size of its numbers matter: TensorFlow Lite adds the stored
/// ones, modulo 2^32, whatever scale they have. Converters share one bias of zeros between
/// convolutions, and give dead channels the smallest int32.
Status expect_bias(const OpView& op) {
  const Tensor& bias = op.in(2);
  DEEPLAB_RETURN_IF_ERROR(op.expect_type(
      bias, "a bias", is_eight_bit(op.in(0)) ? DataType::kInt32 : DataType::kFloat32));
  DEEPLAB_RETURN_IF_ERROR(op.expect_constant(2, "bias"));
  const int32_t channels = op.out().shape.back();
  if (bias.elements() == channels) return {};
  return op.error("expected a bias of ", channels, " values, found ", shape_text(bias.shape));
}

Status check_convolution(const OpView& op, int32_t channel_axis) {
  DEEPLAB_RETURN_IF_ERROR(op.computable(op.in(0), "input"));
  DEEPLAB_RETURN_IF_ERROR(op.expect_activation(0));
  if (!is_hybrid(op.graph(), op.op())) {
    DEEPLAB_RETURN_IF_ERROR(op.expect_type(op.in(1), "a filter", op.in(0).type));
  }
  DEEPLAB_RETURN_IF_ERROR(op.expect_constant(1, "filter"));
  DEEPLAB_RETURN_IF_ERROR(op.expect_type(op.out(), "output", op.in(0).type));
  if (is_eight_bit(op.in(1))) {
    DEEPLAB_RETURN_IF_ERROR(filter_quantization(op, channel_axis));
  }
  if (op.inputs() > 2 && op.op().inputs[2] != kNoTensor) {
    DEEPLAB_RETURN_IF_ERROR(expect_bias(op));
  }
  return expect_accumulator(op);
}

/// A convolution whose filter has the input's type.
Status check_float_filter(const OpView& op) {
  if (op.in(0).type == DataType::kFloat32 && is_eight_bit(op.in(1))) {
    return op.not_supported("expected a filter of float32 for an input of float32, found ",
                            type_name(op.in(1).type));
  }
  return check_convolution(op, 0);
}

}  // namespace

Result<Shape> Conv2D::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(expect_dense_filter(op));
  const Shape& filter = op.shape(1);
  return op.slide(window, filter[1], filter[2], filter[0]);
}
Status Conv2D::check_types(const OpView& op) const { return check_convolution(op, 0); }
int64_t Conv2D::taps(const OpView& op) const { return op.in(1).elements() / op.shape(1)[0]; }

Result<Shape> DepthwiseConv2D::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", op.shape(), 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("filter", op.shape(1), 4));
  const Shape& filter = op.shape(1);
  const int64_t channels = int64_t{op.shape()[3]} * depth_multiplier;
  if (depth_multiplier < 1 || filter[0] != 1 || filter[3] != channels) {
    return op.error("expected a filter 1xHxWx", channels, " (", op.shape()[3],
                    " channels, depth multiplier ", depth_multiplier, "), found ",
                    shape_text(filter));
  }
  return op.slide(window, filter[1], filter[2], filter[3]);
}
Status DepthwiseConv2D::check_types(const OpView& op) const { return check_convolution(op, 3); }
int64_t DepthwiseConv2D::taps(const OpView& op) const {
  return op.in(1).elements() / op.shape(1)[3];
}

Result<Shape> TransposeConv::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(expect_dense_filter(op));
  const Shape& x = op.shape();
  const Shape& filter = op.shape(1);
  if (std::min(height, width) < 1 || std::max(height, width) > kMaxSide) {
    return op.error("expected an output of 1x1 to ", kMaxSide, "x", kMaxSide, ", found ", height,
                    "x", width);
  }
  DEEPLAB_RETURN_IF_ERROR(op.expect_padding(pad_top, pad_left));
  // The window over the output that this is the gradient of has as many places as the input has
  // elements; the last of them may lie in the padding.
  DEEPLAB_RETURN_IF_ERROR(expect_places(op, "height", height, filter[1], stride_h, pad_top, x[1]));
  DEEPLAB_RETURN_IF_ERROR(expect_places(op, "width", width, filter[2], stride_w, pad_left, x[2]));
  return Shape{x[0], height, width, filter[0]};
}
Status TransposeConv::check_types(const OpView& op) const { return check_float_filter(op); }
/// An upper bound: at the border fewer places reach an element.
int64_t TransposeConv::taps(const OpView& op) const {
  const Shape& filter = op.shape(1);
  const auto places = [](int32_t extent, int32_t stride) {
    return int64_t{extent} / stride + (extent % stride != 0);
  };
  return places(filter[1], stride_h) * places(filter[2], stride_w) * filter[3];
}
/// As many more rows as the input's new ones reach.
Status TransposeConv::resize(Canvas& canvas, const Op& op) {
  const Shape& before = canvas.old(op.inputs[0]);
  const Shape& after = canvas.now(op.inputs[0]);
  const auto grown = [](int32_t extent, int32_t from, int32_t to, int32_t stride) {
    const int64_t result = extent + (int64_t{to} - from) * stride;
    return static_cast<int32_t>(std::clamp<int64_t>(result, 0, kMaxSide + 1));
  };
  height = grown(height, before[1], after[1], stride_h);
  width = grown(width, before[2], after[2], stride_w);
  return {};
}

Result<Shape> FullyConnected::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("filter", op.shape(1), 2));
  const Shape& x = op.shape();
  const Shape& filter = op.shape(1);
  const auto elements = checked_product(x);
  const bool fits = elements && *elements % filter[1] == 0 &&
                    (!keep_dims || (!x.empty() && x.back() == filter[1]));
  if (!fits) {
    return op.error("the filter ", shape_text(filter), " does not fit the input ", shape_text(x));
  }
  Shape out = x;
  if (keep_dims) {
    out.back() = filter[0];
    return out;
  }
  return op.with_dimension(Shape{1, filter[0]}, 0, *elements / filter[1]);
}
Status FullyConnected::check_types(const OpView& op) const { return check_float_filter(op); }
int64_t FullyConnected::taps(const OpView& op) const { return op.shape(1)[1]; }

}  // namespace deeplab::graph
