// The engine's rounding to unsigned bytes q + 128 on AVX-512, for results that the next dot product
// reads. Static, as requantize_avx512.h.
#pragma once

#include "kernels/requantize_avx512.h"

namespace deeplab::kernels {

// If a ReLU follows whose zero is the smallest byte, as in every layer of real models, sums need
// no conversion to float: with these bits added to the bias, a sum from 0 to 2^23 has the bits of
// 2^23 + sum as a float, of which a fused multiply-add makes sum * scale with one rounding, as the
// reference has it. A smaller sum is some float below 2^23, which becomes something below 0, and so
// the smallest byte, as it should. And packs that saturate at 0 and 255 do all of the clamp except
// the upper bound.
static constexpr int32_t kFloatBits = 0x4B000000;
static constexpr float kFloatOffset = 0x1p23f;

static inline bool is_relu(const Conv2DInt8& conv) {
  return conv.output_zero_point == -128 && conv.output_min == -128;
}
// Whether all sums of a channel may have kFloatBits added: its bias and products of unsigned bytes
// by weights whose negative and positive ones come to these sums.
static inline bool fits_float_bits(int32_t bias, int32_t negative, int32_t positive) {
  return bias + int64_t{255} * negative > -(int64_t{1} << 30) &&
         bias + int64_t{255} * positive < int64_t{1} << 23;
}

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
