// Every op of the list, described once: its name, and the fields of its attributes. The text dump,
// the JSON of `deeplab inspect` and the fuzz mutator walk them and know no op by name.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "graph/op.h"

namespace deeplab::graph {

struct FieldName {
  std::string_view text;         ///< In dump(); empty if the value says it.
  std::string_view json;         ///< Of a Window none: its parts have names of their own.
  std::string_view json_w = {};  ///< Of the second part of a FieldPair; empty: both are one array.
  bool leads = false;            ///< dump() says it before the fields that do not lead.
  /// The value that dump() does not mention.
  int32_t unsaid = std::numeric_limits<int32_t>::min();
};

/// Two fields that belong together, of rows and of columns: int32_t, or {before, after}.
template <typename T>
struct FieldPair {
  T& h;
  T& w;
};
template <typename T>
FieldPair(T&, T&) -> FieldPair<T>;

inline constexpr FieldName kWindowField = {"", ""};
inline constexpr FieldName kActivationField = {"", "activation"};

/// kName, as the file format has it, and fields(a, visit), which calls visit(FieldName, value) for
/// each field of `a`, in the order of the JSON. A value is a Window, an Activation, bool, int32_t,
/// float, std::vector of int32_t or of {before, after}, or a FieldPair; const if `a` is.
template <typename Attribute>
struct OpDescription;

/// An op without attributes.
struct NoFields {
  template <typename A, typename Visit>
  static void fields(A& /*a*/, Visit&& /*visit*/) {}
};

/// An op with nothing but a fused activation.
struct ActivationOnly {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kActivationField, a.activation);
  }
};

struct ResizeFields {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"to", "height", "width"}, FieldPair{a.height, a.width});
    visit(FieldName{"align_corners", "align_corners"}, a.align_corners);
    visit(FieldName{"half_pixel_centers", "half_pixel_centers"}, a.half_pixel_centers);
  }
};

struct PoolFields {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kWindowField, a.window);
    visit(FieldName{"window", "filter", {}, true}, FieldPair{a.filter_h, a.filter_w});
    visit(kActivationField, a.activation);
  }
};

struct ReductionFields {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"axes", "axes"}, a.axes);
    visit(FieldName{"keep_dims", "keep_dims"}, a.keep_dims);
  }
};

struct BlockField {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"block", "block"}, a.block);
  }
};

