// vpdpbusd on 256 bits: 32 products of 8 bits, summed in fours, added to the accumulator in one
// instruction. DEEPLAB_ENCODING says which of its two encodings (see products_avxvnni.h).
#pragma once

#include <immintrin.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory.
#define DEEPLAB_STEP(i) DEEPLAB_ENCODING " vpdpbusd %[b], %[a], %" #i "\n\t"

namespace deeplab::peak {

// Two per cycle at a latency of five need ten chains.
static constexpr int kChainsAvxVnni = 12;

static int32_t run_avxvnni(int64_t iterations) {
  const __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(-2);
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  __m256i s10 = s0, s11 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6), "+x"(s7),
                   "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11)
                 : [a] "x"(a), [b] "x"(b));
  }
  return _mm256_extract_epi32(_mm256_xor_si256(s0, s11), 0);
}

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
