// Output shapes, as TensorFlow defines them.
#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "graph/operands.h"

namespace deeplab::graph {
namespace {

// Bounds that keep every position inside a padded picture within int32: an input extent is at
// most 2^30 (Limits::max_tensor_bytes), a dilated filter at most 2^15 * 2^12.
constexpr int32_t kMaxStride = 1 << 12;
constexpr int32_t kMaxDilation = 1 << 12;
constexpr int32_t kMaxFilter = 1 << 15;
constexpr int32_t kMaxPadding = 1 << 27;

struct Arity {
  size_t min;
  size_t max;
};

Arity arity(const Attributes& attributes) {
  return std::visit(Overloaded{
                        [](const Conv2D&) {
                          return Arity{2, 3};
                        },
                        [](const DepthwiseConv2D&) {
                          return Arity{2, 3};
                        },
                        [](const TransposeConv&) {
                          return Arity{2, 3};
                        },
                        [](const FullyConnected&) {
                          return Arity{2, 3};
                        },
                        [](const Add&) {
                          return Arity{2, 2};
                        },
                        [](const Prelu&) {
                          return Arity{2, 2};
                        },
                        [](const Sub&) {
                          return Arity{2, 2};
                        },
                        [](const Mul&) {
                          return Arity{2, 2};
                        },
                        [](const Binary&) {
                          return Arity{2, 2};
                        },
                        [](const Concatenation&) {
                          return Arity{1, 1 << 10};
                        },
                        [](const auto&) {
                          return Arity{1, 1};
                        },
                    },
                    attributes);
}

bool is_convolution(const Attributes& attributes) {
  return std::holds_alternative<Conv2D>(attributes) ||
         std::holds_alternative<DepthwiseConv2D>(attributes) ||
         std::holds_alternative<TransposeConv>(attributes) ||
         std::holds_alternative<FullyConnected>(attributes);
}

/// Infers the output shape of one op whose operands have been checked.
class Inference {
 public:
  Inference(const Graph& graph, const Op& op) : graph_(graph), op_(op) {}

  Result<Shape> operator()(const Conv2D& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_dense_filter());
    const Shape& filter = in(1);
    return slide(a.window, filter[1], filter[2], filter[0]);
  }

  Result<Shape> operator()(const DepthwiseConv2D& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_rank("filter", in(1), 4));
    const Shape& filter = in(1);
    const int64_t channels = int64_t{in()[3]} * a.depth_multiplier;
    if (a.depth_multiplier < 1 || filter[0] != 1 || filter[3] != channels) {
      return op_error(op_, "expected a filter 1xHxWx", channels, " (", in()[3],
                      " channels, depth multiplier ", a.depth_multiplier, "), found ",
                      shape_text(filter));
    }
    return slide(a.window, filter[1], filter[2], filter[3]);
  }

