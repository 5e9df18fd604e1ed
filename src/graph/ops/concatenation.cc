#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> Concatenation::output_shape(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.expect_axis(axis));
  const Shape& first = op.shape();
  const auto along = static_cast<size_t>(axis);
  int64_t joined = 0;
  for (size_t k = 0; k < op.inputs(); ++k) {
    Shape other = op.shape(k);
    if (other.size() == first.size()) {
      joined += other[along];
      other[along] = first[along];
    }
    if (other != first) {
      return op.error("input ", k, " is ", shape_text(op.shape(k)), ", but input 0 is ",
                      shape_text(first), "; they may differ along dimension ", axis, " only");
    }
  }
  return op.with_dimension(first, along, joined);
}

Status Concatenation::check_types(const OpView& op) const {
  if (activation != Activation::kNone) {
    return op.not_supported("expected no fused activation, found ", activation_name(activation));
  }
  DEEPLAB_RETURN_IF_ERROR(op.computable(op.in(0), "input 0"));
  DEEPLAB_RETURN_IF_ERROR(op.expect_type(op.out(), "output", op.in(0).type));
  for (size_t k = 0; k < op.inputs(); ++k) {
    DEEPLAB_RETURN_IF_ERROR(op.expect_type(op.in(k), "an input", op.in(0).type));
    DEEPLAB_RETURN_IF_ERROR(op.expect_per_tensor(op.in(k)));
    // TensorFlow Lite rescales uint8 inputs only.
    DEEPLAB_RETURN_IF_ERROR(op.out().file_type == DataType::kInt8
                                ? op.expect_parameters_of(op.in(k))
                                : op.expect_rescale(op.in(k)));
  }
  return {};
}

}  // namespace deeplab::graph
