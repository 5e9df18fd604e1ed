// ADD, SUB, MUL, PRELU, and the functions of two numbers.
#pragma once

#include "base/functions.h"
#include "graph/op_parts.h"

namespace deeplab::graph {

/// {a, b}, same shape or b broadcastable to a -> a's shape
struct Add {
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "ADD";
  static constexpr Arity kInputs = kTwoInputs;
  static void fields(auto& a, auto&& visit) { visit(kActivationField, a.activation); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  void swap_inputs() {}
};

/// {a, b} as ADD: a - b; b - a if `reversed`, since only b may be broadcast.
struct Sub {
  Activation activation = Activation::kNone;
  bool reversed = false;

  static constexpr std::string_view kName = "SUB";
  static constexpr Arity kInputs = kTwoInputs;
  static void fields(auto& a, auto&& visit) {
    visit(kActivationField, a.activation);
    visit(FieldName{"reversed", "reversed", {}, true}, a.reversed);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  void swap_inputs() { reversed = true; }
};

/// {a, b} as ADD: a * b
struct Mul {
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "MUL";
  static constexpr Arity kInputs = kTwoInputs;
  static void fields(auto& a, auto&& visit) { visit(kActivationField, a.activation); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  void swap_inputs() {}
};

/// {x, alpha broadcastable to x}: x, or alpha * x below 0.
struct Prelu {
  static constexpr std::string_view kName = "PRELU";
  static constexpr Arity kInputs = kTwoInputs;
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

using deeplab::BinaryFunction;
/// {a, b} as ADD: the function of each pair, which gives the op its name.
struct Binary {
  BinaryFunction function = BinaryFunction::kMaximum;
  Activation activation = Activation::kNone;  ///< Of kDiv only.
  bool reversed = false;                      ///< Of ordered ones only: f(b, a).

  static constexpr Arity kInputs = kTwoInputs;
  static void fields(auto& a, auto&& visit) {
    visit(kActivationField, a.activation);
    visit(FieldName{"reversed", "reversed", {}, true}, a.reversed);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  void swap_inputs() { reversed = is_ordered(function); }
};

}  // namespace deeplab::graph
