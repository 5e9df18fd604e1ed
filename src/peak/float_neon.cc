// fmla by element: 4 products of floats, each added to its sum, in one instruction.
#include <arm_neon.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory.
#define DEEPLAB_STEP(i) "fmla %" #i ".4s, %[a].4s, %[b].s[0]\n\t"

namespace deeplab::peak {
namespace {

// Two per cycle at a latency of four need eight chains.
constexpr int kChains = 12;

int32_t run(int64_t iterations) {
  const float32x4_t a = vdupq_n_f32(3);
  const float32x4_t b = vdupq_n_f32(-2);
  float32x4_t s0 = vdupq_n_f32(0);
  float32x4_t s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  float32x4_t s10 = s0, s11 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+w"(s0), "+w"(s1), "+w"(s2), "+w"(s3), "+w"(s4), "+w"(s5), "+w"(s6), "+w"(s7),
                   "+w"(s8), "+w"(s9), "+w"(s10), "+w"(s11)
                 : [a] "w"(a), [b] "w"(b));
  }
  return static_cast<int32_t>(vgetq_lane_f32(vaddq_f32(s0, s11), 0));
}

}  // namespace

const Loop kPeakFloatNeon = {"fmla/neon", Isa::kNeon, kChains * 4, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
