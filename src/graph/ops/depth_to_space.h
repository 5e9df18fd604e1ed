// DEPTH_TO_SPACE, SPACE_TO_DEPTH.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x [N,H,W,C]} -> [N,H*block,W*block,C/block^2]
struct DepthToSpace {
  int32_t block = 1;

  static constexpr std::string_view kName = "DEPTH_TO_SPACE";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) { visit(FieldName{"block", "block"}, a.block); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

/// {x [N,H,W,C]} -> [N,H/block,W/block,C*block^2]
struct SpaceToDepth {
  int32_t block = 1;

  static constexpr std::string_view kName = "SPACE_TO_DEPTH";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) { visit(FieldName{"block", "block"}, a.block); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
