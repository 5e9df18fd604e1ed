// MUL with broadcasting of the second operand.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/broadcast.h"
#include "kernels/per_isa.h"
#include "kernels/requantize.h"

namespace deeplab::kernels {

/// acc = (a - za) * (b - zb) in int32; the output is acc requantized, in either rounding.
struct MulInt8 {
  BroadcastShape shape;
  int32_t a_zero_point = 0;
  int32_t b_zero_point = 0;
  Multiplier multiplier;  ///< Scale of a * scale of b / scale of the output.
  int32_t output_zero_point = 0;
  int32_t output_min = -128;  ///< Clamp bounds, the fused activation included.
  int32_t output_max = 127;
};

struct MulFloat {
  BroadcastShape shape;
  float output_min = 0;
  float output_max = 0;
};

void mul_reference(const MulInt8& mul, Rounding rounding, const int8_t* a, const int8_t* b,
                   int8_t* output);
void mul_reference(const MulFloat& mul, const float* a, const float* b, float* output);

/// The reference's bytes in the engine's rounding, for `count` elements of an elementwise product.
using MulElementwise = void(const MulInt8& mul, int64_t count, const int8_t* a, const int8_t* b,
                            int8_t* output);
std::span<const PerIsa<MulElementwise>> mul_elementwise_kernels();

}  // namespace deeplab::kernels
