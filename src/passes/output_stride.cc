#include "passes/output_stride.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "passes/explicit_padding.h"
#include "passes/fold_space_to_batch.h"
#include "passes/rewrite.h"

namespace deeplab::passes {
namespace {

using graph::Graph;
using graph::Op;
using graph::Shape;
using graph::TensorId;
using graph::Window;

/// Strides beyond this are no network's.
constexpr int32_t kLargestStride = 1 << 10;

int32_t half(int32_t extent) { return extent / 2 + extent % 2; }

bool has_window(const Graph& graph, const Op& op) {
  const Shape& filter = graph.tensor(op.inputs[1]).shape;
  return filter[1] > 1 || filter[2] > 1;
}

bool is_picture(const Shape& shape) { return shape.size() == 3 || shape.size() == 4; }
/// A tensor that has one value for the whole picture.
bool is_spread(const Shape& shape) {
  return !is_picture(shape) || (shape[1] == 1 && shape[2] == 1);
}
bool same_size(const Shape& a, const Shape& b) {
  return is_picture(a) && is_picture(b) && a[1] == b[1] && a[2] == b[2];
}

template <typename... Parts>
Status refusal(const Op& op, const Parts&... parts) {
  return unsupported(graph::op_label(op), ": ", parts...);
}

/// The first convolution that is dilated, or -1.
int first_dilated(Graph& graph) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Window* window = convolution_window(graph.ops[i]);
    if (window == nullptr || !has_window(graph, graph.ops[i])) continue;
    if (window->dilation_h > 1 && window->dilation_w > 1) return static_cast<int>(i);
  }
  return -1;
}

/// The op between a convolution with a window and the dilated one after it keeps cells apart.
bool keeps_cells(const Graph& graph, Op& op) {
  if (convolution_window(op) != nullptr) return true;
  if (std::holds_alternative<graph::Relu>(op.attributes) ||
      std::holds_alternative<graph::Relu6>(op.attributes) ||
      std::holds_alternative<graph::Quantize>(op.attributes)) {
    return true;
  }
  const bool arithmetic = std::holds_alternative<graph::Add>(op.attributes) ||
                          std::holds_alternative<graph::Sub>(op.attributes) ||
                          std::holds_alternative<graph::Mul>(op.attributes) ||
                          std::holds_alternative<graph::Binary>(op.attributes);
  return arithmetic && graph.tensor(op.inputs[1]).is_constant();
}

/// One doubling.
class Coarsener {
 public:
  explicit Coarsener(Graph& graph) : graph_(graph), halved_(graph.tensors.size()) {
    for (const graph::Tensor& tensor : graph.tensors) old_.push_back(tensor.shape);
  }

