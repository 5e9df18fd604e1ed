#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> Slice::output_shape(const OpView& op) const {
  const Shape& x = op.shape();
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("a begin", begin.size()));
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("a size", size.size()));
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("a step", step.size()));
  for (size_t d = 0; d < x.size(); ++d) {
    const int64_t last = begin[d] + (int64_t{size[d]} - 1) * step[d];
    const auto inside = [&](int64_t at) { return at >= 0 && at < x[d]; };
    if (size[d] < 1 || step[d] == 0 || !inside(begin[d]) || !inside(last)) {
      return op.error("cannot take ", size[d], " elements, ", step[d], " apart, from ", begin[d],
                      " on along dimension ", d, " of the input ", shape_text(x));
    }
  }
  Shape out = size;
  for (size_t i = dropped.size(); i-- > 0;) {
    const int32_t d = dropped[i];
    DEEPLAB_RETURN_IF_ERROR(op.expect_axis(d));
    if (size[static_cast<size_t>(d)] != 1 || (i + 1 < dropped.size() && d >= dropped[i + 1])) {
      return op.error("cannot drop dimension ", d, " of ", shape_text(size));
    }
    out.erase(out.begin() + d);
  }
  return out;
}

Status Slice::check_types(const OpView& op) const { return op.same_type_or_labels(); }

/// What it left out at both ends of a dimension is left out again.
Status Slice::resize(Canvas& canvas, const Op& op) {
  const Shape& before = canvas.old(op.inputs[0]);
  const Shape& after = canvas.now(op.inputs[0]);
  for (size_t d = 0; d < before.size(); ++d) {
    if (before[d] == after[d]) continue;
    if (step[d] != 1 || size[d] == 1) {
      return canvas.cannot_follow(op, str_cat("it takes single elements along dimension ", d));
    }
    size[d] += after[d] - before[d];
  }
  return {};
}

}  // namespace deeplab::graph
