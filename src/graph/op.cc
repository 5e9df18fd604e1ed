#include "graph/op.h"

#include <string>

#include "base/status.h"

namespace deeplab::graph {
namespace {

// In the order of the alternatives of Attributes.
constexpr std::string_view kOpNames[] = {"CONV_2D",
                                         "DEPTHWISE_CONV_2D",
                                         "ADD",
                                         "SUB",
                                         "MUL",
                                         "AVERAGE_POOL_2D",
                                         "MEAN",
                                         "RESIZE_BILINEAR",
                                         "RESIZE_NEAREST_NEIGHBOR",
                                         "CONCATENATION",
                                         "TILE",
                                         "PAD",
                                         "QUANTIZE",
                                         "DEQUANTIZE",
                                         "ARG_MAX",
                                         "SOFTMAX",
                                         "RELU",
                                         "RELU6",
                                         "RESHAPE",
                                         "SPACE_TO_BATCH_ND",
                                         "BATCH_TO_SPACE_ND"};
static_assert(std::size(kOpNames) == std::variant_size_v<Attributes>);

}  // namespace

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

std::string_view op_name(const Attributes& attributes) { return kOpNames[attributes.index()]; }

std::string op_label(const Op& op) {
  return str_cat("op ", op.index, " (", op_name(op.attributes), ")");
}

}  // namespace deeplab::graph