  /// `why_not` begins the message if no convolution can have the stride.
  Status run(const std::string& why_not) {
    DEEPLAB_ASSIGN_OR_RETURN(const size_t strided, find_strided(why_not));
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      Op& op = graph_.ops[i];
      if (i == strided) {
        DEEPLAB_RETURN_IF_ERROR(add_stride(op));
      } else {
        DEEPLAB_RETURN_IF_ERROR(
            std::visit([&](auto& attributes) { return follow(op, attributes); }, op.attributes));
      }
      auto shape = graph::infer_shape(graph_, op);
      if (!shape.ok()) return unsupported("at a larger stride: ", shape.status().message());
      Shape expected = old(op.output());
      if (halved(op.output())) {
        expected[1] = half(expected[1]);
        expected[2] = half(expected[2]);
      }
      if (*shape != expected) {
        return refusal(op, "at a larger stride its result is ", graph::shape_text(*shape),
                       ", expected ", graph::shape_text(expected));
      }
      graph_.tensor(op.output()).shape = std::move(shape).value();
    }
    return {};
  }

 private:
  const Shape& old(TensorId id) const { return old_[static_cast<size_t>(id)]; }
  bool halved(TensorId id) const { return halved_[static_cast<size_t>(id)]; }
  void set_halved(const Op& op, bool value) { halved_[static_cast<size_t>(op.output())] = value; }

  /// The position of the convolution that gets the stride.
  Result<size_t> find_strided(const std::string& why_not) {
    const int dilated = first_dilated(graph_);
    if (dilated < 0) {
      return unsupported(why_not, "too few of its convolutions are dilated");
    }
    const Op& first = graph_.ops[static_cast<size_t>(dilated)];
    for (TensorId id = first.inputs[0];;) {
      const int position = graph_.producer(id);
      const std::string where =
          str_cat(why_not, "before its first dilated convolution, ", graph::op_label(first));
      if (position < 0) return unsupported(where, ", there is none that could have a stride");
      Op& op = graph_.ops[static_cast<size_t>(position)];
      if (convolution_window(op) != nullptr && has_window(graph_, op)) {
        return static_cast<size_t>(position);
      }
      if (!keeps_cells(graph_, op)) {
        return unsupported(where, ", ", graph::op_label(op),
                           " comes first, expected a convolution that could have a stride");
      }
      id = op.inputs[0];
    }
  }

  /// Padding after the last row: as much as `out` rows need.
  static int32_t pad_after(int32_t in, int32_t out, int32_t filter, int32_t stride,
                           int32_t dilation, int32_t before) {
    const int64_t reach = int64_t{out - 1} * stride + int64_t{filter - 1} * dilation + 1;
    return static_cast<int32_t>(std::max<int64_t>(0, reach - in - before));
  }

  /// The window with its padding made for the shapes at the larger stride.
  void settle(Op& op, Window window) {
    const Shape& in = graph_.tensor(op.inputs[0]).shape;
    const Shape& filter = graph_.tensor(op.inputs[1]).shape;
    const Shape& out = old(op.output());
    window.pad_bottom = pad_after(in[1], half(out[1]), filter[1], window.stride_h,
                                  window.dilation_h, window.pad_top);
    window.pad_right = pad_after(in[2], half(out[2]), filter[2], window.stride_w, window.dilation_w,
                                 window.pad_left);
    *convolution_window(op) = window;
    name_padding(graph_, op);
    set_halved(op, true);
  }

  /// The op's window, padding in numbers for the shapes it had.
  Result<Window> old_window(Op& op) {
    // The padding is that of the old input, whose shape may have changed already.
    Shape& shape = graph_.tensor(op.inputs[0]).shape;
    const Shape now = std::exchange(shape, old(op.inputs[0]));
    const auto window = with_explicit_padding(graph_, op, *convolution_window(op));
    shape = now;
    if (!window) return refusal(op, "its padding cannot be told");
    return *window;
  }

  Status add_stride(Op& op) {
    if (halved(op.inputs[0])) return refusal(op, "it follows a convolution that is strided");
    DEEPLAB_ASSIGN_OR_RETURN(Window window, old_window(op));
    window.stride_h *= 2;
    window.stride_w *= 2;
    settle(op, window);
    return {};
  }

  Status follow_convolution(Op& op) {
    set_halved(op, false);
    if (!halved(op.inputs[0])) return {};
    DEEPLAB_ASSIGN_OR_RETURN(Window window, old_window(op));
    const Shape& filter = graph_.tensor(op.inputs[1]).shape;
    const bool even_pads = window.pad_top % 2 == 0 && window.pad_left % 2 == 0;
    const bool even_rows = filter[1] == 1 || window.dilation_h % 2 == 0;
    const bool even_columns = filter[2] == 1 || window.dilation_w % 2 == 0;
    if (!even_pads || !even_rows || !even_columns) {
      return refusal(op, "it reads every neighbour (dilation ", window.dilation_h, "x",
                     window.dilation_w, ", padding ", window.pad_top, " above, ", window.pad_left,
                     " left), of which a larger stride keeps every second one");
    }
    if (filter[1] > 1) window.dilation_h /= 2;
    if (filter[2] > 1) window.dilation_w /= 2;
    window.pad_top /= 2;
    window.pad_left /= 2;
    settle(op, window);
    return {};
  }
  Status follow(Op& op, graph::Conv2D&) { return follow_convolution(op); }
  Status follow(Op& op, graph::DepthwiseConv2D&) { return follow_convolution(op); }

  /// Several operands, cell by cell.
  Status follow_join(Op& op) {
    std::optional<bool> all;
    for (TensorId id : op.inputs) {
      const graph::Tensor& tensor = graph_.tensor(id);
      if (is_spread(old(id))) continue;
      const bool coarse = !tensor.is_constant() && halved(id);
      if (all && *all != coarse) {
        return refusal(op, "it joins what a larger stride leaves at ", graph::shape_text(old(id)),
                       " with what it makes smaller");
      }
      all = coarse;
    }
    set_halved(op, all.value_or(false));
    return {};
  }
  Status follow(Op& op, graph::Add&) { return follow_join(op); }
  Status follow(Op& op, graph::Sub&) { return follow_join(op); }
  Status follow(Op& op, graph::Mul&) { return follow_join(op); }
  Status follow(Op& op, graph::Binary&) { return follow_join(op); }
  Status follow(Op& op, graph::Concatenation& a) {
    DEEPLAB_RETURN_IF_ERROR(follow_join(op));
    if (halved(op.output()) && a.axis != 3) return refusal(op, "it joins pictures, not channels");
    return {};
  }

  Status follow(Op& op, graph::AveragePool2D& a) {
    set_halved(op, false);
    if (!halved(op.inputs[0])) return {};
    if (!is_spread(old(op.output()))) {
      return refusal(op, "it averages neighbours, of which a larger stride keeps every second one");
    }
    const Shape& before = old(op.inputs[0]);
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    if (a.filter_h < before[1] || a.filter_w < before[2]) {
      return refusal(op, "it averages a part of the picture");
    }
    a.filter_h = after[1];
    a.filter_w = after[2];
    return {};
  }
  Status follow(Op& op, graph::Mean& a) {
    const auto over = [&](int32_t axis) { return std::ranges::count(a.axes, axis) > 0; };
    const bool coarse = halved(op.inputs[0]);
    const bool over_picture = over(1) && over(2);
    if (coarse && !over_picture && (over(1) || over(2) || !a.keep_dims)) {
      return refusal(op, "it averages a part of the picture");
    }
    set_halved(op, coarse && !over_picture);
    return {};
  }

  /// What has the size of a picture that was there before has that picture's.
  Status follow_target(Op& op, size_t position_limit, int32_t& height, int32_t& width) {
    const Shape& target = old(op.output());
    bool coarse = false;
    if (same_size(target, old(graph_.inputs[0]))) {
      coarse = false;
    } else if (same_size(target, old(op.inputs[0]))) {
      coarse = halved(op.inputs[0]);
    } else {
      for (size_t i = position_limit; i-- > 0;) {
        const TensorId id = graph_.ops[i].output();
        if (!same_size(target, old(id))) continue;
        coarse = halved(id);
        break;
      }
    }
    set_halved(op, coarse);
    if (coarse) {
      height = half(height);
      width = half(width);
    }
    return {};
  }
  size_t position_of(const Op& op) const { return static_cast<size_t>(&op - graph_.ops.data()); }
  Status follow(Op& op, graph::ResizeBilinear& a) {
    return follow_target(op, position_of(op), a.height, a.width);
  }
  Status follow(Op& op, graph::ResizeNearestNeighbor& a) {
    return follow_target(op, position_of(op), a.height, a.width);
  }
  Status follow(Op& op, graph::Tile& a) {
    if (a.multiples.size() == 4 && is_spread(old(op.inputs[0]))) {
      return follow_target(op, position_of(op), a.multiples[1], a.multiples[2]);
    }
    return follow_alone(op);
  }

  Status follow(Op& op, graph::Pad& a) {
    const bool coarse = halved(op.inputs[0]);
    set_halved(op, coarse);
    if (!coarse) return {};
    for (size_t axis : {size_t{1}, size_t{2}}) {
      auto& [before, after] = a.amounts[axis];
      if (before % 2 != 0) return refusal(op, "its padding of ", before, " cannot be halved");
      before /= 2;
      const int32_t in = graph_.tensor(op.inputs[0]).shape[axis];
      after = std::max(0, half(old(op.output())[axis]) - in - before);
    }
    return {};
  }
  Status follow(Op& op, graph::Reshape& a) {
    const bool coarse = halved(op.inputs[0]);
    set_halved(op, coarse);
    if (!coarse) return {};
    const Shape& to = old(op.output());
    if (!same_size(to, old(op.inputs[0]))) {
      return refusal(op, "its shape mixes the picture's dimensions with others");
    }
    a.shape = to;
    a.shape[1] = half(to[1]);
    a.shape[2] = half(to[2]);
    return {};
  }
  Status follow(Op& op, graph::ArgMax& a) {
    set_halved(op, halved(op.inputs[0]));
    if (!halved(op.inputs[0]) || a.axis == 3) return {};
    return refusal(op, "it chooses along the picture");
  }

  /// Ops that handle each cell by itself.
  Status pass_on(Op& op) {
    set_halved(op, halved(op.inputs[0]));
    return {};
  }
  Status follow(Op& op, graph::Quantize&) { return pass_on(op); }
  Status follow(Op& op, graph::Dequantize&) { return pass_on(op); }
  Status follow(Op& op, graph::Softmax&) { return pass_on(op); }
  Status follow(Op& op, graph::Relu&) { return pass_on(op); }
  Status follow(Op& op, graph::Relu6&) { return pass_on(op); }
  Status follow(Op& op, graph::Unary&) { return pass_on(op); }
  Status follow(Op& op, graph::Cast&) { return pass_on(op); }
  Status follow(Op& op, graph::Prelu&) {
    if (halved(op.inputs[0]) && !is_spread(graph_.tensor(op.inputs[1]).shape)) {
      return follow_alone(op);
    }
    return pass_on(op);
  }

  /// Ops that cannot follow.
  Status follow_alone(Op& op) {
    set_halved(op, false);
    if (!halved(op.inputs[0])) return {};
    return refusal(op, "it cannot follow a larger stride");
  }
  template <typename Other>
  Status follow(Op& op, Other&) {
    return follow_alone(op);
  }

  Graph& graph_;
  std::vector<Shape> old_;
  std::vector<bool> halved_;  ///< By tensor: every second row and column of what it was.
};

}  // namespace

