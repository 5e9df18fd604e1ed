#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

Result<Shape> broadcast(const OpView& op) {
  if (!broadcastable(op.shape(1), op.shape())) {
    return op.error("the second input ", shape_text(op.shape(1)),
                    " is neither of the shape of the first, ", shape_text(op.shape()),
                    ", nor broadcastable to it");
  }
  return op.shape();
}

Status check_sum(const OpView& op) {
  DEEPLAB_RETURN_IF_ERROR(op.two_operands());
  DEEPLAB_RETURN_IF_ERROR(op.expect_rescale(op.in(0)));
  return op.expect_rescale(op.in(1));
}

Status expect_product(const OpView& op) {
  return op.expect_factor(double{op.in(0).quantization.scale()} * op.in(1).quantization.scale() /
                          op.out().quantization.scale());
}

}  // namespace

Result<Shape> Add::output_shape(const OpView& op) const { return broadcast(op); }
Status Add::check_types(const OpView& op) const { return check_sum(op); }

Result<Shape> Sub::output_shape(const OpView& op) const { return broadcast(op); }
Status Sub::check_types(const OpView& op) const { return check_sum(op); }

Result<Shape> Mul::output_shape(const OpView& op) const { return broadcast(op); }
Status Mul::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.two_operands());
  return is_eight_bit(op.in(0)) ? expect_product(op) : Status();
}

Result<Shape> Prelu::output_shape(const OpView& op) const { return broadcast(op); }
Status Prelu::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.two_operands());
  if (!is_eight_bit(op.in(0))) return {};
  DEEPLAB_RETURN_IF_ERROR(op.expect_rescale(op.in(0)));
  return expect_product(op);
}

Result<Shape> Binary::output_shape(const OpView& op) const { return broadcast(op); }
/// Of 8 bits TensorFlow Lite compares the stored numbers, whatever their scales.
Status Binary::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.two_operands());
  const bool compares =
      function == BinaryFunction::kMaximum || function == BinaryFunction::kMinimum;
  return compares ? Status() : op.expect_type(op.in(0), "inputs", DataType::kFloat32);
}

}  // namespace deeplab::graph
