// What the 8-bit kernels on 256-bit registers multiply with on CPUs that have VPDPBUSD: unsigned
// by signed bytes, four deep, exactly. Input values are shifted to u = x + 128 (a flipped top bit);
// what that adds is taken back in the packed bias.
//
// The instruction has two encodings: VEX (AVX-VNNI) and EVEX (AVX-512 VNNI with VL). Files that
// include this are compiled once for each, and isa.h says which of them a CPU runs. The machines
// that this was written on have the second only: the first has been compiled and disassembled, and
// differs in nothing but the instructions' encoding and the registers there are.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "base/isa.h"

namespace deeplab::kernels {
namespace {  // A type of each file, so that no template over it is shared between files.

struct Products {
  static constexpr Isa kIsa = Isa::kAvxVnni;
  /// An input value x becomes x + 128; a weight stays as it is, and its zero point is taken back
  /// by row_sums(), or by add() of the values and minus the zero point.
  using Value = uint8_t;
  using Weight = int8_t;
  static constexpr bool kFilterZeroInWeights = false;
  /// Neighbouring values of one product; 32 bits of them.
  static constexpr int32_t kDepth = 4;

  static Value value(int8_t x) { return static_cast<uint8_t>(x ^ -128); }

  /// Eight sums; x and w hold a group of kDepth for each.
  static __m256i add(__m256i acc, __m256i x, __m256i w) {
#ifdef __AVXVNNI__
    return _mm256_dpbusd_avx_epi32(acc, x, w);
#else
    return _mm256_dpbusd_epi32(acc, x, w);
#endif
  }

  static constexpr bool kPairs = false;
  /// The sums of four rows, each in two parts: 64-bit lanes.
  static void row_sums(const Value* const (&rows)[4], int32_t depth, __m128i (&sums)[4]) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i wide[4] = {zero, zero, zero, zero};
    int32_t k = 0;
    for (; k + 32 <= depth; k += 32) {
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[r] + k));
        wide[r] = _mm256_add_epi64(wide[r], _mm256_sad_epu8(x, zero));
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      sums[r] =
          _mm_add_epi64(_mm256_castsi256_si128(wide[r]), _mm256_extracti128_si256(wide[r], 1));
    }
    const auto add = [&](const auto& load) {
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        const __m128i x = load(rows[r] + k);
        sums[r] = _mm_add_epi64(sums[r], _mm_sad_epu8(x, _mm256_castsi256_si128(zero)));
      }
    };
    if (k + 16 <= depth) {
      add([](const Value* x) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)); });
      k += 16;
    }
    for (; k < depth; k += 4) {
      add([](const Value* x) {
        int32_t four;
        memcpy(&four, x, 4);
        return _mm_cvtsi32_si128(four);
      });
    }
  }

  /// For products that are apart from their sums.
  static void settle(__m256i& /*sum*/) {}

  /// Four rows of a column, 16 channels: [channel / 8][kRowVectors][8][kDepth].
  static constexpr int32_t kRowVectors = 1;
  static void interleave(__m128i r0, __m128i r1, __m128i r2, __m128i r3, std::byte* out) {
    const __m128i flip = _mm_set1_epi8(-128);
    const __m128i low01 = _mm_xor_si128(_mm_unpacklo_epi8(r0, r1), flip);
    const __m128i low23 = _mm_xor_si128(_mm_unpacklo_epi8(r2, r3), flip);
    const __m128i high01 = _mm_xor_si128(_mm_unpackhi_epi8(r0, r1), flip);
    const __m128i high23 = _mm_xor_si128(_mm_unpackhi_epi8(r2, r3), flip);
    auto* to = reinterpret_cast<__m128i*>(out);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(low01, low23));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(low01, low23));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(high01, high23));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(high01, high23));
  }
};

}  // namespace
}  // namespace deeplab::kernels
