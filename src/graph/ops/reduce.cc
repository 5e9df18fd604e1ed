#include <algorithm>

#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

Result<Shape> reduced(const OpView& op, std::span<const int32_t> axes, bool keep_dims) {
  for (size_t i = 0; i < axes.size(); ++i) {
    DEEPLAB_RETURN_IF_ERROR(op.expect_axis(axes[i]));
    if (i > 0 && axes[i] <= axes[i - 1]) {
      return op.error("expected sorted axes without repetition");
    }
  }
  Shape out;
  for (size_t d = 0; d < op.shape().size(); ++d) {
    if (!std::ranges::binary_search(axes, static_cast<int32_t>(d))) {
      out.push_back(op.shape()[d]);
    } else if (keep_dims) {
      out.push_back(1);
    }
  }
  return out;
}

}  // namespace

Result<Shape> Mean::output_shape(const OpView& op) const { return reduced(op, axes, keep_dims); }
Status Mean::check_types(const OpView& op) const {
  int64_t averaged = 1;
  for (int32_t axis : axes) averaged *= op.shape()[static_cast<size_t>(axis)];
  DEEPLAB_RETURN_IF_ERROR(op.expect_averaged(averaged));
  DEEPLAB_RETURN_IF_ERROR(op.same_type());
  return op.expect_rescale(op.in(0));
}

Result<Shape> Reduce::output_shape(const OpView& op) const { return reduced(op, axes, keep_dims); }
Status Reduce::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.same_type());
  return picks(function) ? Status() : op.expect_type(op.in(0), "an input", DataType::kFloat32);
}

}  // namespace deeplab::graph
