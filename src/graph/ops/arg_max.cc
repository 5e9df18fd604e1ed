#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> ArgMax::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_axis(axis));
  Shape out = op.shape();
  out.erase(out.begin() + axis);
  return out;
}

Status ArgMax::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.computable(op.in(0), "input"));
  DEEPLAB_RETURN_IF_ERROR(op.expect_activation(0));
  if (op.out().type == DataType::kInt32 || op.out().type == DataType::kInt64) return {};
  return op.not_supported("expected an output of int32 or int64, found ", type_name(op.out().type));
}

}  // namespace deeplab::graph
