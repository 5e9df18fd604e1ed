// SOFTMAX.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: softmax(beta * x) along the last dimension.
struct Softmax {
  float beta = 1.0f;

  static constexpr std::string_view kName = "SOFTMAX";
  static void fields(auto& a, auto&& visit) { visit(FieldName{"beta", "beta"}, a.beta); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
