// RELU, RELU6.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: max(x, 0).
struct Relu {
  static constexpr std::string_view kName = "RELU";
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

/// {x}: min(max(x, 0), 6).
struct Relu6 {
  static constexpr std::string_view kName = "RELU6";
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
