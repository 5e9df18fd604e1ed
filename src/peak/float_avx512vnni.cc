// vfmadd231ps: 16 products of floats, each added to its sum, in one instruction.
#include <immintrin.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory.
#define DEEPLAB_STEP(i) "vfmadd231ps %[b], %[a], %" #i "\n\t"

namespace deeplab::peak {
namespace {

// Two per cycle at a latency of four or five need eight to ten chains.
constexpr int kChains = 12;

int32_t run(int64_t iterations) {
  const __m512 a = _mm512_set1_ps(3);
  const __m512 b = _mm512_set1_ps(-2);
  __m512 s0 = _mm512_set1_ps(0);
  __m512 s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  __m512 s10 = s0, s11 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6), "+v"(s7),
                   "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11)
                 : [a] "v"(a), [b] "v"(b));
  }
  return static_cast<int32_t>(_mm512_cvtss_f32(_mm512_add_ps(s0, s11)));
}

}  // namespace

const Loop kPeakFloatAvx512 = {"vfmadd231ps/avx512", Isa::kAvx512Vnni, kChains * 16, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
