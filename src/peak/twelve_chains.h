// The loop of instructions that multiply and add at once: twelve chains of them, since two per
// cycle at a latency of five need ten. Who includes this defines DEEPLAB_STEP(i), which adds to
// operand i the product of [a] and [b], and DEEPLAB_REGISTER, the constraint of a vector register.
//
// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory. Static, as it is
// compiled for several instruction sets.
#pragma once

#include <string.h>

#include "peak/peak_list.h"

namespace deeplab::peak {

static constexpr int kChains = 12;

// `Lane`: what a sum begins with; unsigned if it may wrap.
template <typename Lane, typename Sums, typename Operands>
static int32_t run_chains(int64_t iterations, Operands a, Operands b) {
  Sums s0 = {}, s1 = {}, s2 = {}, s3 = {}, s4 = {}, s5 = {}, s6 = {}, s7 = {}, s8 = {}, s9 = {};
  Sums s10 = {}, s11 = {};
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+" DEEPLAB_REGISTER(s0), "+" DEEPLAB_REGISTER(s1), "+" DEEPLAB_REGISTER(s2),
                   "+" DEEPLAB_REGISTER(s3), "+" DEEPLAB_REGISTER(s4), "+" DEEPLAB_REGISTER(s5),
                   "+" DEEPLAB_REGISTER(s6), "+" DEEPLAB_REGISTER(s7), "+" DEEPLAB_REGISTER(s8),
                   "+" DEEPLAB_REGISTER(s9), "+" DEEPLAB_REGISTER(s10), "+" DEEPLAB_REGISTER(s11)
                 : [a] DEEPLAB_REGISTER(a), [b] DEEPLAB_REGISTER(b));
  }
  Lane first, last;
  memcpy(&first, &s0, sizeof first);
  memcpy(&last, &s11, sizeof last);
  return static_cast<int32_t>(first + last);
}

}  // namespace deeplab::peak
