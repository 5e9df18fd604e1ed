// Whether relaxed SIMD's multiply-add is fused on this machine, which its definition leaves open.
#include "base/relaxed_simd.h"
#include "kernels/floats_wasm.h"

namespace deeplab {

RELAXED_SIMD(is_fused) int32_t is_fused() {
  // The square's last bit, 2^-24, is what rounding it takes away.
  const v128_t x = wasm_f32x4_const_splat(1 + 0x1p-12F);
  const v128_t less = wasm_f32x4_const_splat(-(1 + 0x1p-11F));
  const v128_t fused = wasm_f32x4_const_splat(0x1p-24F);
  return wasm_i32x4_all_true(wasm_f32x4_eq(kernels::multiply_add(x, x, less), fused)) ? 1 : 0;
}

}  // namespace deeplab
