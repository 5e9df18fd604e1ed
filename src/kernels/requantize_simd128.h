// The engine's rounding on WebAssembly's vectors, for the files that hold its intrinsics:
// everything is static.
#pragma once

#include <wasm_simd128.h>

#include <cstdint>

namespace deeplab::kernels {

struct RequantizeSimd128 {
  v128_t low;  // Bounds of the output in steps, before the zero point is added.
  v128_t high;
  v128_t zero_point;
};

template <typename Conv>
static inline RequantizeSimd128 make_requantize(const Conv& conv) {
  RequantizeSimd128 r;
  r.low = wasm_f32x4_splat(static_cast<float>(conv.output_min - conv.output_zero_point));
  r.high = wasm_f32x4_splat(static_cast<float>(conv.output_max - conv.output_zero_point));
  r.zero_point = wasm_i32x4_splat(conv.output_zero_point);
  return r;
}

/// Four sums to output values, clamped: round_to_int8() of requantize.h on each lane.
static inline v128_t to_values(const RequantizeSimd128& r, v128_t acc, v128_t scale) {
  const v128_t value = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(acc), scale);
  const v128_t clamped = wasm_f32x4_pmin(r.high, wasm_f32x4_pmax(r.low, value));
  const v128_t rounder = wasm_f32x4_splat(12582912.0f);  // 1.5 * 2^23 leaves no bit below one.
  const v128_t steps = wasm_i32x4_sub(wasm_f32x4_add(clamped, rounder), rounder);
  return wasm_i32x4_add(steps, r.zero_point);
}

/// Eight values to eight bytes, the lower half of the result.
static inline v128_t to_bytes(v128_t low, v128_t high) {
  const v128_t words = wasm_i16x8_narrow_i32x4(low, high);
  return wasm_i8x16_narrow_i16x8(words, words);
}

}  // namespace deeplab::kernels
