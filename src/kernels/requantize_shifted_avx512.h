// The engine's rounding to unsigned bytes q + 128 on AVX-512, for results that the next dot product
// reads. Static, as requantize_avx512.h.
#pragma once

#include "kernels/requantize_avx512.h"
#include "kernels/shifted.h"

namespace deeplab::kernels {

// Sums in steps of the output above its zero point.
template <bool Relu>
static inline __m512i steps_of(Sums512 sums, __m512 scale, __m512 minus_offset) {
  if constexpr (Relu) {
    const __m512 with_offset = _mm512_castsi512_ps((__m512i)sums);
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(with_offset, scale, minus_offset));
  } else {
    return to_steps((__m512i)sums, scale);
  }
}
static inline __m512 minus_offset_of(__m512 scale) {
  return _mm512_mul_ps(scale, _mm512_set1_ps(-kFloatOffset));
}

// To unsigned bytes, q + 128.
struct RequantizeShifted {
  __m512i zero_point;
  __m512i min;
  __m512i max;
};
static inline RequantizeShifted make_requantize_shifted(const Conv2DInt8& conv) {
  RequantizeShifted r;
  r.zero_point = _mm512_set1_epi16(static_cast<int16_t>(conv.output_zero_point + 128));
  r.min = _mm512_set1_epi8(static_cast<int8_t>(conv.output_min ^ -128));
  r.max = _mm512_set1_epi8(static_cast<int8_t>(conv.output_max ^ -128));
  return r;
}
// As to_bytes() does it.
template <bool Relu>
static inline __m512i to_shifted_bytes(const RequantizeShifted& r, const __m512i* four) {
  __m512i ab = _mm512_packs_epi32(four[0], four[1]);
  __m512i cd = _mm512_packs_epi32(four[2], four[3]);
  if constexpr (Relu) {
    return _mm512_min_epu8(_mm512_packus_epi16(ab, cd), r.max);
  } else {
    ab = _mm512_adds_epi16(ab, r.zero_point);
    cd = _mm512_adds_epi16(cd, r.zero_point);
    return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(ab, cd), r.min), r.max);
  }
}

}  // namespace deeplab::kernels
