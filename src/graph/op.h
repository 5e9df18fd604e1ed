// The closed list of ops. Operands that only describe a shape (axes, paddings, sizes, multiples)
// are attributes here, whatever form the file gave them: an op's inputs are real data.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/tensor.h"

namespace deeplab::graph {

enum class Activation : uint8_t { kNone, kRelu, kReluN1To1, kRelu6 };
std::string_view activation_name(Activation activation);

struct Interval {
  float min;
  float max;
};
/// What an activation clamps to; infinite where it does not.
Interval interval(Activation activation);

/// TensorFlow's SAME and VALID, or amounts that a pass has made explicit.
enum class Padding : uint8_t { kSame, kValid, kExplicit };
std::string_view padding_name(Padding padding);

/// How a sliding window moves over the picture, in elements.
struct Window {
  Padding padding = Padding::kSame;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  int32_t dilation_h = 1;
  int32_t dilation_w = 1;
  /// Used only with Padding::kExplicit. May be zero, never negative.
  int32_t pad_top = 0;
  int32_t pad_bottom = 0;
  int32_t pad_left = 0;
  int32_t pad_right = 0;
  bool operator==(const Window&) const = default;
};

// Inputs are listed as {name [shape]}; the one output follows the arrow.

/// {x [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or kNoTensor} -> [N,Ho,Wo,Co]
struct Conv2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// {x [N,H,W,Ci], filter [1,Kh,Kw,Ci*M], bias [Ci*M] or kNoTensor} -> [N,Ho,Wo,Ci*M]
struct DepthwiseConv2D {
  Window window;
  int32_t depth_multiplier = 1;
  Activation activation = Activation::kNone;
};
/// {x of N*Ci elements, filter [Co,Ci], bias [Co] or kNoTensor} -> [N,Co], or x's shape with Co in
/// the last place if `keep_dims`.
struct FullyConnected {
  bool keep_dims = false;
  Activation activation = Activation::kNone;
};
/// {a, b}, same shape or b broadcastable to a -> a's shape
struct Add {
  Activation activation = Activation::kNone;
};
/// {a, b} as ADD: a - b; b - a if `reversed`, since only b may be broadcast.
struct Sub {
  Activation activation = Activation::kNone;
  bool reversed = false;
};
/// {a, b} as ADD: a * b
struct Mul {
  Activation activation = Activation::kNone;
};
/// A function of two numbers.
enum class BinaryFunction : uint8_t { kMaximum, kMinimum, kSquaredDifference, kDiv };
inline constexpr int kBinaryFunctions = 4;
/// {a, b} as ADD: the function of each pair.
struct Binary {
  BinaryFunction function = BinaryFunction::kMaximum;
  Activation activation = Activation::kNone;  ///< Of kDiv only.
  bool reversed = false;                      ///< Of kDiv only: b / a.
};
/// {x [N,H,W,C]} -> [N,Ho,Wo,C]; the mean is over the elements inside the picture.
struct AveragePool2D {
  Window window;
  int32_t filter_h = 1;
  int32_t filter_w = 1;
  Activation activation = Activation::kNone;
};
/// {x [N,H,W,C]} -> [N,Ho,Wo,C]; the largest of the elements inside the picture.
struct MaxPool2D {
  Window window;
  int32_t filter_h = 1;
  int32_t filter_w = 1;
  Activation activation = Activation::kNone;
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
};
/// {x}; mean over `axes` (sorted, non-negative, no duplicates).
struct Mean {
  std::vector<int32_t> axes;
  bool keep_dims = false;
};
enum class ReduceFunction : uint8_t { kSum, kMax };
inline constexpr int kReduceFunctions = 2;
/// {x}; the sum or the largest over `axes`, as MEAN has them.
struct Reduce {
  ReduceFunction function = ReduceFunction::kSum;
  std::vector<int32_t> axes;
  bool keep_dims = false;
};
/// {x [N,H,W,C]} -> [N,height,width,C]
struct ResizeBilinear {
  int32_t height = 0;
  int32_t width = 0;
  bool align_corners = false;
  bool half_pixel_centers = false;
};
/// {x [N,H,W,C]} -> [N,height,width,C]
struct ResizeNearestNeighbor {
  int32_t height = 0;
  int32_t width = 0;
  bool align_corners = false;
  bool half_pixel_centers = false;
};
/// {x0, x1, ...} joined along `axis` (non-negative).
struct Concatenation {
  int32_t axis = 0;
  Activation activation = Activation::kNone;
};
/// {x}; `multiples` has one entry per dimension.
struct Tile {
  std::vector<int32_t> multiples;
};
/// {x}; {before, after} per dimension, filled with `value`, a real number (0 is the zero point when
/// quantized).
struct Pad {
  std::vector<std::array<int32_t, 2>> amounts;
  float value = 0;
};
/// {x}; {before, after} per dimension, filled with x mirrored at its border; the border's own
/// elements are repeated if `symmetric`.
struct MirrorPad {
  std::vector<std::array<int32_t, 2>> amounts;
  bool symmetric = false;
};
/// {x}; per dimension `size` elements, `step` apart, from `begin` on; step is never 0 and may be
/// negative. The dimensions in `dropped` (sorted, of size 1) are left out of the output's shape.
struct Slice {
  std::vector<int32_t> begin;
  std::vector<int32_t> size;
  std::vector<int32_t> step;
  std::vector<int32_t> dropped;
};
/// {x}: dimension d of the output is dimension permutation[d] of x.
struct Transpose {
  std::vector<int32_t> permutation;
};
/// {x [N,H,W,C]} -> [N,H*block,W*block,C/block^2]
struct DepthToSpace {
  int32_t block = 1;
};
/// {x [N,H,W,C]} -> [N,H/block,W/block,C*block^2]
struct SpaceToDepth {
  int32_t block = 1;
};
/// {x}: stored numbers as numbers of another type; what they mean does not matter.
struct Cast {};
/// {x}: float32 -> quantized, or quantized -> quantized with other parameters.
struct Quantize {};
/// {x}: quantized -> float32.
struct Dequantize {};
/// {x}: index of the largest along `axis` (non-negative), the lowest index if equal;
/// int32 or int64 by the output tensor's type.
struct ArgMax {
  int32_t axis = 0;
};
/// {x}: softmax(beta * x) along the last dimension.
struct Softmax {
  float beta = 1.0f;
};
struct Relu {};
struct Relu6 {};
/// A function of one number.
enum class UnaryFunction : uint8_t {
  kLogistic,
  kTanh,
  kHardSwish,
  kLeakyRelu,  ///< x, or alpha * x below 0.
  kElu,
  kExp,
  kSqrt,
  kRsqrt,
  kSquare,
  kAbs,
  kNeg,
  kLog,
};
inline constexpr int kUnaryFunctions = 12;
/// The name the file format uses: "LOGISTIC", "MAXIMUM", "SUM", ...
std::string_view function_name(UnaryFunction function);
std::string_view function_name(BinaryFunction function);
std::string_view function_name(ReduceFunction function);
/// {x}: the function of each element.
struct Unary {
  UnaryFunction function = UnaryFunction::kLogistic;
  float alpha = 0;  ///< Of kLeakyRelu only.
};
/// {x, alpha broadcastable to x}: x, or alpha * x below 0.
struct Prelu {};
/// {x}: same elements, `shape` of the output with at most one -1.
struct Reshape {
  std::vector<int32_t> shape;
};
/// {x [N,H,W,C]} -> [N*block_h*block_w, ...]; pads first, with the zero point.
struct SpaceToBatchNd {
  int32_t block_h = 1;
  int32_t block_w = 1;
  std::array<int32_t, 2> pad_h = {0, 0};
  std::array<int32_t, 2> pad_w = {0, 0};
};
/// {x [N,H,W,C]} -> [N/(block_h*block_w), ...]; crops last.
struct BatchToSpaceNd {
  int32_t block_h = 1;
  int32_t block_w = 1;
  std::array<int32_t, 2> crop_h = {0, 0};
  std::array<int32_t, 2> crop_w = {0, 0};
};

using Attributes =
    std::variant<Conv2D, DepthwiseConv2D, TransposeConv, FullyConnected, Add, Sub, Mul, Binary,
                 AveragePool2D, MaxPool2D, Mean, Reduce, ResizeBilinear, ResizeNearestNeighbor,
                 Concatenation, Tile, Pad, MirrorPad, Slice, Transpose, DepthToSpace, SpaceToDepth,
                 Quantize, Dequantize, Cast, ArgMax, Softmax, Relu, Relu6, Unary, Prelu, Reshape,
                 SpaceToBatchNd, BatchToSpaceNd>;

struct Op {
  Attributes attributes;
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;  ///< Exactly one, for every op of the list.
  /// Position in the model file, kept by every pass so that messages and dumps can name it.
  int32_t index = 0;

  TensorId output() const { return outputs.front(); }
};

/// The activation at the end of an op: kNone for those that cannot have one.
Activation fused_activation(const Attributes& attributes);
/// The same, where RELU and RELU6 are activations of their own.
Activation activation_of(const Attributes& attributes);

/// The name the file format uses: "CONV_2D", "RESIZE_BILINEAR", ...
std::string_view op_name(const Attributes& attributes);
/// "op 12 (CONV_2D)": how every message names an op.
std::string op_label(const Op& op);

}  // namespace deeplab::graph
