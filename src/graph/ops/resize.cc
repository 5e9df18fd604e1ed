#include <algorithm>

#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

template <typename Resize>
Result<Shape> resized(const OpView& op, const Resize& a) {
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", op.shape(), 4));
  if (a.height < 1 || a.width < 1 || std::max(a.height, a.width) > kMaxSide) {
    return op.error("expected a target size of 1x1 to ", kMaxSide, "x", kMaxSide, ", found ",
                    a.height, "x", a.width);
  }
  if (a.align_corners && a.half_pixel_centers) {
    return op.error("align_corners and half_pixel_centers exclude each other");
  }
  return Shape{op.shape()[0], a.height, a.width, op.shape()[3]};
}

/// If the target is of no known picture's size, the same fraction of the model's input.
template <typename Resize>
Status resize_target(const Canvas& canvas, const Op& op, Resize& a) {
  const Size target{a.height, a.width};
  const Size to = canvas.followed(target, op.inputs[0]).value_or(canvas.scaled(target));
  a.height = to.height;
  a.width = to.width;
  return {};
}

}  // namespace

// Values are mixed as stored, whatever scale either side says they have.
Result<Shape> ResizeBilinear::output_shape(const OpView& op) const { return resized(op, *this); }
Status ResizeBilinear::check_types(const OpView& op) const { return op.same_type(); }
Status ResizeBilinear::resize(Canvas& canvas, const Op& op) {
  return resize_target(canvas, op, *this);
}

Result<Shape> ResizeNearestNeighbor::output_shape(const OpView& op) const {
  return resized(op, *this);
}
Status ResizeNearestNeighbor::check_types(const OpView& op) const { return op.same_type(); }
Status ResizeNearestNeighbor::resize(Canvas& canvas, const Op& op) {
  return resize_target(canvas, op, *this);
}

}  // namespace deeplab::graph
