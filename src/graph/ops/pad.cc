#include <algorithm>

#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

Result<Shape> padded(const OpView& op, const Amounts& amounts) {
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("amounts", amounts.size()));
  Shape out = op.shape();
  for (size_t d = 0; d < out.size(); ++d) {
    const auto [before, after] = amounts[d];
    DEEPLAB_RETURN_IF_ERROR(op.expect_padding(before, after));
    DEEPLAB_ASSIGN_OR_RETURN(
        out, op.with_dimension(std::move(out), d, int64_t{op.shape()[d]} + before + after));
  }
  return out;
}

}  // namespace

Result<Shape> Pad::output_shape(const OpView& op) const { return padded(op, amounts); }
Status Pad::check_types(const OpView& op) const { return op.same_type(); }

Result<Shape> MirrorPad::output_shape(const OpView& op) const {
  DEEPLAB_ASSIGN_OR_RETURN(Shape out, padded(op, amounts));
  for (size_t d = 0; d < out.size(); ++d) {
    const int32_t most = symmetric ? op.shape()[d] : op.shape()[d] - 1;
    if (std::max(amounts[d][0], amounts[d][1]) > most) {
      return op.error("expected amounts of at most ", most, " along dimension ", d, ", found ",
                      amounts[d][0], " and ", amounts[d][1]);
    }
  }
  return out;
}
Status MirrorPad::check_types(const OpView& op) const { return op.same_type(); }

}  // namespace deeplab::graph
