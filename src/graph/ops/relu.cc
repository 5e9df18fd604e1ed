#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

Status check_relu(const OpView& op) {
  DEEPLAB_RETURN_IF_ERROR(op.same_type());
  return op.expect_rescale(op.in(0));
}

}  // namespace

Result<Shape> Relu::output_shape(const OpView& op) const { return op.shape(); }
Status Relu::check_types(const OpView& op) const { return check_relu(op); }

Result<Shape> Relu6::output_shape(const OpView& op) const { return op.shape(); }
Status Relu6::check_types(const OpView& op) const { return check_relu(op); }

}  // namespace deeplab::graph
