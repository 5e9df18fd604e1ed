// ADD and SUB with broadcasting of the second operand.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/broadcast.h"
#include "kernels/per_isa.h"
#include "kernels/requantize.h"

namespace deeplab::kernels {

/// SUB is an ADD with one operand negated.
///
/// Engine: q = clamp(round_half_even(float(a - za) * a_scale + float(b - zb) * b_scale) + zo),
/// two products, one sum, each rounded to float32.
/// TFLite: both inputs, shifted left by 20 bits, are brought to the common scale
/// 2 * max(scale_a, scale_b) by their multipliers, added or subtracted, and brought to the output's
/// scale.
struct AddInt8 {
  BroadcastShape shape;
  int32_t a_zero_point = 0;
  int32_t b_zero_point = 0;
  float a_scale = 0;  ///< Scale of a over scale of the output, below 0 if a is subtracted.
  float b_scale = 0;
  Multiplier a_multiplier;  ///< Only TFLite's rounding reads the multipliers, which have no sign.
  Multiplier b_multiplier;
  Multiplier output_multiplier;
  int32_t output_zero_point = 0;
  int32_t output_min = -128;  ///< Clamp bounds, the fused activation included.
  int32_t output_max = 127;
};

struct AddFloat {
  BroadcastShape shape;
  float a_sign = 1;  ///< -1: the operand is subtracted.
  float b_sign = 1;
  float output_min = 0;
  float output_max = 0;
};

inline constexpr int kTfLiteAddShift = 20;

void add_reference(const AddInt8& add, Rounding rounding, const int8_t* a, const int8_t* b,
                   int8_t* output);
void add_reference(const AddFloat& add, const float* a, const float* b, float* output);

/// The reference's bytes in the engine's rounding, for `count` elements of an elementwise add.
using AddElementwise = void(const AddInt8& add, int64_t count, const int8_t* a, const int8_t* b,
                            int8_t* output);
std::span<const PerIsa<AddElementwise>> add_elementwise_kernels();

}  // namespace deeplab::kernels
