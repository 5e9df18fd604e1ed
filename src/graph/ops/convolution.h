// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or kNoTensor} -> [N,Ho,Wo,Co]
struct Conv2D {
  Window window;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "CONV_2D";
  static constexpr Arity kInputs = kFilterAndBias;
  static void fields(auto& a, auto&& visit) {
    visit(kWindowField, a.window);
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t taps(const OpView& op) const;
};

/// {x [N,H,W,Ci], filter [1,Kh,Kw,Ci*M], bias [Ci*M] or kNoTensor} -> [N,Ho,Wo,Ci*M]
struct DepthwiseConv2D {
  Window window;
  int32_t depth_multiplier = 1;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "DEPTHWISE_CONV_2D";
  static constexpr Arity kInputs = kFilterAndBias;
  static void fields(auto& a, auto&& visit) {
    visit(kWindowField, a.window);
    visit(FieldName{"multiplier", "depth_multiplier", {}, false, 1}, a.depth_multiplier);
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t taps(const OpView& op) const;
};

/// {x [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or kNoTensor} -> [N,height,width,Co]: the
/// gradient of a convolution with this window, so input element i reaches the outputs from i *
/// stride - pad.
struct TransposeConv {
  int32_t height = 0;
  int32_t width = 0;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  int32_t pad_top = 0;
  int32_t pad_left = 0;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "TRANSPOSE_CONV";
  static constexpr Arity kInputs = kFilterAndBias;
  static constexpr bool kFloatFilter = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"to", "height", "width"}, FieldPair{a.height, a.width});
    visit(FieldName{"stride", "stride"}, FieldPair{a.stride_h, a.stride_w});
    visit(FieldName{"pad", "pad"}, FieldPair{a.pad_top, a.pad_left});
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t taps(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

/// {x of N*Ci elements, filter [Co,Ci], bias [Co] or kNoTensor} -> [N,Co], or x's shape with Co in
/// the last place if `keep_dims`.
struct FullyConnected {
  bool keep_dims = false;
  Activation activation = Activation::kNone;

  static constexpr std::string_view kName = "FULLY_CONNECTED";
  static constexpr Arity kInputs = kFilterAndBias;
  static constexpr bool kFloatFilter = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"keep_dims", "keep_dims"}, a.keep_dims);
    visit(kActivationField, a.activation);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  int64_t taps(const OpView& op) const;
};

}  // namespace deeplab::graph
