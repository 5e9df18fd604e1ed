// The functions of one number: LOGISTIC, TANH, ...
#pragma once

#include "base/functions.h"
#include "graph/op_parts.h"

namespace deeplab::graph {

using deeplab::UnaryFunction;
/// Whether TensorFlow Lite's kernels run it on 8-bit numbers.
bool has_8_bit_form(UnaryFunction function);

/// {x}: the function, which gives the op its name, of each element.
struct Unary {
  UnaryFunction function = UnaryFunction::kLogistic;
  float alpha = 0;  ///< Of kLeakyRelu only.

  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"alpha", "alpha", {}, false, 0}, a.alpha);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
