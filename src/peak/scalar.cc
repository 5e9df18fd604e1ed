// What plain C++ can become on the architecture's baseline: on x86-64 compilers vectorize a dot
// product of 16-bit values (what the scalar kernels widen to) into SSE2's pmaddwd + paddd.
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "peak/peak_list.h"

namespace deeplab::peak {
namespace {

#if defined(__SSE2__)

// Assembly, because GCC 12 keeps an unrolled array of accumulators in memory. The move is part of
// the pattern: pmaddwd overwrites an operand.
#define DEEPLAB_STEP(i) \
  "movdqa %[a], %[product]\n\tpmaddwd %[b], %[product]\n\tpaddd %[product], %" #i "\n\t"

constexpr int kMacsPerIteration = 8 * 8;

int32_t run(int64_t iterations) {
  const __m128i a = _mm_set1_epi16(3);
  const __m128i b = _mm_set1_epi16(-2);
  __m128i s0 = _mm_setzero_si128(), product = s0;
  __m128i s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (int64_t n = 0; n < iterations; ++n) {
    asm volatile(DEEPLAB_STEP(0) DEEPLAB_STEP(1) DEEPLAB_STEP(2) DEEPLAB_STEP(3) DEEPLAB_STEP(4)
                     DEEPLAB_STEP(5) DEEPLAB_STEP(6) DEEPLAB_STEP(7)
                 : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6),
                   "+x"(s7), [product] "+x"(product)
                 : [a] "x"(a), [b] "x"(b));
  }
  return _mm_cvtsi128_si32(_mm_xor_si128(s0, s7));
}

#undef DEEPLAB_STEP

#else

constexpr int kMacsPerIteration = 1024;

// Operands in the first-level cache: as near to registers as plain C++ can say.
int32_t run(int64_t iterations) {
  alignas(64) int16_t a[kMacsPerIteration];
  alignas(64) int16_t b[kMacsPerIteration];
  for (int i = 0; i < kMacsPerIteration; ++i) {
    a[i] = static_cast<int16_t>(i % 7);
    b[i] = static_cast<int16_t>(i % 5);
  }
  uint32_t total = 0;
  for (int64_t n = 0; n < iterations; ++n) {
    // Otherwise the sum would be computed once: it is the same every time.
    asm volatile("" : : "r"(a), "r"(b) : "memory");
    int32_t sum = 0;
    for (int i = 0; i < kMacsPerIteration; ++i) sum += int32_t{a[i]} * b[i];
    total += static_cast<uint32_t>(sum);
  }
  return static_cast<int32_t>(total);
}

#endif

}  // namespace

const Loop kPeakScalar = {"baseline/scalar", Isa::kScalar, kMacsPerIteration, run};

}  // namespace deeplab::peak
