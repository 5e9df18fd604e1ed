// MEAN, SUM, REDUCE_MAX.
#pragma once

#include "base/functions.h"
#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}; mean over `axes` (sorted, non-negative, no duplicates).
struct Mean {
  std::vector<int32_t> axes;
  bool keep_dims = false;

  static constexpr std::string_view kName = "MEAN";
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"axes", "axes"}, a.axes);
    visit(FieldName{"keep_dims", "keep_dims"}, a.keep_dims);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

using deeplab::ReduceFunction;
/// {x}; the function, which gives the op its name, of all numbers over `axes`, as MEAN has them.
struct Reduce {
  ReduceFunction function = ReduceFunction::kSum;
  std::vector<int32_t> axes;
  bool keep_dims = false;

  static void fields(auto& a, auto&& visit) { Mean::fields(a, visit); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
