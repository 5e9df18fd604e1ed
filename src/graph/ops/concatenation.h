// CONCATENATION.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x0, x1, ...} joined along `axis` (non-negative).
struct Concatenation {
  int32_t axis = 0;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "CONCATENATION";
  static constexpr Arity kInputs = {1, 1 << 10};
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"axis", "axis"}, a.axis);
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
