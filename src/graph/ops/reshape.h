// RESHAPE, and what other ops of the file say with it.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: same elements, `shape` of the output with at most one -1.
struct Reshape {
  std::vector<int32_t> shape;

  static constexpr std::string_view kName = "RESHAPE";
  static constexpr bool kKeepsParameters = true;
  static constexpr bool kIgnoresScales = true;
  static void fields(auto& a, auto&& visit) { visit(FieldName{"to", "shape"}, a.shape); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

}  // namespace deeplab::graph
