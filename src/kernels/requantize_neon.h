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
};

static inline RequantizeNeon make_requantize(const Conv2DInt8& conv) {
  RequantizeNeon r;
  r.zero_point = vdupq_n_s16(static_cast<int16_t>(conv.output_zero_point));
  r.min = vdupq_n_s8(static_cast<int8_t>(conv.output_min));
  r.max = vdupq_n_s8(static_cast<int8_t>(conv.output_max));
  return r;
}

/// Four sums in steps of the output, rounded half to even. In range if scales_below_one().
static inline int32x4_t to_steps(int32x4_t acc, float32x4_t scale) {
  return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), scale));
}

/// Eight steps to output values that are not clamped yet. What saturates here and in the move to
/// bytes is beyond the clamp's bounds anyway.
static inline int16x8_t to_words(const RequantizeNeon& r, int32x4_t low, int32x4_t high) {
  return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(low), high), r.zero_point);
}

/// Sixteen values, and eight, clamped to bytes.
static inline int8x16_t to_bytes(const RequantizeNeon& r, int16x8_t low, int16x8_t high) {
  return vminq_s8(vmaxq_s8(vqmovn_high_s16(vqmovn_s16(low), high), r.min), r.max);
}
static inline int8x8_t to_bytes(const RequantizeNeon& r, int16x8_t words) {
  return vmin_s8(vmax_s8(vqmovn_s16(words), vget_low_s8(r.min)), vget_low_s8(r.max));
}

}  // namespace deeplab::kernels
