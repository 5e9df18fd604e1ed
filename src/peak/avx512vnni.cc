// vpdpbusd: 64 products of 8 bits, summed in fours, added to the accumulator in one instruction.
#include <immintrin.h>

#include "peak/peak_list.h"

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory.
#define DEEPLAB_STEP(i) "vpdpbusd %[b], %[a], %" #i "\n\t"

namespace deeplab::peak {
namespace {

// Two per cycle at a latency of five need ten chains.
constexpr int kChains = 12;

int32_t run(int64_t iterations) {
  const __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(-2);
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  __m512i s10 = s0, s11 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7) DEEPLAB_STEP(8) DEEPLAB_STEP(9)
                         DEEPLAB_STEP(10) DEEPLAB_STEP(11)
                 : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6), "+v"(s7),
                   "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11)
                 : [a] "v"(a), [b] "v"(b));
  }
  alignas(64) int32_t lanes[16];
  _mm512_store_si512(lanes, _mm512_xor_si512(s0, s11));
  return lanes[0];
}

}  // namespace

const Loop kPeakAvx512Vnni = {"vpdpbusd/avx512vnni", Isa::kAvx512Vnni, kChains * 64, run};

}  // namespace deeplab::peak

#undef DEEPLAB_STEP