int32_t output_stride(const Graph& graph) {
  std::vector<int32_t> strides(graph.tensors.size(), 1);
  int32_t largest = 1;
  for (Op op : graph.ops) {  // a copy: convolution_window() takes no const one
    const Window* const window = convolution_window(op);
    // A resize starts over.
    if (std::holds_alternative<graph::ResizeBilinear>(op.attributes) ||
        std::holds_alternative<graph::ResizeNearestNeighbor>(op.attributes)) {
      continue;
    }
    int32_t stride = 1;
    for (TensorId id : op.inputs) {
      if (id != graph::kNoTensor) stride = std::max(stride, strides[static_cast<size_t>(id)]);
    }
    if (window != nullptr) {
      const int64_t product = int64_t{stride} * std::max(window->stride_h, window->stride_w);
      stride = static_cast<int32_t>(std::min<int64_t>(product, kLargestStride));
      largest = std::max(largest, stride);
    }
    strides[static_cast<size_t>(op.output())] = stride;
  }
  return largest;
}

Status set_output_stride(Graph& graph, int32_t stride, const graph::Limits& limits) {
  const int32_t from = output_stride(graph);
  if (stride == from) return {};
  const int32_t factor = stride / from;
  if (stride % from != 0 || factor < 2 || !std::has_single_bit(static_cast<uint32_t>(factor))) {
    return unsupported("its output stride is ", from, ": expected ", from, ", ", 2 * from, " or ",
                       4 * from, ", found ", stride);
  }
  Graph coarser = graph;
  fold_space_to_batch(coarser);
  for (int32_t now = from; now < stride; now *= 2) {
    DEEPLAB_RETURN_IF_ERROR(Coarsener(coarser).run(
        str_cat("its output stride is ", from, " and cannot be ", stride, ": ")));
  }
  DEEPLAB_RETURN_IF_ERROR(graph::validate(coarser, limits));
  graph = std::move(coarser);
  return {};
}

}  // namespace deeplab::passes
