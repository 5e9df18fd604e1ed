#include <cmath>

#include "graph/op_view.h"

namespace deeplab::graph {

bool has_8_bit_form(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kLogistic:
    case UnaryFunction::kTanh:
    case UnaryFunction::kHardSwish:
    case UnaryFunction::kLeakyRelu:
    case UnaryFunction::kElu:
      return true;
    default:
      return false;
  }
}

Result<Shape> Unary::output_shape(const OpView& op) const { return op.shape(); }

Status Unary::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.same_type());
  if (!std::isfinite(alpha)) return op.error("expected a finite alpha, found ", alpha);
  const DataType type = op.out().type;
  if (!is_eight_bit(op.out())) return {};
  if (!has_8_bit_form(function)) {
    return op.not_supported("expected float32, found ", type_name(type));
  }
  switch (function) {
    case UnaryFunction::kLeakyRelu:
      return op.expect_rescale(op.in(0));
    case UnaryFunction::kLogistic:
      return op.expect_output(1.0 / 256, type == DataType::kInt8 ? -128 : 0);
    case UnaryFunction::kTanh:
      return op.expect_output(1.0 / 128, type == DataType::kInt8 ? 0 : 128);
    default:
      return {};
  }
}

}  // namespace deeplab::graph
