// float convolution as a matrix product on WebAssembly's vectors, plain or relaxed: 4 pixels by 8
// channels. With 5 or 6 pixels, sums would still fit into x86-64's registers, but some browsers'
// compilers then keep them in memory, at half the speed (V8 11.3 does).
#pragma once

#include "kernels/conv2d/gemm_float.h"
#include "kernels/floats_wasm.h"

namespace deeplab::kernels {
namespace {

constexpr int kTileM = 4;
constexpr int kTileN = 8;

template <int M, bool Window>
struct Multiply {
  [[gnu::noinline]] static void run(const GemmFloatTile& t) {
    v128_t sums[M][2];
    for (int m = 0; m < M; ++m) {
      sums[m][0] = wasm_v128_load(t.panel);
      sums[m][1] = wasm_v128_load(t.panel + 4);
    }
    for_each_tap<kTileN, Window>(t, [&](const float* x, const float* w) {
      const v128_t w0 = wasm_v128_load(w);
      const v128_t w1 = wasm_v128_load(w + 4);
      for (int m = 0; m < M; ++m) {
        const v128_t value = wasm_v128_load32_splat(x + m * t.pixel_step);
        sums[m][0] = multiply_add(value, w0, sums[m][0]);
        sums[m][1] = multiply_add(value, w1, sums[m][1]);
      }
    });
    const float* bias = t.panel + kTileN;
    const v128_t low = wasm_f32x4_splat(t.low);
    const v128_t high = wasm_f32x4_splat(t.high);
    for (int m = 0; m < M; ++m) {
      float* out = t.out + m * static_cast<ptrdiff_t>(t.out_stride);
      const v128_t value0 =
          clamp_floats(wasm_f32x4_add(sums[m][0], wasm_v128_load(bias)), low, high);
      const v128_t value1 =
          clamp_floats(wasm_f32x4_add(sums[m][1], wasm_v128_load(bias + 4)), low, high);
      if (t.channels == kTileN) {
        wasm_v128_store(out, value0);
        wasm_v128_store(out + 4, value1);
      } else if (t.channels >= 4) {
        wasm_v128_store(out, value0);
        store_floats(value1, t.channels - 4, out + 4);
      } else {
        store_floats(value0, t.channels, out);
      }
    }
  }
};

}  // namespace
}  // namespace deeplab::kernels