  Result<Shape> operator()(const TransposeConv& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_dense_filter());
    const Shape& filter = in(1);
    if (std::min(a.height, a.width) < 1 || std::max(a.height, a.width) > kMaxSide) {
      return op_error(op_, "expected an output of 1x1 to ", kMaxSide, "x", kMaxSide, ", found ",
                      a.height, "x", a.width);
    }
    DEEPLAB_RETURN_IF_ERROR(expect_padding(a.pad_top, a.pad_left));
    // The window over the output that this is the gradient of has as many places as the input has
    // elements; the last of them may lie in the padding.
    DEEPLAB_RETURN_IF_ERROR(
        expect_places("height", a.height, filter[1], a.stride_h, a.pad_top, in()[1]));
    DEEPLAB_RETURN_IF_ERROR(
        expect_places("width", a.width, filter[2], a.stride_w, a.pad_left, in()[2]));
    return Shape{in()[0], a.height, a.width, filter[0]};
  }

  Result<Shape> operator()(const FullyConnected& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("filter", in(1), 2));
    const Shape& filter = in(1);
    const auto elements = checked_product(in());
    const bool fits = elements && *elements % filter[1] == 0 &&
                      (!a.keep_dims || (!in().empty() && in().back() == filter[1]));
    if (!fits) {
      return op_error(op_, "the filter ", shape_text(filter), " does not fit the input ",
                      shape_text(in()));
    }
    Shape out = in();
    if (a.keep_dims) {
      out.back() = filter[0];
      return out;
    }
    return with_dimension(Shape{1, filter[0]}, 0, *elements / filter[1]);
  }

  Result<Shape> operator()(const Add&) const { return broadcast(); }
  Result<Shape> operator()(const Sub&) const { return broadcast(); }
  Result<Shape> operator()(const Mul&) const { return broadcast(); }
  Result<Shape> operator()(const Binary&) const { return broadcast(); }
  Result<Shape> operator()(const Prelu&) const { return broadcast(); }

  Result<Shape> broadcast() const {
    if (!broadcastable(in(1), in())) {
      return op_error(op_, "the second input ", shape_text(in(1)),
                      " is neither of the shape of the first, ", shape_text(in()),
                      ", nor broadcastable to it");
    }
    return in();
  }

  Result<Shape> operator()(const AveragePool2D& a) const { return pool(a); }
  Result<Shape> operator()(const MaxPool2D& a) const { return pool(a); }

  template <typename Pool>
  Result<Shape> pool(const Pool& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    if (a.window.dilation_h != 1 || a.window.dilation_w != 1) {
      return op_error(op_, "expected no dilation, found ", a.window.dilation_h, "x",
                      a.window.dilation_w);
    }
    if (a.window.padding == Padding::kExplicit &&
        (std::max(a.window.pad_top, a.window.pad_bottom) >= a.filter_h ||
         std::max(a.window.pad_left, a.window.pad_right) >= a.filter_w)) {
      return op_error(op_, "the padding leaves a window without a single input element");
    }
    return slide(a.window, a.filter_h, a.filter_w, in()[3]);
  }

  Result<Shape> operator()(const Mean& a) const { return reduce(a.axes, a.keep_dims); }
  Result<Shape> operator()(const Reduce& a) const { return reduce(a.axes, a.keep_dims); }

  Result<Shape> reduce(std::span<const int32_t> axes, bool keep_dims) const {
    for (size_t i = 0; i < axes.size(); ++i) {
      DEEPLAB_RETURN_IF_ERROR(expect_axis(axes[i]));
      if (i > 0 && axes[i] <= axes[i - 1]) {
        return op_error(op_, "expected sorted axes without repetition");
      }
    }
    Shape out;
    for (size_t d = 0; d < in().size(); ++d) {
      const bool reduced = std::ranges::binary_search(axes, static_cast<int32_t>(d));
      if (!reduced) {
        out.push_back(in()[d]);
      } else if (keep_dims) {
        out.push_back(1);
      }
    }
    return out;
  }

  Result<Shape> operator()(const ResizeBilinear& a) const {
    return resize(a.height, a.width, a.align_corners, a.half_pixel_centers);
  }
  Result<Shape> operator()(const ResizeNearestNeighbor& a) const {
    return resize(a.height, a.width, a.align_corners, a.half_pixel_centers);
  }

  Result<Shape> operator()(const Concatenation& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_axis(a.axis));
    const auto axis = static_cast<size_t>(a.axis);
    int64_t joined = 0;
    for (size_t k = 0; k < op_.inputs.size(); ++k) {
      Shape other = in(k);
      if (other.size() == in().size()) {
        joined += other[axis];
        other[axis] = in()[axis];
      }
      if (other != in()) {
        return op_error(op_, "input ", k, " is ", shape_text(in(k)), ", but input 0 is ",
                        shape_text(in()), "; they may differ along dimension ", a.axis, " only");
      }
    }
    Shape out = in();
    return with_dimension(std::move(out), axis, joined);
  }

  Result<Shape> operator()(const Tile& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_entries("multiples", a.multiples.size()));
    Shape out = in();
    for (size_t d = 0; d < out.size(); ++d) {
      if (a.multiples[d] < 1) {
        return op_error(op_, "expected multiples of at least 1, found ", a.multiples[d]);
      }
      DEEPLAB_ASSIGN_OR_RETURN(
          out, with_dimension(std::move(out), d, int64_t{in()[d]} * a.multiples[d]));
    }
    return out;
  }

  Result<Shape> operator()(const Pad& a) const { return padded(a.amounts); }

  Result<Shape> operator()(const MirrorPad& a) const {
    DEEPLAB_ASSIGN_OR_RETURN(Shape out, padded(a.amounts));
    for (size_t d = 0; d < out.size(); ++d) {
      const int32_t most = a.symmetric ? in()[d] : in()[d] - 1;
      if (std::max(a.amounts[d][0], a.amounts[d][1]) > most) {
        return op_error(op_, "expected amounts of at most ", most, " along dimension ", d,
                        ", found ", a.amounts[d][0], " and ", a.amounts[d][1]);
      }
    }
    return out;
  }

  Result<Shape> operator()(const Slice& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_entries("a begin", a.begin.size()));
    DEEPLAB_RETURN_IF_ERROR(expect_entries("a size", a.size.size()));
    DEEPLAB_RETURN_IF_ERROR(expect_entries("a step", a.step.size()));
    for (size_t d = 0; d < in().size(); ++d) {
      const int64_t last = a.begin[d] + (int64_t{a.size[d]} - 1) * a.step[d];
      const auto inside = [&](int64_t at) { return at >= 0 && at < in()[d]; };
      if (a.size[d] < 1 || a.step[d] == 0 || !inside(a.begin[d]) || !inside(last)) {
        return op_error(op_, "cannot take ", a.size[d], " elements, ", a.step[d], " apart, from ",
                        a.begin[d], " on along dimension ", d, " of the input ", shape_text(in()));
      }
    }
    Shape out = a.size;
    for (size_t i = a.dropped.size(); i-- > 0;) {
      const int32_t d = a.dropped[i];
      DEEPLAB_RETURN_IF_ERROR(expect_axis(d));
      if (a.size[static_cast<size_t>(d)] != 1 ||
          (i + 1 < a.dropped.size() && d >= a.dropped[i + 1])) {
        return op_error(op_, "cannot drop dimension ", d, " of ", shape_text(a.size));
      }
      out.erase(out.begin() + d);
    }
    return out;
  }

  Result<Shape> operator()(const Transpose& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_entries("a permutation", a.permutation.size()));
    std::vector<bool> seen(in().size());
    Shape out;
    for (int32_t d : a.permutation) {
      DEEPLAB_RETURN_IF_ERROR(expect_axis(d));
      if (seen[static_cast<size_t>(d)]) {
        return op_error(op_, "dimension ", d, " occurs twice in the permutation");
      }
      seen[static_cast<size_t>(d)] = true;
      out.push_back(in()[static_cast<size_t>(d)]);
    }
    return out;
  }

  Result<Shape> operator()(const DepthToSpace& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_block(a.block, a.block));
    const int32_t cells = a.block * a.block;
    if (in()[3] % cells != 0) {
      return op_error(op_, "the ", in()[3], " channels are not a multiple of the block ", a.block,
                      "x", a.block);
    }
    Shape out = {in()[0], 1, 1, in()[3] / cells};
    DEEPLAB_ASSIGN_OR_RETURN(out, with_dimension(std::move(out), 1, int64_t{in()[1]} * a.block));
    return with_dimension(std::move(out), 2, int64_t{in()[2]} * a.block);
  }

  Result<Shape> operator()(const SpaceToDepth& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_block(a.block, a.block));
    if (in()[1] % a.block != 0 || in()[2] % a.block != 0) {
      return op_error(op_, "the size ", in()[1], "x", in()[2], " is not a multiple of the block ",
                      a.block, "x", a.block);
    }
    Shape out = {in()[0], in()[1] / a.block, in()[2] / a.block, 1};
    return with_dimension(std::move(out), 3, int64_t{in()[3]} * a.block * a.block);
  }

  Result<Shape> operator()(const ArgMax& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_axis(a.axis));
    Shape out = in();
    out.erase(out.begin() + a.axis);
    return out;
  }

  Result<Shape> operator()(const Softmax&) const {
    if (in().empty()) return op_error(op_, "expected an input with a last dimension");
    return in();
  }

  Result<Shape> operator()(const Reshape& a) const {
    const auto elements = checked_product(in());
    int64_t known = 1;
    int wildcards = 0;
    for (int32_t d : a.shape) {
      if (d == -1) {
        ++wildcards;
      } else if (d < 1 || __builtin_mul_overflow(known, int64_t{d}, &known)) {
        return op_error(op_, "the new shape ", shape_text(a.shape), " is not a shape");
      }
    }
    const bool fits = elements && (wildcards == 0   ? known == *elements
                                   : wildcards == 1 ? *elements % known == 0
                                                    : false);
    if (!fits) {
      return op_error(op_, "the new shape ", shape_text(a.shape),
                      " does not hold the elements of the input ", shape_text(in()));
    }
    Shape out = a.shape;
    const auto wildcard = std::ranges::find(out, -1);
    if (wildcard == out.end()) return out;
    const auto d = static_cast<size_t>(wildcard - out.begin());
    return with_dimension(std::move(out), d, *elements / known);
  }

  Result<Shape> operator()(const SpaceToBatchNd& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_block(a.block_h, a.block_w));
    DEEPLAB_RETURN_IF_ERROR(expect_padding(a.pad_h[0], a.pad_h[1]));
    DEEPLAB_RETURN_IF_ERROR(expect_padding(a.pad_w[0], a.pad_w[1]));
    const int64_t h = int64_t{in()[1]} + a.pad_h[0] + a.pad_h[1];
    const int64_t w = int64_t{in()[2]} + a.pad_w[0] + a.pad_w[1];
    if (h % a.block_h != 0 || w % a.block_w != 0) {
      return op_error(op_, "the padded size ", h, "x", w, " is not a multiple of the block ",
                      a.block_h, "x", a.block_w);
    }
    Shape out = in();
    DEEPLAB_ASSIGN_OR_RETURN(
        out, with_dimension(std::move(out), 0, int64_t{in()[0]} * a.block_h * a.block_w));
    DEEPLAB_ASSIGN_OR_RETURN(out, with_dimension(std::move(out), 1, h / a.block_h));
    return with_dimension(std::move(out), 2, w / a.block_w);
  }

  Result<Shape> operator()(const BatchToSpaceNd& a) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_block(a.block_h, a.block_w));
    DEEPLAB_RETURN_IF_ERROR(expect_padding(a.crop_h[0], a.crop_h[1]));
    DEEPLAB_RETURN_IF_ERROR(expect_padding(a.crop_w[0], a.crop_w[1]));
    const int32_t block = a.block_h * a.block_w;
    if (in()[0] % block != 0) {
      return op_error(op_, "the batch ", in()[0], " is not a multiple of the block ", a.block_h,
                      "x", a.block_w);
    }
    Shape out = in();
    out[0] = in()[0] / block;
    DEEPLAB_ASSIGN_OR_RETURN(
        out, with_dimension(std::move(out), 1,
                            int64_t{in()[1]} * a.block_h - a.crop_h[0] - a.crop_h[1]));
    return with_dimension(std::move(out), 2,
                          int64_t{in()[2]} * a.block_w - a.crop_w[0] - a.crop_w[1]);
  }

  // QUANTIZE, DEQUANTIZE, CAST, RELU, LOGISTIC and the like: element by element.
  template <typename ElementWise>
  Result<Shape> operator()(const ElementWise&) const {
    return in();
  }

 private:
  const Shape& in(size_t k = 0) const { return graph_.tensor(op_.inputs[k]).shape; }

  Status expect_rank(const char* what, const Shape& shape, size_t rank) const {
    if (shape.size() == rank) return {};
    return op_error(op_, "expected ", what, " of ", rank, " dimensions, found ", shape_text(shape));
  }

  /// Of a filter that reads all channels of the input.
  Status expect_dense_filter() const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    DEEPLAB_RETURN_IF_ERROR(expect_rank("filter", in(1), 4));
    const Shape& filter = in(1);
    if (filter[3] == in()[3]) return {};
    return op_error(op_, "the filter ", shape_text(filter), " reads ", filter[3],
                    " channels, but the input ", shape_text(in()), " has ", in()[3]);
  }

  Status expect_axis(int32_t axis) const {
    if (axis >= 0 && static_cast<size_t>(axis) < in().size()) return {};
    return op_error(op_, "axis ", axis, " is outside the input ", shape_text(in()));
  }

  Status expect_entries(const char* what, size_t entries) const {
    if (entries == in().size()) return {};
    return op_error(op_, "expected ", what, " for ", in().size(), " dimensions, found ", entries);
  }

  Status expect_padding(int32_t before, int32_t after) const {
    if (std::min(before, after) >= 0 && std::max(before, after) <= kMaxPadding) return {};
    return op_error(op_, "expected amounts in [0, ", kMaxPadding, "], found ", before, " and ",
                    after);
  }

  Result<Shape> padded(const std::vector<std::array<int32_t, 2>>& amounts) const {
    DEEPLAB_RETURN_IF_ERROR(expect_entries("amounts", amounts.size()));
    Shape out = in();
    for (size_t d = 0; d < out.size(); ++d) {
      const auto [before, after] = amounts[d];
      DEEPLAB_RETURN_IF_ERROR(expect_padding(before, after));
      DEEPLAB_ASSIGN_OR_RETURN(
          out, with_dimension(std::move(out), d, int64_t{in()[d]} + before + after));
    }
    return out;
  }

  /// Of a TRANSPOSE_CONV: a window over `out` elements, padded, has `places` places.
  Status expect_places(const char* what, int32_t out, int32_t filter, int32_t stride, int32_t pad,
                       int32_t places) const {
    const int64_t first_unreached = int64_t{out} + pad;
    const bool fits = stride >= 1 && stride <= kMaxStride && filter <= kMaxFilter && pad < filter &&
                      (int64_t{places} - 1) * stride < first_unreached &&
                      first_unreached <= int64_t{places} * stride + filter;
    if (fits) return {};
    return op_error(op_, what, ": an input of ", places, " with a stride of ", stride,
                    ", a filter of ", filter, " and a padding of ", pad, " does not give ", out);
  }

  Status expect_block(int32_t block_h, int32_t block_w) const {
    if (std::min(block_h, block_w) >= 1 && std::max(block_h, block_w) <= kMaxStride) return {};
    return op_error(op_, "expected a block of 1 to ", kMaxStride, " per side, found ", block_h, "x",
                    block_w);
  }

  Result<Shape> with_dimension(Shape shape, size_t d, int64_t extent) const {
    if (extent < 1 || extent > std::numeric_limits<int32_t>::max()) {
      return op_error(op_, "the output would have ", extent, " elements along dimension ", d);
    }
    shape[d] = static_cast<int32_t>(extent);
    return shape;
  }

  Result<Shape> resize(int32_t height, int32_t width, bool align_corners,
                       bool half_pixel_centers) const {
    DEEPLAB_RETURN_IF_ERROR(expect_rank("input", in(), 4));
    if (height < 1 || width < 1 || std::max(height, width) > kMaxSide) {
      return op_error(op_, "expected a target size of 1x1 to ", kMaxSide, "x", kMaxSide, ", found ",
                      height, "x", width);
    }
    if (align_corners && half_pixel_centers) {
      return op_error(op_, "align_corners and half_pixel_centers exclude each other");
    }
    return Shape{in()[0], height, width, in()[3]};
  }

  Result<Shape> slide(const Window& w, int32_t filter_h, int32_t filter_w, int32_t channels) const {
    const auto rows = window_extent(w.padding, in()[1], filter_h, w.stride_h, w.dilation_h,
                                    w.pad_top, w.pad_bottom);
    if (!rows.ok()) return op_error(op_, "height: ", rows.status().message());
    const auto columns = window_extent(w.padding, in()[2], filter_w, w.stride_w, w.dilation_w,
                                       w.pad_left, w.pad_right);
    if (!columns.ok()) return op_error(op_, "width: ", columns.status().message());
    return Shape{in()[0], rows->out, columns->out, channels};
  }

  const Graph& graph_;
  const Op& op_;
};

}  // namespace

