// Functions of two numbers with broadcasting of the second operand: MAXIMUM, DIV, ...: the list is
// base/function_list.h.
#pragma once

#include <cstdint>

#include "base/functions.h"
#include "kernels/broadcast.h"

namespace deeplab::kernels {

struct BinaryFloat {
  BroadcastShape shape;
  BinaryFunction function = BinaryFunction::kMaximum;
  bool reversed = false;  ///< f(b, a), if the function is ordered.
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
