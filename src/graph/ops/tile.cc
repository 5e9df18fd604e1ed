#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> Tile::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("multiples", multiples.size()));
  Shape out = op.shape();
  for (size_t d = 0; d < out.size(); ++d) {
    if (multiples[d] < 1) {
      return op.error("expected multiples of at least 1, found ", multiples[d]);
    }
    DEEPLAB_ASSIGN_OR_RETURN(
        out, op.with_dimension(std::move(out), d, int64_t{op.shape()[d]} * multiples[d]));
  }
  return out;
}

Status Tile::check_types(const OpView& op) const { return op.same_type(); }

/// Repeating one pixel over a picture: as large as the picture that it is joined with.
Status Tile::resize(Canvas& canvas, const Op& op) {
  const auto before = size_of_picture(canvas.old(op.inputs[0]));
  const auto target = size_of_picture(canvas.old(op.output()));
  if (!before || *before != Size{1, 1} || *target == Size{1, 1}) return {};
  const auto size = canvas.followed(*target, op.inputs[0]);
  if (!size) {
    return canvas.cannot_follow(op, str_cat("no other tensor has the size ", target->height, "x",
                                            target->width, " that it tiles to"));
  }
  multiples[1] = size->height;
  multiples[2] = size->width;
  return {};
}

}  // namespace deeplab::graph
