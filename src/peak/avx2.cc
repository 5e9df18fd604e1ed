// vpmaddwd + vpaddd: 16 products of 16 bits, summed in pairs, then added to the accumulator.
// (vpmaddubsw would give twice as many, but saturates: no exact kernel can use it.)
#include <immintrin.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory. One name for the
// product is enough: the CPU renames it.
#define DEEPLAB_STEP(i) "vpmaddwd %[b], %[a], %[product]\n\tvpaddd %[product], %" #i ", %" #i "\n\t"

namespace deeplab::peak {
namespace {

constexpr int kChains = 8;

int32_t run(int64_t iterations) {
  const __m256i a = _mm256_set1_epi16(3);
  const __m256i b = _mm256_set1_epi16(-2);
  __m256i s0 = _mm256_setzero_si256(), product = s0;
  __m256i s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7)
                 : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6),
                   "+x"(s7), [product] "+x"(product)
                 : [a] "x"(a), [b] "x"(b));
  }
  return _mm256_extract_epi32(_mm256_xor_si256(s0, s7), 0);
}

}  // namespace

const Loop kPeakAvx2 = {"vpmaddwd/avx2", Isa::kAvx2, kChains * 16, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
