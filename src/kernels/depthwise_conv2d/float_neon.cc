// float depthwise convolution on NEON, 8 pixels by 4 channels.
#include <arm_neon.h>

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

struct Floats {
  using Vector = float32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kPixels = 8;

  static Vector zero() { return vdupq_n_f32(0); }
  static Vector load(const float* from) { return vld1q_f32(from); }
  static Vector load_few(const float* from, int32_t count) {
    float all[4] = {};
    for (int32_t i = 0; i < count && i < 4; ++i) all[i] = from[i];
    return vld1q_f32(all);
  }
  static void store(Vector value, float* to) { vst1q_f32(to, value); }
  static void store_few(Vector value, int32_t count, float* to) {
    float all[4];
    vst1q_f32(all, value);
    for (int32_t i = 0; i < count && i < 4; ++i) to[i] = all[i];
  }
  static Vector multiply_add(Vector x, Vector w, Vector acc) { return vfmaq_f32(acc, x, w); }
  static Vector clamp(Vector value, float low, float high) {
    // Numbers win over NaN, as in the reference: FMAXNM, not FMAX.
    return vminnmq_f32(vmaxnmq_f32(value, vdupq_n_f32(low)), vdupq_n_f32(high));
  }
};

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatNeon =
    DepthwiseFloat<Floats>::kernel("direct/neon", Isa::kNeon);

}  // namespace deeplab::kernels
