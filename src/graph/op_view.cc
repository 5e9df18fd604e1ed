#include "graph/op_view.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace deeplab::graph {
namespace {

/// Sums of 8-bit values in an int32.
constexpr int64_t kMaxAveraged = std::numeric_limits<int32_t>::max() / 256;
/// Largest ratio of scales (input over output) that requantization takes: far above any use, and
/// small enough for every fixed-point representation of it.
constexpr double kMaxRescale = 65536;
/// Two scales that are meant to be one.
constexpr double kSameScaleTolerance = 1e-5;

bool close(double a, double b) { return std::abs(a - b) <= kSameScaleTolerance * std::max(a, b); }

std::string parameters_text(const Tensor& tensor) {
  const Quantization& q = tensor.quantization;
  return str_cat("scale ", q.scale(), " and zero point ", q.zero_point());
}

}  // namespace

Status OpView::expect_rank(const char* what, const Shape& shape, size_t rank) const {
  if (shape.size() == rank) return {};
  return error("expected ", what, " of ", rank, " dimensions, found ", shape_text(shape));
}

Status OpView::expect_axis(int32_t axis) const {
  if (axis >= 0 && static_cast<size_t>(axis) < shape().size()) return {};
  return error("axis ", axis, " is outside the input ", shape_text(shape()));
}

Status OpView::expect_entries(const char* what, size_t entries) const {
  if (entries == shape().size()) return {};
  return error("expected ", what, " for ", shape().size(), " dimensions, found ", entries);
}

Status OpView::expect_padding(int32_t before, int32_t after) const {
  if (std::min(before, after) >= 0 && std::max(before, after) <= kMaxPadding) return {};
  return error("expected amounts in [0, ", kMaxPadding, "], found ", before, " and ", after);
}

Status OpView::expect_block(int32_t block_h, int32_t block_w) const {
  if (std::min(block_h, block_w) >= 1 && std::max(block_h, block_w) <= kMaxStride) return {};
  return error("expected a block of 1 to ", kMaxStride, " per side, found ", block_h, "x", block_w);
}

Result<Shape> OpView::with_dimension(Shape shape, size_t d, int64_t extent) const {
  if (extent < 1 || extent > std::numeric_limits<int32_t>::max()) {
    return error("the output would have ", extent, " elements along dimension ", d);
  }
  shape[d] = static_cast<int32_t>(extent);
  return shape;
}

Result<Shape> OpView::slide(const Window& w, int32_t filter_h, int32_t filter_w,
                            int32_t channels) const {
  const Shape& x = shape();
  const auto rows =
      window_extent(w.padding, x[1], filter_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom);
  if (!rows.ok()) return error("height: ", rows.status().message());
  const auto columns =
      window_extent(w.padding, x[2], filter_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right);
  if (!columns.ok()) return error("width: ", columns.status().message());
  return Shape{x[0], rows->out, columns->out, channels};
}

Status OpView::computable(const Tensor& tensor, const char* what) const {
  if (tensor.type == DataType::kFloat32 || is_eight_bit(tensor)) return {};
  return not_supported("expected ", what, " of float32, uint8 or int8, found ",
                       type_name(tensor.type));
}

Status OpView::expect_type(const Tensor& tensor, const char* what, DataType type) const {
  if (tensor.type == type) return {};
  return not_supported("expected ", what, " of ", type_name(type), ", found ",
                       type_name(tensor.type));
}

Status OpView::expect_activation(size_t k) const {
  if (!in(k).is_constant()) return {};
  return not_supported("input ", k, " is a constant, expected an activation");
}

Status OpView::expect_constant(size_t k, const char* what) const {
  if (in(k).is_constant()) return {};
  return not_supported("expected a constant ", what, ", found an activation");
}

Status OpView::expect_per_tensor(const Tensor& tensor) const {
  if (tensor.quantization.per_channel()) {
    return not_supported("expected one scale on an operand, found ",
                         tensor.quantization.scales.size());
  }
  return tensor.quantization.present() ? expect_above_0(tensor.quantization.scale()) : Status();
}

Status OpView::expect_above_0(float scale) const {
  if (scale > 0) return {};
  return not_supported("expected scales above 0, found ", scale);
}

Status OpView::same_type() const {
  DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input"));
  DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
  return expect_type(out(), "output", in(0).type);
}

Status OpView::same_type_or_labels() const {
  const bool labels = in(0).type == DataType::kInt32 || in(0).type == DataType::kInt64;
  return labels ? expect_type(out(), "output", in(0).type) : same_type();
}

Status OpView::two_operands() const {
  DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input 0"));
  DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
  DEEPLAB_RETURN_IF_ERROR(expect_type(in(1), "input 1", in(0).type));
  DEEPLAB_RETURN_IF_ERROR(expect_type(out(), "output", in(0).type));
  return expect_per_tensor(in(1));
}

Status OpView::expect_rescale(const Tensor& input) const {
  if (!is_eight_bit(input) || !is_eight_bit(out())) return {};
  return expect_factor(double{input.quantization.scale()} / out().quantization.scale());
}

Status OpView::expect_factor(double factor) const {
  if (factor <= kMaxRescale) return {};
  return not_supported("expected a ratio of input to output scale of at most ", kMaxRescale,
                       ", found ", factor);
}

Status OpView::expect_averaged(int64_t count) const {
  if (!is_eight_bit(in(0)) || count <= kMaxAveraged) return {};
  return not_supported("expected at most ", kMaxAveraged, " values to average, found ", count);
}

Status OpView::expect_output(double scale, int32_t zero_point) const {
  const Quantization& q = out().quantization;
  if (close(q.scale(), scale) && q.zero_point() == zero_point) return {};
  return error("expected an output of scale 1/", 1 / scale, " and zero point ", zero_point,
               ", found ", parameters_text(out()));
}

Status OpView::expect_parameters_of(const Tensor& input) const {
  if (!is_eight_bit(input)) return {};
  const Quantization& a = input.quantization;
  const Quantization& b = out().quantization;
  if (close(a.scale(), b.scale()) && a.zero_point() == b.zero_point()) return {};
  return error("expected the input's ", parameters_text(input), " on the output, found ",
               parameters_text(out()));
}

Status check_operands(const Graph& graph, const Op& op) {
  const Arity takes = arity(op.attributes);
  if (op.inputs.size() < takes.min || op.inputs.size() > takes.max || op.outputs.size() != 1) {
    return op_error(op, "expected ", takes.min,
                    takes.min == takes.max ? "" : str_cat(" to ", takes.max),
                    " inputs and 1 output, found ", op.inputs.size(), " and ", op.outputs.size());
  }
  const auto in_range = [&](TensorId id) {
    return id >= 0 && static_cast<size_t>(id) < graph.tensors.size();
  };
  for (size_t k = 0; k < op.inputs.size(); ++k) {
    const bool absent_bias = k == 2 && op.inputs[k] == kNoTensor && takes.optional_bias;
    if (!in_range(op.inputs[k]) && !absent_bias) {
      return op_error(op, "input ", k, " is tensor ", op.inputs[k], ", but there are ",
                      graph.tensors.size(), " tensors");
    }
  }
  if (!in_range(op.output())) {
    return op_error(op, "the output is tensor ", op.output(), ", but there are ",
                    graph.tensors.size(), " tensors");
  }
  return {};
}

}  // namespace deeplab::graph