bool broadcastable(const Shape& b, const Shape& a) {
  if (b.size() > a.size()) return false;
  const size_t lead = a.size() - b.size();
  for (size_t d = 0; d < b.size(); ++d) {
    if (b[d] != 1 && b[d] != a[lead + d]) return false;
  }
  return true;
}

Status check_operands(const Graph& graph, const Op& op) {
  const auto [min, max] = arity(op.attributes);
  if (op.inputs.size() < min || op.inputs.size() > max || op.outputs.size() != 1) {
    return op_error(op, "expected ", min, min == max ? "" : str_cat(" to ", max),
                    " inputs and 1 output, found ", op.inputs.size(), " and ", op.outputs.size());
  }
  const auto in_range = [&](TensorId id) {
    return id >= 0 && static_cast<size_t>(id) < graph.tensors.size();
  };
  for (size_t k = 0; k < op.inputs.size(); ++k) {
    const bool absent_bias = k == 2 && op.inputs[k] == kNoTensor && is_convolution(op.attributes);
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

Result<Shape> infer_shape(const Graph& graph, const Op& op) {
  DEEPLAB_RETURN_IF_ERROR(check_operands(graph, op));
  return std::visit(Inference(graph, op), op.attributes);
}

Result<WindowExtent> window_extent(Padding padding, int32_t in, int32_t filter, int32_t stride,
                                   int32_t dilation, int32_t explicit_before,
                                   int32_t explicit_after) {
  const auto within = [](int32_t value, int32_t max) { return value >= 1 && value <= max; };
  if (in < 1) return invalid_model("expected an input of at least 1, found ", in);
  if (!within(filter, kMaxFilter)) {
    return invalid_model("expected a filter of 1 to ", kMaxFilter, ", found ", filter);
  }
  if (!within(stride, kMaxStride)) {
    return invalid_model("expected a stride of 1 to ", kMaxStride, ", found ", stride);
  }
  if (!within(dilation, kMaxDilation)) {
    return invalid_model("expected a dilation of 1 to ", kMaxDilation, ", found ", dilation);
  }
  const int64_t reach = int64_t{filter - 1} * dilation + 1;
  if (padding == Padding::kSame) {
    const int64_t out = (int64_t{in} + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((out - 1) * stride + reach - in, 0);
    return WindowExtent{static_cast<int32_t>(out), static_cast<int32_t>(total / 2),
                        static_cast<int32_t>(total - total / 2)};
  }
  int64_t padded = in;
  WindowExtent extent;
  if (padding == Padding::kExplicit) {
    if (std::min(explicit_before, explicit_after) < 0 ||
        std::max(explicit_before, explicit_after) > kMaxPadding) {
      return invalid_model("expected padding in [0, ", kMaxPadding, "], found ", explicit_before,
                           " and ", explicit_after);
    }
    extent.pad_before = explicit_before;
    extent.pad_after = explicit_after;
    padded += int64_t{explicit_before} + explicit_after;
  }
  if (padded < reach) {
    return invalid_model("a window of ", reach, " does not fit into ", padded);
  }
  extent.out = static_cast<int32_t>((padded - reach) / stride + 1);
  return extent;
}

}  // namespace deeplab::graph
