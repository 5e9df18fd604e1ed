#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> Transpose::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_entries("a permutation", permutation.size()));
  std::vector<bool> seen(op.shape().size());
  Shape out;
  for (int32_t d : permutation) {
    DEEPLAB_RETURN_IF_ERROR(op.expect_axis(d));
    if (seen[static_cast<size_t>(d)]) {
      return op.error("dimension ", d, " occurs twice in the permutation");
    }
    seen[static_cast<size_t>(d)] = true;
    out.push_back(op.shape()[static_cast<size_t>(d)]);
  }
  return out;
}

Status Transpose::check_types(const OpView& op) const { return op.same_type_or_labels(); }

}  // namespace deeplab::graph
