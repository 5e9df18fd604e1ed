#include <cmath>

#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

/// TensorFlow Lite sums a softmax's exponentials in 12 integer bits.
constexpr int32_t kMaxSoftmaxDepth = 4096;

}  // namespace

Result<Shape> Softmax::output_shape(const OpView& op) const {
  if (op.shape().empty()) return op.error("expected an input with a last dimension");
  return op.shape();
}

Status Softmax::check_types(const OpView& op) const {
  DEEPLAB_RETURN_IF_ERROR(op.same_type());
  if (!std::isfinite(beta) || beta <= 0) {
    return op.error("expected beta above 0, found ", beta);
  }
  if (!is_eight_bit(op.out())) return {};
  if (op.shape().back() > kMaxSoftmaxDepth) {
    return op.not_supported("expected at most ", kMaxSoftmaxDepth, " classes, found ",
                            op.shape().back());
  }
  return op.expect_output(1.0 / 256, op.out().type == DataType::kInt8 ? -128 : 0);
}

}  // namespace deeplab::graph
