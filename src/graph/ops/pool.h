// AVERAGE_POOL_2D, MAX_POOL_2D.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x [N,H,W,C]} -> [N,Ho,Wo,C]; the mean is over the elements inside the picture.
struct AveragePool2D {
  Window window;
  int32_t filter_h = 1;
  int32_t filter_w = 1;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "AVERAGE_POOL_2D";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(kWindowField, a.window);
    visit(FieldName{"window", "filter", {}, true}, FieldPair{a.filter_h, a.filter_w});
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t additions(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

/// {x [N,H,W,C]} -> [N,Ho,Wo,C]; the largest of the elements inside the picture.
struct MaxPool2D {
  Window window;
  int32_t filter_h = 1;
  int32_t filter_w = 1;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "MAX_POOL_2D";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) { AveragePool2D::fields(a, visit); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t additions(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

}  // namespace deeplab::graph
