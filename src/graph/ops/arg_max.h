// ARG_MAX.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: index of the largest along `axis` (non-negative), the lowest index if equal;
/// int32 or int64 by the output tensor's type.
struct ArgMax {
  int32_t axis = 0;

  static constexpr std::string_view kName = "ARG_MAX";
  static void fields(auto& a, auto&& visit) { visit(FieldName{"axis", "axis"}, a.axis); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
