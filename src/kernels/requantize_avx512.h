// The engine's rounding on AVX-512, for the files compiled for it alone: everything is static, so
// that no copy is shared with code for other instruction sets.
#pragma once

#include <immintrin.h>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

struct RequantizeAvx512 {
  __m512i zero_point;
  __m512i min;
  __m512i max;
};

/// Of any op with a zero point and bounds of its output.
template <typename Op>
static inline RequantizeAvx512 make_requantize(const Op& op) {
  RequantizeAvx512 r;
  r.zero_point = _mm512_set1_epi16(static_cast<int16_t>(op.output_zero_point));
  r.min = _mm512_set1_epi8(static_cast<int8_t>(op.output_min));
  r.max = _mm512_set1_epi8(static_cast<int8_t>(op.output_max));
  return r;
}

/// Sixteen sums. Not a __m512i: GCC 12 keeps sums of that type twice around a loop, in the type of
/// VPDPBUSD's own result, which is this one, too, and spills them.
typedef int32_t Sums512 __attribute__((vector_size(64), may_alias));

static inline Sums512 load_sums(const int32_t* from) { return (Sums512)_mm512_loadu_si512(from); }

/// Products of unsigned by signed bytes, four per sum.
static inline Sums512 add_products(Sums512 sums, __m512i u, __m512i w) {
  return (Sums512)_mm512_dpbusd_epi32((__m512i)sums, u, w);
}

/// Sums in steps of the output, rounded. In range if scales_below_one().
static inline __m512i to_steps(__m512i acc, __m512 scale) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale));
}

/// Four vectors of steps to 64 bytes, clamped. The packs saturate, which changes nothing since the
/// clamp follows, and interleave their operands by 128-bit lanes: lane i of the result holds
/// lane i of a, b, c and d, four bytes each.
static inline __m512i to_bytes(const RequantizeAvx512& r, __m512i a, __m512i b, __m512i c,
                               __m512i d) {
  const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), r.zero_point);
  const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), r.zero_point);
  return _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(ab, cd), r.min), r.max);
}

/// For permutexvar_epi32 on what to_bytes() gives: a, b, c, d one after the other.
static inline __m512i bytes_in_order() {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

}  // namespace deeplab::kernels