template <>
struct OpDescription<Conv2D> {
  static constexpr std::string_view kName = "CONV_2D";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kWindowField, a.window);
    visit(kActivationField, a.activation);
  }
};
template <>
struct OpDescription<DepthwiseConv2D> {
  static constexpr std::string_view kName = "DEPTHWISE_CONV_2D";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kWindowField, a.window);
    visit(FieldName{"multiplier", "depth_multiplier", {}, false, 1}, a.depth_multiplier);
    visit(kActivationField, a.activation);
  }
};
template <>
struct OpDescription<FullyConnected> {
  static constexpr std::string_view kName = "FULLY_CONNECTED";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"keep_dims", "keep_dims"}, a.keep_dims);
    visit(kActivationField, a.activation);
  }
};
template <>
struct OpDescription<Add> : ActivationOnly {
  static constexpr std::string_view kName = "ADD";
};
template <>
struct OpDescription<Sub> {
  static constexpr std::string_view kName = "SUB";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kActivationField, a.activation);
    visit(FieldName{"reversed", "reversed", {}, true}, a.reversed);
  }
};
template <>
struct OpDescription<Mul> : ActivationOnly {
  static constexpr std::string_view kName = "MUL";
};
/// Named by its function: op_name() knows.
template <>
struct OpDescription<Binary> {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(kActivationField, a.activation);
    visit(FieldName{"reversed", "reversed", {}, true}, a.reversed);
  }
};
template <>
struct OpDescription<AveragePool2D> : PoolFields {
  static constexpr std::string_view kName = "AVERAGE_POOL_2D";
};
template <>
struct OpDescription<MaxPool2D> : PoolFields {
  static constexpr std::string_view kName = "MAX_POOL_2D";
};
template <>
struct OpDescription<TransposeConv> {
  static constexpr std::string_view kName = "TRANSPOSE_CONV";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"to", "height", "width"}, FieldPair{a.height, a.width});
    visit(FieldName{"stride", "stride"}, FieldPair{a.stride_h, a.stride_w});
    visit(FieldName{"pad", "pad"}, FieldPair{a.pad_top, a.pad_left});
    visit(kActivationField, a.activation);
  }
};
template <>
struct OpDescription<Mean> : ReductionFields {
  static constexpr std::string_view kName = "MEAN";
};
/// Named by its function: op_name() knows.
template <>
struct OpDescription<Reduce> : ReductionFields {};
template <>
struct OpDescription<ResizeBilinear> : ResizeFields {
  static constexpr std::string_view kName = "RESIZE_BILINEAR";
};
template <>
struct OpDescription<ResizeNearestNeighbor> : ResizeFields {
  static constexpr std::string_view kName = "RESIZE_NEAREST_NEIGHBOR";
};
template <>
struct OpDescription<Concatenation> {
  static constexpr std::string_view kName = "CONCATENATION";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"axis", "axis"}, a.axis);
    visit(kActivationField, a.activation);
  }
};
template <>
struct OpDescription<Tile> {
  static constexpr std::string_view kName = "TILE";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"multiples", "multiples"}, a.multiples);
  }
};
template <>
struct OpDescription<Pad> {
  static constexpr std::string_view kName = "PAD";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"by", "amounts"}, a.amounts);
    visit(FieldName{"value", "value", {}, false, 0}, a.value);
  }
};
template <>
struct OpDescription<MirrorPad> {
  static constexpr std::string_view kName = "MIRROR_PAD";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"by", "amounts"}, a.amounts);
    visit(FieldName{"symmetric", "symmetric"}, a.symmetric);
  }
};
template <>
struct OpDescription<Slice> {
  static constexpr std::string_view kName = "STRIDED_SLICE";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"begin", "begin"}, a.begin);
    visit(FieldName{"size", "size"}, a.size);
    visit(FieldName{"step", "step"}, a.step);
    visit(FieldName{"dropped", "dropped"}, a.dropped);
  }
};
template <>
struct OpDescription<Transpose> {
  static constexpr std::string_view kName = "TRANSPOSE";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"permutation", "permutation"}, a.permutation);
  }
};
template <>
struct OpDescription<DepthToSpace> : BlockField {
  static constexpr std::string_view kName = "DEPTH_TO_SPACE";
};
template <>
struct OpDescription<SpaceToDepth> : BlockField {
  static constexpr std::string_view kName = "SPACE_TO_DEPTH";
};
template <>
struct OpDescription<Cast> : NoFields {
  static constexpr std::string_view kName = "CAST";
};
/// Named by its function: op_name() knows.
template <>
struct OpDescription<Unary> {
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"alpha", "alpha", {}, false, 0}, a.alpha);
  }
};
template <>
struct OpDescription<Prelu> : NoFields {
  static constexpr std::string_view kName = "PRELU";
};
template <>
struct OpDescription<Quantize> : NoFields {
  static constexpr std::string_view kName = "QUANTIZE";
};
template <>
struct OpDescription<Dequantize> : NoFields {
  static constexpr std::string_view kName = "DEQUANTIZE";
};
template <>
struct OpDescription<ArgMax> {
  static constexpr std::string_view kName = "ARG_MAX";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"axis", "axis"}, a.axis);
  }
};
template <>
struct OpDescription<Softmax> {
  static constexpr std::string_view kName = "SOFTMAX";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"beta", "beta"}, a.beta);
  }
};
template <>
struct OpDescription<Relu> : NoFields {
  static constexpr std::string_view kName = "RELU";
};
template <>
struct OpDescription<Relu6> : NoFields {
  static constexpr std::string_view kName = "RELU6";
};
template <>
struct OpDescription<Reshape> {
  static constexpr std::string_view kName = "RESHAPE";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"to", "shape"}, a.shape);
  }
};
template <>
struct OpDescription<SpaceToBatchNd> {
  static constexpr std::string_view kName = "SPACE_TO_BATCH_ND";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"block", "block"}, FieldPair{a.block_h, a.block_w});
    visit(FieldName{"pad", "pad_h", "pad_w"}, FieldPair{a.pad_h, a.pad_w});
  }
};
template <>
struct OpDescription<BatchToSpaceNd> {
  static constexpr std::string_view kName = "BATCH_TO_SPACE_ND";
  template <typename A, typename Visit>
  static void fields(A& a, Visit&& visit) {
    visit(FieldName{"block", "block"}, FieldPair{a.block_h, a.block_w});
    visit(FieldName{"crop", "crop_h", "crop_w"}, FieldPair{a.crop_h, a.crop_w});
  }
};

/// The fields of whatever op it is.
template <typename AnyAttributes, typename Visit>
void visit_fields(AnyAttributes& attributes, Visit&& visit) {
  std::visit([&](auto& a) { OpDescription<std::remove_cvref_t<decltype(a)>>::fields(a, visit); },
             attributes);
}

}  // namespace deeplab::graph
