// The engine's rounding to values q + 128 on 256-bit registers, for results that the next product
// reads. Static, as requantize_avx2.h.
#pragma once

#include <immintrin.h>

#include "kernels/requantize_avx2.h"
#include "kernels/shifted.h"

namespace deeplab::kernels {

/// Sums in steps of the output above its zero point. Relu: with kFloatBits.
template <bool Relu>
static inline __m256i steps_of(__m256i sums, __m256 scale, __m256 minus_offset) {
  if constexpr (Relu) {
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_castsi256_ps(sums), scale, minus_offset));
  } else {
    return to_steps(sums, scale);
  }
}
static inline __m256 minus_offset_of(__m256 scale) {
  return _mm256_mul_ps(scale, _mm256_set1_ps(-kFloatOffset));
}

struct RequantizeShifted256 {
  __m256i zero_point;  // In words, plus 128.
  __m256i min, max;    // In bytes,
  __m256i min_word, max_word;
};
static inline RequantizeShifted256 make_requantize_shifted(const Conv2DInt8& conv) {
  RequantizeShifted256 r;
  r.zero_point = _mm256_set1_epi16(static_cast<int16_t>(conv.output_zero_point + 128));
  r.min = _mm256_set1_epi8(static_cast<int8_t>(conv.output_min ^ -128));
  r.max = _mm256_set1_epi8(static_cast<int8_t>(conv.output_max ^ -128));
  r.min_word = _mm256_set1_epi16(static_cast<int16_t>(conv.output_min + 128));
  r.max_word = _mm256_set1_epi16(static_cast<int16_t>(conv.output_max + 128));
  return r;
}

/// Two vectors of steps to words: of each 128-bit lane four of the first, then four of the second.
template <bool Relu>
static inline __m256i to_shifted_words(const RequantizeShifted256& r, __m256i a, __m256i b) {
  if constexpr (Relu) return _mm256_min_epu16(_mm256_packus_epi32(a, b), r.max_word);
  const __m256i words = _mm256_adds_epi16(_mm256_packs_epi32(a, b), r.zero_point);
  return _mm256_min_epi16(_mm256_max_epi16(words, r.min_word), r.max_word);
}
/// Four vectors of steps to bytes, likewise.
template <bool Relu>
static inline __m256i to_shifted_bytes(const RequantizeShifted256& r, const __m256i (&four)[4]) {
  __m256i ab = _mm256_packs_epi32(four[0], four[1]);
  __m256i cd = _mm256_packs_epi32(four[2], four[3]);
  if constexpr (Relu) return _mm256_min_epu8(_mm256_packus_epi16(ab, cd), r.max);
  ab = _mm256_adds_epi16(ab, r.zero_point);
  cd = _mm256_adds_epi16(cd, r.zero_point);
  return _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(ab, cd), r.min), r.max);
}

}  // namespace deeplab::kernels
