// The engine's rounding on 256-bit registers. Included by files of several instruction sets:
// everything is static, no copy of it may be shared between them.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/copy_few.h"

namespace deeplab::kernels {

struct RequantizeAvx2 {
  __m256i zero_point;
  __m256i min;
  __m256i max;
  __m256i order;
};

static inline RequantizeAvx2 make_requantize(const Conv2DInt8& conv) {
  RequantizeAvx2 r;
  r.zero_point = _mm256_set1_epi16(static_cast<int16_t>(conv.output_zero_point));
  r.min = _mm256_set1_epi8(static_cast<int8_t>(conv.output_min));
  r.max = _mm256_set1_epi8(static_cast<int8_t>(conv.output_max));
  r.order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return r;
}

/// Sums in steps of the output, rounded. In range if scales_below_one().
static inline __m256i to_steps(__m256i acc, __m256 scale) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale));
}

/// Four vectors of steps to 32 bytes, clamped: a, b, c, d one after the other. The packs saturate,
/// which changes nothing since the clamp follows, and interleave 128-bit lanes, which the
/// permutation undoes.
static inline __m256i to_bytes(const RequantizeAvx2& r, __m256i a, __m256i b, __m256i c,
                               __m256i d) {
  const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), r.zero_point);
  const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), r.zero_point);
  const __m256i bytes = _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(ab, cd), r.min), r.max);
  return _mm256_permutevar8x32_epi32(bytes, r.order);
}

/// The first `count` bytes, at most 16.
static inline void store_few(__m128i bytes, int32_t count, int8_t* out) {
  if (count == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    return;
  }
  if ((count & 8) != 0) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
    bytes = _mm_srli_si128(bytes, 8);
    out += 8;
  }
  if ((count & 4) != 0) {
    const int32_t four = _mm_cvtsi128_si32(bytes);
    memcpy(out, &four, 4);
    bytes = _mm_srli_si128(bytes, 4);
    out += 4;
  }
  alignas(16) int8_t rest[16];
  if ((count & 3) != 0) _mm_store_si128(reinterpret_cast<__m128i*>(rest), bytes);
  for (int32_t i = 0; i < (count & 3); ++i) out[i] = rest[i];
}

/// Four groups of eight channels, of which the first `count` exist.
static inline void store_eights(__m256i bytes, int32_t count, int8_t* const (&out)[4]) {
  const __m128i low = _mm256_castsi256_si128(bytes);
  const __m128i high = _mm256_extracti128_si256(bytes, 1);
  if (count == 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out[0]), low);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out[1]), _mm_unpackhi_epi64(low, low));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out[2]), high);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out[3]), _mm_unpackhi_epi64(high, high));
    return;
  }
  store_few(low, count, out[0]);
  store_few(_mm_srli_si128(low, 8), count, out[1]);
  store_few(high, count, out[2]);
  store_few(_mm_srli_si128(high, 8), count, out[3]);
}

/// Four groups of 16 channels, of which two vectors of to_bytes() have eight each.
static inline void store_sixteens(__m256i first, __m256i last, int8_t* const (&out)[4]) {
  const __m256i even = _mm256_unpacklo_epi64(first, last);
  const __m256i odd = _mm256_unpackhi_epi64(first, last);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[0]), _mm256_castsi256_si128(even));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[1]), _mm256_castsi256_si128(odd));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[2]), _mm256_extracti128_si256(even, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[3]), _mm256_extracti128_si256(odd, 1));
}

}  // namespace deeplab::kernels
