// The engine's rounding on WebAssembly's vectors, for the files that hold its intrinsics:
// everything is static.
#pragma once

#include <wasm_simd128.h>

#include <cstdint>

namespace deeplab::kernels {

struct RequantizeSimd128 {
  v128_t low;  // The output's lower bound in steps, before the zero point is added.
  v128_t rounder;
  v128_t rounder_bits;  // Less the output's zero point.
  v128_t max;           // The output's upper bound, as bytes.
};

template <typename Conv>
static inline RequantizeSimd128 make_requantize(const Conv& conv) {
  RequantizeSimd128 r;
  r.low = wasm_f32x4_splat(static_cast<float>(conv.output_min - conv.output_zero_point));
  r.rounder = wasm_f32x4_splat(12582912.0f);  // 1.5 * 2^23 leaves no bit below one.
  r.rounder_bits = wasm_i32x4_sub(r.rounder, wasm_i32x4_splat(conv.output_zero_point));
  r.max = wasm_i8x16_splat(static_cast<int8_t>(conv.output_max));
  return r;
}

/// Four sums to output values that are too large where the upper bound is passed: the bits of
/// positive floats rise with the float.
static inline v128_t to_values(const RequantizeSimd128& r, v128_t acc, v128_t scale) {
  const v128_t value = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(acc), scale);
  const v128_t rounded = wasm_f32x4_add(wasm_f32x4_pmax(r.low, value), r.rounder);
  return wasm_i32x4_sub(rounded, r.rounder_bits);
}

/// Eight sums to words, which saturate.
static inline v128_t to_words(const RequantizeSimd128& r, v128_t acc0, v128_t scale0, v128_t acc1,
                              v128_t scale1) {
  return wasm_i16x8_narrow_i32x4(to_values(r, acc0, scale0), to_values(r, acc1, scale1));
}

/// Twice eight words to bytes, clamped: round_to_int8() of requantize.h on each sum.
static inline v128_t to_bytes(const RequantizeSimd128& r, v128_t words0, v128_t words1) {
  return wasm_i8x16_min(wasm_i8x16_narrow_i16x8(words0, words1), r.max);
}

}  // namespace deeplab::kernels
