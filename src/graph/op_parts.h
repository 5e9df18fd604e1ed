// What the descriptions in ops/ are made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "graph/tensor.h"

namespace deeplab::graph {

// ---- Attributes that several ops have --------------------------------------------------------

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

/// {before, after} for each dimension.
using Amounts = std::vector<std::array<int32_t, 2>>;

// ---- Fields ----------------------------------------------------------------------------------

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

// ---- Operands --------------------------------------------------------------------------------

/// How many inputs an op takes.
struct Arity {
  size_t min = 1;
  size_t max = 1;
  bool optional_bias = false;  ///< Input 2 may be kNoTensor.
};
inline constexpr Arity kTwoInputs = {2, 2};
inline constexpr Arity kFilterAndBias = {2, 3, true};

struct Op;
class OpView;  // op_view.h: one op of a graph, as its rules see it.
class Canvas;  // canvas.h: a graph while its input gets another size.

}  // namespace deeplab::graph
