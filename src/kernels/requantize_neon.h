// The engine's rounding on NEON, for the files that hold NEON intrinsics: everything is static, so
// that no copy is shared with code for other instruction sets.
#pragma once

#include <arm_neon.h>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

struct RequantizeNeon {
  int16x8_t zero_point;
  int8x16_t min;
  int8x16_t max;
  float32x4_t rounder;  ///< 1.5 * 2^23, plus the zero point.
};

static inline RequantizeNeon make_requantize(const Conv2DInt8& conv) {
  RequantizeNeon r;
  r.zero_point = vdupq_n_s16(static_cast<int16_t>(conv.output_zero_point));
  r.min = vdupq_n_s8(static_cast<int8_t>(conv.output_min));
  r.max = vdupq_n_s8(static_cast<int8_t>(conv.output_max));
  r.rounder = vdupq_n_f32(12582912.0f + static_cast<float>(conv.output_zero_point));
  return r;
}

// Narrow layers, as nearly all of real models are, take 8 instructions for 8 values instead of 12:
// adding 1.5 * 2^23 and the zero point rounds half to even, since that sum and the one without the
// zero point are even together, and leaves the value in 16 bits; the move to bytes clamps.

/// Whether the clamp and the zero point of a layer allow it.
static inline bool may_be_narrow(const Conv2DInt8& conv) {
  return conv.output_min == -128 && conv.output_max == 127 && conv.output_zero_point % 2 == 0;
}
/// Whether all sums of a channel allow it: of signed bytes by weights, which come to `weights`
/// without their signs, on a bias.
static inline bool is_narrow(int64_t bias, int64_t weights, float scale) {
  const int64_t sum = (bias < 0 ? -bias : bias) + 128 * weights;
  return static_cast<double>(sum) * static_cast<double>(scale) < 32000;
}

/// Eight sums to output values that are not clamped yet. What saturates here and in the move to
/// bytes is beyond the clamp's bounds anyway. In range if scales_below_one().
template <bool Narrow>
static inline int16x8_t to_words(const RequantizeNeon& r, int32x4_t low, float32x4_t low_scale,
                                 int32x4_t high, float32x4_t high_scale) {
  const float32x4_t low_steps = vmulq_f32(vcvtq_f32_s32(low), low_scale);
  const float32x4_t high_steps = vmulq_f32(vcvtq_f32_s32(high), high_scale);
  if constexpr (Narrow) {
    return vuzp1q_s16(vreinterpretq_s16_f32(vaddq_f32(low_steps, r.rounder)),
                      vreinterpretq_s16_f32(vaddq_f32(high_steps, r.rounder)));
  }
  const int16x4_t rounded = vqmovn_s32(vcvtnq_s32_f32(low_steps));
  return vqaddq_s16(vqmovn_high_s32(rounded, vcvtnq_s32_f32(high_steps)), r.zero_point);
}

/// Sixteen values, and eight, clamped to bytes.
template <bool Narrow>
static inline int8x16_t to_bytes(const RequantizeNeon& r, int16x8_t low, int16x8_t high) {
  const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(low), high);
  return Narrow ? bytes : vminq_s8(vmaxq_s8(bytes, r.min), r.max);
}
template <bool Narrow>
static inline int8x8_t to_bytes(const RequantizeNeon& r, int16x8_t words) {
  const int8x8_t bytes = vqmovn_s16(words);
  return Narrow ? bytes : vmin_s8(vmax_s8(bytes, vget_low_s8(r.min)), vget_low_s8(r.max));
}

}  // namespace deeplab::kernels
