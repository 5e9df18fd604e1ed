// TRANSPOSE.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: dimension d of the output is dimension permutation[d] of x.
struct Transpose {
  std::vector<int32_t> permutation;

  static constexpr std::string_view kName = "TRANSPOSE";
  static constexpr bool kKeepsParameters = true;
  static constexpr bool kIgnoresScales = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"permutation", "permutation"}, a.permutation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
