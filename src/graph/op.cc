#include "graph/op.h"

#include <limits>
#include <string>

#include "base/status.h"
#include "graph/op_fields.h"

namespace deeplab::graph {

std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kReluN1To1:
      return "relu_n1_to_1";
    case Activation::kRelu6:
      return "relu6";
  }
  return "unknown";
}

Interval interval(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::kRelu:
      return {0, kInfinity};
    case Activation::kReluN1To1:
      return {-1, 1};
    case Activation::kRelu6:
      return {0, 6};
    case Activation::kNone:
      break;
  }
  return {-kInfinity, kInfinity};
}

Activation fused_activation(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.activation; }) {
          return a.activation;
        } else {
          return Activation::kNone;
        }
      },
      attributes);
}

Activation activation_of(const Attributes& attributes) {
  if (std::holds_alternative<Relu>(attributes)) return Activation::kRelu;
  if (std::holds_alternative<Relu6>(attributes)) return Activation::kRelu6;
  return fused_activation(attributes);
}

std::string_view padding_name(Padding padding) {
  switch (padding) {
    case Padding::kSame:
      return "same";
    case Padding::kValid:
      return "valid";
    case Padding::kExplicit:
      return "explicit";
  }
  return "unknown";
}

std::string_view function_name(UnaryFunction function) {
  constexpr std::string_view kNames[kUnaryFunctions] = {
      "LOGISTIC", "TANH",  "HARD_SWISH", "LEAKY_RELU", "ELU", "EXP",
      "SQRT",     "RSQRT", "SQUARE",     "ABS",        "NEG", "LOG"};
  return kNames[static_cast<size_t>(function)];
}

std::string_view function_name(BinaryFunction function) {
  constexpr std::string_view kNames[kBinaryFunctions] = {"MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE",
                                                         "DIV"};
  return kNames[static_cast<size_t>(function)];
}

std::string_view function_name(ReduceFunction function) {
  constexpr std::string_view kNames[kReduceFunctions] = {"SUM", "REDUCE_MAX"};
  return kNames[static_cast<size_t>(function)];
}

std::string_view op_name(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) -> std::string_view {
        if constexpr (requires { a.function; }) {
          return function_name(a.function);
        } else {
          return OpDescription<std::remove_cvref_t<decltype(a)>>::kName;
        }
      },
      attributes);
}

std::string op_label(const Op& op) {
  return str_cat("op ", op.index, " (", op_name(op.attributes), ")");
}

}  // namespace deeplab::graph
