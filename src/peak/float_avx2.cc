// vfmadd231ps: 8 products of floats, each added to its sum, in one instruction.
#include <immintrin.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory.
#define DEEPLAB_STEP(i) "vfmadd231ps %[b], %[a], %" #i "\n\t"

namespace deeplab::peak {
namespace {

// Two per cycle at a latency of four or five need eight to ten chains.
constexpr int kChains = 12;

int32_t run(int64_t iterations) {
  const __m256 a = _mm256_set1_ps(3);
  const __m256 b = _mm256_set1_ps(-2);
  __m256 s0 = _mm256_set1_ps(0);
  __m256 s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  __m256 s10 = s0, s11 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6), "+x"(s7),
                   "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11)
                 : [a] "x"(a), [b] "x"(b));
  }
  return static_cast<int32_t>(_mm256_cvtss_f32(_mm256_add_ps(s0, s11)));
}

}  // namespace

const Loop kPeakFloatAvx2 = {"vfmadd231ps/avx2", Isa::kAvx2, kChains * 8, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
