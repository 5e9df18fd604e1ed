// PAD, MIRROR_PAD.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}; {before, after} per dimension, filled with `value`, a real number (0 is the zero point when
/// quantized).
struct Pad {
  Amounts amounts;
  float value = 0;

  static constexpr std::string_view kName = "PAD";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"by", "amounts"}, a.amounts);
    visit(FieldName{"value", "value", {}, false, 0}, a.value);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

/// {x}; {before, after} per dimension, filled with x mirrored at its border; the border's own
/// elements are repeated if `symmetric`.
struct MirrorPad {
  Amounts amounts;
  bool symmetric = false;

  static constexpr std::string_view kName = "MIRROR_PAD";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"by", "amounts"}, a.amounts);
    visit(FieldName{"symmetric", "symmetric"}, a.symmetric);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
