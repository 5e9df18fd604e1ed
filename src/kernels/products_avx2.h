// What the 8-bit kernels on 256-bit registers multiply with if there is no dot product: 16-bit
// values and VPMADDWD, which is exact. (VPMADDUBSW would multiply bytes directly, but saturates:
// two products may reach 2 * 255 * 127.)
#pragma once

#include <immintrin.h>

#include "base/isa.h"

namespace deeplab::kernels {
namespace {  // A type of each file, so that no template over it is shared between files.

struct Products {
  static constexpr Isa kIsa = Isa::kAvx2;
  /// An input value x becomes x + kShift, a weight w - wz.
  using Value = int16_t;
  using Weight = int16_t;
  static constexpr int32_t kShift = 0;
  static constexpr bool kFilterZeroInWeights = true;
  /// Neighbouring values of one product; 32 bits of them.
  static constexpr int32_t kDepth = 2;

  static Value value(int8_t x) { return x; }

  /// Eight sums; x and w hold a group of kDepth for each.
  static __m256i add(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }

  /// The sum here and now: where a loop is unrolled whole, GCC 12 puts additions off until more
  /// products wait than there are registers.
  static void settle(__m256i& sum) { asm("" : "+x"(sum)); }

  /// Four rows of a column, 16 channels: [channel / 8][kRowVectors][8][kDepth].
  static constexpr int32_t kRowVectors = 2;
  static void interleave(__m128i r0, __m128i r1, __m128i r2, __m128i r3, std::byte* out) {
    auto* to = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(to, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(r0, r1)));
    _mm256_storeu_si256(to + 1, _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(r2, r3)));
    _mm256_storeu_si256(to + 2, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(r0, r1)));
    _mm256_storeu_si256(to + 3, _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(r2, r3)));
  }
};

}  // namespace
}  // namespace deeplab::kernels
