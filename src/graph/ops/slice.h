// STRIDED_SLICE, and what other ops of the file say with it.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}; per dimension `size` elements, `step` apart, from `begin` on; step is never 0 and may be
/// negative. The dimensions in `dropped` (sorted, of size 1) are left out of the output's shape.
struct Slice {
  std::vector<int32_t> begin;
  std::vector<int32_t> size;
  std::vector<int32_t> step;
  std::vector<int32_t> dropped;

  static constexpr std::string_view kName = "STRIDED_SLICE";
  static constexpr bool kKeepsParameters = true;
  static constexpr bool kIgnoresScales = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"begin", "begin"}, a.begin);
    visit(FieldName{"size", "size"}, a.size);
    visit(FieldName{"step", "step"}, a.step);
    visit(FieldName{"dropped", "dropped"}, a.dropped);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

}  // namespace deeplab::graph
