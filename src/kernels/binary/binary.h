// Functions of two numbers with broadcasting of the second operand: MAXIMUM, MINIMUM,
// SQUARED_DIFFERENCE, DIV.
#pragma once

#include <cstdint>

#include "kernels/broadcast.h"

namespace deeplab::kernels {

enum class BinaryKind : uint8_t { kMaximum, kMinimum, kSquaredDifference, kDiv };

struct BinaryFloat {
  BroadcastShape shape;
  BinaryKind kind = BinaryKind::kMaximum;
  bool reversed = false;  ///< kDiv: b / a.
  float output_min = 0;   ///< Clamp bounds of kDiv.
  float output_max = 0;
};
void binary_reference(const BinaryFloat& op, const float* a, const float* b, float* output);

/// The larger or the smaller stored number, whatever they mean.
struct ExtremeInt8 {
  BroadcastShape shape;
  bool largest = true;
};
void binary_reference(const ExtremeInt8& op, const int8_t* a, const int8_t* b, int8_t* output);

}  // namespace deeplab::kernels
