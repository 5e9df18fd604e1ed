// Four floats of WebAssembly's vectors, for the files that hold its intrinsics: everything is
// static.
#pragma once

#include <wasm_simd128.h>

#include <cstdint>

namespace deeplab::kernels {

/// acc + x * w. Relaxed SIMD: as the engine defines it, where has_fused_relaxed_simd(). Plain SIMD
/// has no such instruction: product and sum are rounded one after the other.
static inline v128_t multiply_add(v128_t x, v128_t w, v128_t acc) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f32x4(x, w, acc);
#else
  return wasm_f32x4_add(acc, wasm_f32x4_mul(x, w));
#endif
}

/// As clamp_float().
static inline v128_t clamp_floats(v128_t value, v128_t low, v128_t high) {
  return wasm_f32x4_pmin(high, wasm_f32x4_pmax(low, value));
}

/// `count` floats, if less than 4, and zeros.
static inline v128_t load_floats(const float* from, int32_t count) {
  v128_t value = wasm_f32x4_const_splat(0);
  if (count > 0) value = wasm_v128_load32_lane(from, value, 0);
  if (count > 1) value = wasm_v128_load32_lane(from + 1, value, 1);
  if (count > 2) value = wasm_v128_load32_lane(from + 2, value, 2);
  return value;
}

static inline void store_floats(v128_t value, int32_t count, float* to) {
  if (count > 0) wasm_v128_store32_lane(to, value, 0);
  if (count > 1) wasm_v128_store32_lane(to + 1, value, 1);
  if (count > 2) wasm_v128_store32_lane(to + 2, value, 2);
}

}  // namespace deeplab::kernels
