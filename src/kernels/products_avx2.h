// What the 8-bit kernels on 256-bit registers multiply with if there is no dot product: 16-bit
// values and VPMADDWD, which is exact. (VPMADDUBSW would multiply bytes directly, but saturates:
// two products may reach 2 * 255 * 127. In int8 files 40 to 90 % of the lines of a panel have a
// pair of weights that may.)
#pragma once

#include <immintrin.h>

#include "base/isa.h"

namespace deeplab::kernels {
namespace {  // A type of each file, so that no template over it is shared between files.

struct Products {
  static constexpr Isa kIsa = Isa::kAvx2;
  /// An input value x becomes x + 128, a weight w - wz.
  using Value = int16_t;
  using Weight = int16_t;
  static constexpr bool kFilterZeroInWeights = true;
  /// Neighbouring values of one product; 32 bits of them.
  static constexpr int32_t kDepth = 2;

  static Value value(int8_t x) { return static_cast<uint8_t>(x ^ -128); }

  /// Eight sums; x and w hold a group of kDepth for each.
  static __m256i add(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }

  /// Winograd's inner product: half of the multiplications become additions, of which a CPU does
  /// more at a time. Of four values and weights
  ///   (x0 + w2)(x2 + w0) + (x1 + w3)(x3 + w1) = x0 w0 + x1 w1 + x2 w2 + x3 w3
  ///                                           + x0 x2 + x1 x3 + w0 w2 + w1 w3
  /// where the last four products do not depend on both pixel and channel: row_sums() has the first
  /// two, and the packed bias takes back the others.
  static constexpr bool kPairs = true;
  struct Four {
    __m256i low, high;  // Two values or weights for each sum.
  };
  static __m256i add_pairs(__m256i acc, Four x, Four w) {
    __m256i a = _mm256_add_epi16(x.low, w.high);
    const __m256i b = _mm256_add_epi16(x.high, w.low);
    asm("vpmaddwd %[b], %[a], %[a]\n\tvpaddd %[a], %[acc], %[acc]"
        : [acc] "+x"(acc), [a] "+x"(a)
        : [b] "x"(b));
    return acc;
  }

  /// x0 x2 + x1 x3 of all fours of four rows, each in two parts: 64-bit lanes, whose upper halves
  /// are copies of the lower ones. Below 2^30, since depths are at most 2^15.
  static void row_sums(const Value* const (&rows)[4], int32_t depth, __m128i (&sums)[4]) {
    const int32_t wide = depth / 16 * 16;
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      __m256i sum = _mm256_setzero_si256();
      for (int32_t k = 0; k < wide; k += 16) {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[r] + k));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, _mm256_shuffle_epi32(x, 0xB1)));
      }
      sums[r] = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
      for (int32_t k = wide; k < depth; k += 4) {
        const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r] + k));
        sums[r] = _mm_add_epi32(sums[r], _mm_madd_epi16(x, _mm_shuffle_epi32(x, 0xB1)));
      }
    }
  }

  /// The sum here and now: where a loop is unrolled whole, GCC 12 puts additions off until more
  /// products wait than there are registers.
  static void settle(__m256i& sum) { asm("" : "+x"(sum)); }

  /// Four rows of a column, 16 channels: [channel / 8][kRowVectors][8][kDepth].
  static constexpr int32_t kRowVectors = 2;
  static void interleave(__m128i r0, __m128i r1, __m128i r2, __m128i r3, std::byte* out) {
    const auto widen = [](__m128i x) {
      return _mm256_cvtepu8_epi16(_mm_xor_si128(x, _mm_set1_epi8(-128)));
    };
    auto* to = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(to, widen(_mm_unpacklo_epi8(r0, r1)));
    _mm256_storeu_si256(to + 1, widen(_mm_unpacklo_epi8(r2, r3)));
    _mm256_storeu_si256(to + 2, widen(_mm_unpackhi_epi8(r0, r1)));
    _mm256_storeu_si256(to + 3, widen(_mm_unpackhi_epi8(r2, r3)));
  }
};

}  // namespace
}  // namespace deeplab::kernels
