#include "graph/op.h"

#include <limits>
#include <string>

#include "base/status.h"

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

std::string_view op_name(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) -> std::string_view {
        if constexpr (requires { a.function; }) {
          return function_name(a.function);
        } else {
          return a.kName;
        }
      },
      attributes);
}

std::vector<Attributes> all_ops() {
#define DEEPLAB_OP(Name) Name{},
  return {DEEPLAB_OPS(DEEPLAB_OP)};
#undef DEEPLAB_OP
}

Arity arity(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.kInputs; }) {
          return a.kInputs;
        } else {
          return Arity{};
        }
      },
      attributes);
}

bool keeps_parameters(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.kKeepsParameters; }) {
          return a.kKeepsParameters;
        } else {
          return false;
        }
      },
      attributes);
}

bool ignores_scales(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.kIgnoresScales; }) {
          return a.kIgnoresScales;
        } else {
          return false;
        }
      },
      attributes);
}

bool needs_float_filter(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.kFloatFilter; }) {
          return a.kFloatFilter;
        } else {
          return false;
        }
      },
      attributes);
}

bool swap_inputs(Attributes& attributes) {
  return std::visit(
      [](auto& a) {
        if constexpr (requires { a.swap_inputs(); }) {
          a.swap_inputs();
          return true;
        } else {
          return false;
        }
      },
      attributes);
}

std::string op_label(const Op& op) {
  return str_cat("op ", op.index, " (", op_name(op.attributes), ")");
}

}  // namespace deeplab::graph
