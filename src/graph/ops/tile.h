// TILE.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}; `multiples` has one entry per dimension.
struct Tile {
  std::vector<int32_t> multiples;

  static constexpr std::string_view kName = "TILE";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"multiples", "multiples"}, a.multiples);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

}  // namespace deeplab::graph
