#include <algorithm>

#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

template <typename Pool>
Result<Shape> pooled(const OpView& op, const Pool& a) {
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", op.shape(), 4));
  const Window& w = a.window;
  if (w.dilation_h != 1 || w.dilation_w != 1) {
    return op.error("expected no dilation, found ", w.dilation_h, "x", w.dilation_w);
  }
  if (w.padding == Padding::kExplicit && (std::max(w.pad_top, w.pad_bottom) >= a.filter_h ||
                                          std::max(w.pad_left, w.pad_right) >= a.filter_w)) {
    return op.error("the padding leaves a window without a single input element");
  }
  return op.slide(w, a.filter_h, a.filter_w, op.shape()[3]);
}

/// Elements of a window that can be inside the picture.
template <typename Pool>
int64_t window_elements(const OpView& op, const Pool& a) {
  return int64_t{std::min(a.filter_h, op.shape()[1])} * std::min(a.filter_w, op.shape()[2]);
}

/// A window that saw its whole input still sees it.
template <typename Pool>
Status resize_pool(const Canvas& canvas, const Op& op, Pool& a) {
  const Shape& before = canvas.old(op.inputs[0]);
  const Shape& result = canvas.old(op.output());
  const Shape& after = canvas.now(op.inputs[0]);
  if (a.filter_h >= before[1] && result[1] == 1) a.filter_h = after[1];
  if (a.filter_w >= before[2] && result[2] == 1) a.filter_w = after[2];
  return {};
}

}  // namespace

Result<Shape> AveragePool2D::output_shape(const OpView& op) const { return pooled(op, *this); }
Status AveragePool2D::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_averaged(window_elements(op, *this)));
  return op.same_type();
}
int64_t AveragePool2D::additions(const OpView& op) const { return window_elements(op, *this); }
Status AveragePool2D::resize(Canvas& canvas, const Op& op) {
  return resize_pool(canvas, op, *this);
}

Result<Shape> MaxPool2D::output_shape(const OpView& op) const { return pooled(op, *this); }
Status MaxPool2D::check_types(const OpView& op) const { return op.same_type(); }
int64_t MaxPool2D::additions(const OpView& op) const { return window_elements(op, *this); }
Status MaxPool2D::resize(Canvas& canvas, const Op& op) { return resize_pool(canvas, op, *this); }

}  // namespace deeplab::graph
