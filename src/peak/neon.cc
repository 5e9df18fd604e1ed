// smull + smlal + sadalp: 16 products of 8 bits, summed in pairs, then added to the accumulator.
#include <arm_neon.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory. Products of four
// chains at a time: a core that works in order waits for each.
#define DEEPLAB_MULTIPLY(p) "smull %[p" #p "].8h, %[a].8b, %[b].8b\n\t"
#define DEEPLAB_SECOND(p) "smlal %[p" #p "].8h, %[a].8b, %[b].8b\n\t"
#define DEEPLAB_ADD(i, p) "sadalp %" #i ".4s, %[p" #p "].8h\n\t"
// Version 14 of the formatter lays these lines out differently each time.
// clang-format off
#define DEEPLAB_STEP(i, j, k, l)                                                  \
  DEEPLAB_MULTIPLY(0) DEEPLAB_MULTIPLY(1) DEEPLAB_MULTIPLY(2) DEEPLAB_MULTIPLY(3) \
  DEEPLAB_SECOND(0) DEEPLAB_SECOND(1) DEEPLAB_SECOND(2) DEEPLAB_SECOND(3)         \
  DEEPLAB_ADD(i, 0) DEEPLAB_ADD(j, 1) DEEPLAB_ADD(k, 2) DEEPLAB_ADD(l, 3)
// clang-format on

namespace deeplab::peak {
namespace {

constexpr int kChains = 8;

int32_t run(int64_t iterations) {
  const int8x8_t a = vdup_n_s8(3);
  const int8x8_t b = vdup_n_s8(-2);
  int32x4_t s0 = vdupq_n_s32(0);
  int32x4_t s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  int16x8_t p0 = vdupq_n_s16(0);
  int16x8_t p1 = p0, p2 = p0, p3 = p0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0, 1, 2, 3) DEEPLAB_STEP(4, 5, 6, 7)
                 : "+w"(s0), "+w"(s1), "+w"(s2), "+w"(s3), "+w"(s4), "+w"(s5), "+w"(s6),
                   "+w"(s7), [p0] "+w"(p0), [p1] "+w"(p1), [p2] "+w"(p2), [p3] "+w"(p3)
                 : [a] "w"(a), [b] "w"(b));
  }
  return vgetq_lane_s32(veorq_s32(s0, s7), 0);
}

}  // namespace

const Loop kPeakNeon = {"smlal/neon", Isa::kNeon, kChains * 16, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
#undef DEEPLAB_ADD
#undef DEEPLAB_SECOND
#undef DEEPLAB_MULTIPLY
