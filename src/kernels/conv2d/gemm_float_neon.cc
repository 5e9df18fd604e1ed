// float convolution as a matrix product on NEON: 8 pixels by 8 channels in 16 accumulators, a fused
// multiply-add by element each.
#include <arm_neon.h>

#include "kernels/conv2d/gemm_float.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kTileM = 8;
constexpr int kTileN = 8;

template <int Lane, int M>
const float* step(const float* w, const float32x4_t (&x)[M], float32x4_t (&sums)[M][2]) {
  const float32x4_t w0 = vld1q_f32(w);
  const float32x4_t w1 = vld1q_f32(w + 4);
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    sums[m][0] = vfmaq_laneq_f32(sums[m][0], w0, x[m], Lane);
    sums[m][1] = vfmaq_laneq_f32(sums[m][1], w1, x[m], Lane);
  }
  return w + kTileN;
}

template <int M, bool Window>
[[gnu::noinline]] void multiply(const GemmFloatTile& t) {
  float32x4_t sums[M][2];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    sums[m][0] = vld1q_f32(t.panel);
    sums[m][1] = vld1q_f32(t.panel + 4);
  }
  for_each_run<kTileN, Window>(t, [&](const float* from, const float* w, int32_t length) {
    float32x4_t x[M];
    const float* at[M];  // Loads that move their own pointer need no other instruction.
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) at[m] = from + m * t.pixel_step;
    int32_t left = length;
    for (; left >= 4; left -= 4) {
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        x[m] = vld1q_f32(at[m]);
        at[m] += 4;
      }
      w = step<0>(w, x, sums);
      w = step<1>(w, x, sums);
      w = step<2>(w, x, sums);
      w = step<3>(w, x, sums);
    }
    for (; left > 0; --left) {
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) x[m] = vld1q_dup_f32(at[m]++);
      w = step<0>(w, x, sums);
    }
  });
  const float* bias = t.panel + kTileN;
  const float32x4_t low = vdupq_n_f32(t.low);
  const float32x4_t high = vdupq_n_f32(t.high);
  // Unrolled, so that the sums are in registers.
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    // Numbers win over NaN, as in the reference: FMAXNM, not FMAX.
    float32x4_t value[2];
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const float32x4_t sum = vaddq_f32(sums[m][v], vld1q_f32(bias + v * 4));
      value[v] = vminnmq_f32(vmaxnmq_f32(sum, low), high);
    }
    float* out = t.out + static_cast<ptrdiff_t>(m) * t.out_stride;
    if (t.channels == kTileN) {
      vst1q_f32(out, value[0]);
      vst1q_f32(out + 4, value[1]);
    } else {
      float all[kTileN];
      vst1q_f32(all, value[0]);
      vst1q_f32(all + 4, value[1]);
      for (int32_t n = 0; n < t.channels; ++n) out[n] = all[n];
    }
  }
}

template <int M, bool Window>
struct Multiply {
  static void run(const GemmFloatTile& t) { multiply<M, Window>(t); }
};

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmNeon = {"gemm/neon",
                                                Isa::kNeon,
                                                gemm_float_supports,
                                                gemm_float_packed_bytes<kTileN>,
                                                gemm_float_pack<kTileN>,
                                                gemm_float_scratch_bytes,
                                                gemm_float_run<kTileM, kTileN, Multiply>,
                                                gemm_float_start_from<kTileN>};

}  // namespace deeplab::kernels
