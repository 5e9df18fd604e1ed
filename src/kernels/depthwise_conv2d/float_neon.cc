// float depthwise convolution on NEON: 16 channels in four accumulators, a multiply and an add each
// (a fused multiply-add would not give the reference's bytes).
#include <arm_neon.h>

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kVectors = 4;
constexpr int kPanel = kVectors * 4;

float32x4_t load_few(const float* from, int32_t count) {
  float all[4] = {};
  for (int32_t i = 0; i < count && i < 4; ++i) all[i] = from[i];
  return vld1q_f32(all);
}
void store_few(float32x4_t value, int32_t count, float* to) {
  float all[4];
  vst1q_f32(all, value);
  for (int32_t i = 0; i < count && i < 4; ++i) to[i] = all[i];
}

// Masked: fewer channels than a panel are left.
template <bool Masked>
void pixel_of(const DepthwiseConv2DFloat& conv, const DepthwiseFloatWindow& window,
              const float* panel, int32_t channel, float* out) {
  const int32_t left = conv.shape.out_c - channel;
  float32x4_t sums[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) sums[v] = vdupq_n_f32(0);
  for_each_float_tap<kPanel>(
      conv.shape, window, panel, channel, [&](const float* x, const float* w) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const float32x4_t value =
              Masked ? load_few(x + v * 4, left - v * 4) : vld1q_f32(x + v * 4);
          sums[v] = vaddq_f32(sums[v], vmulq_f32(value, vld1q_f32(w + v * 4)));
        }
      });
  const float32x4_t low = vdupq_n_f32(conv.output_min);
  const float32x4_t high = vdupq_n_f32(conv.output_max);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    // Numbers win over NaN, as in the reference: FMAXNM, not FMAX.
    const float32x4_t sum = vaddq_f32(sums[v], vld1q_f32(panel + v * 4));
    const float32x4_t value = vminnmq_f32(vmaxnmq_f32(sum, low), high);
    if (Masked) {
      store_few(value, left - v * 4, out + v * 4);
    } else {
      vst1q_f32(out + v * 4, value);
    }
  }
}

void pixel(const DepthwiseConv2DFloat& conv, const DepthwiseFloatWindow& window, const float* panel,
           int32_t channel, float* out) {
  if (conv.shape.out_c - channel >= kPanel) {
    pixel_of<false>(conv, window, panel, channel, out);
  } else {
    pixel_of<true>(conv, window, panel, channel, out);
  }
}

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatNeon = {"direct/neon",
                                                        Isa::kNeon,
                                                        depthwise_float_supports,
                                                        depthwise_float_packed_bytes<kPanel>,
                                                        depthwise_float_pack<kPanel>,
                                                        depthwise_float_scratch_bytes,
                                                        depthwise_float_run<kPanel, pixel>};

}  // namespace deeplab::kernels
