// float convolution as a matrix product in portable C++, 4 pixels by 8 channels: eight 4-wide
// accumulators, which leaves half of 16 vector registers for weights and pixels.
#pragma once

#include "kernels/conv2d/gemm_float.h"
#include "kernels/four_floats.h"

namespace deeplab::kernels {

static constexpr int kPortableTileM = 4;
static constexpr int kPortableTileN = 8;

namespace {

template <int M, bool Window>
struct MultiplyPortable {
  [[gnu::noinline]] static void run(const GemmFloatTile& t) {
    Four s[M][2];
    for (int m = 0; m < M; ++m) {
      s[m][0] = load_four(t.panel);
      s[m][1] = load_four(t.panel + 4);
    }
    const float* bias = t.panel + kPortableTileN;
    for_each_tap<kPortableTileN, Window>(t, [&](const float* x, const float* w) {
      const Four w0 = load_four(w);
      const Four w1 = load_four(w + 4);
      for (int m = 0; m < M; ++m) {
        const float value = x[m * t.pixel_step];
        const Four four = {value, value, value, value};
        s[m][0] = fused_multiply_add(four, w0, s[m][0]);
        s[m][1] = fused_multiply_add(four, w1, s[m][1]);
      }
    });
    for (int m = 0; m < M; ++m) {
      for (int32_t n = 0; n < t.channels; ++n) {
        const float sum = s[m][n / 4][n % 4] + bias[n];
        const float least = t.low < sum ? sum : t.low;  // As clamp_float().
        t.out[m * static_cast<ptrdiff_t>(t.out_stride) + n] = least < t.high ? least : t.high;
      }
    }
  }
};

constexpr Conv2DFloatKernel portable_kernel(const char* name,
                                            bool (*supports)(const Conv2DFloat&)) {
  return {name,
          Isa::kScalar,
          supports,
          gemm_float_packed_bytes<kPortableTileN>,
          gemm_float_pack<kPortableTileN>,
          gemm_float_scratch_bytes,
          gemm_float_run<kPortableTileM, kPortableTileN, MultiplyPortable>,
          gemm_float_start_from<kPortableTileN>};
}

}  // namespace
}  // namespace deeplab::kernels
