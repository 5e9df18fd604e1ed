#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> Quantize::output_shape(const OpView& op) const { return op.shape(); }
Status Quantize::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.computable(op.in(0), "input"));
  DEEPLAB_RETURN_IF_ERROR(op.expect_activation(0));
  if (!is_eight_bit(op.out())) {
    return op.not_supported("expected an output of uint8 or int8, found ",
                            type_name(op.out().type));
  }
  return op.expect_rescale(op.in(0));
}

Result<Shape> Dequantize::output_shape(const OpView& op) const { return op.shape(); }
Status Dequantize::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_activation(0));
  if (!is_eight_bit(op.in(0))) {
    return op.not_supported("expected an input of uint8 or int8, found ", type_name(op.in(0).type));
  }
  return op.expect_type(op.out(), "output", DataType::kFloat32);
}

Result<Shape> Cast::output_shape(const OpView& op) const { return op.shape(); }
Status Cast::check_types(const OpView& op) const { return op.expect_activation(0); }

}  // namespace deeplab::graph
