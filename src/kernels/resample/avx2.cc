// Four taps of one output pixel at a time: two products of 16 bits per channel and lane.
#include <immintrin.h>
#include <string.h>

#include "kernels/resample/resample.h"

namespace deeplab::kernels {

void resample_columns_avx2(const ResampleColumns& op, const uint8_t* row, uint8_t* to) {
  // The channels of taps 0 and 1 next to each other as 16-bit numbers, in the upper lane those of
  // 2 and 3.
  alignas(32) int8_t places[32];
  memset(places, -1, sizeof places);  // 0
  const int32_t channels[3] = {op.red, op.green, op.blue};
  for (int32_t tap = 0; tap < kResampleGroup; ++tap) {
    for (int32_t c = 0; c < 3; ++c) {
      places[tap / 2 * 16 + 4 * c + tap % 2 * 2] =
          static_cast<int8_t>(tap * op.pixel_bytes + channels[c]);
    }
  }
  const __m256i mask = _mm256_load_si256(reinterpret_cast<const __m256i*>(places));
  const __m128i round = _mm_set1_epi32(kResampleRound);
  const int32_t step = kResampleGroup * op.pixel_bytes;
  int32_t x = 0;
  // Four bytes are written of a pixel, sixteen read of a group.
  for (uint8_t* pixel = to; x + 1 < op.out; ++x, pixel += 3) {
    const int32_t group_count = op.group_begin[x + 1] - op.group_begin[x];
    const ptrdiff_t begin = ptrdiff_t{op.first[x]} * op.pixel_bytes;
    if (begin + ptrdiff_t{group_count - 1} * step + 16 > op.row_bytes) break;
    const uint8_t* in = row + begin;
    const int16_t* weights = op.groups + ptrdiff_t{op.group_begin[x]} * 32;
    __m256i high = _mm256_setzero_si256();
    __m256i low = _mm256_setzero_si256();
    for (int32_t g = 0; g < group_count; ++g, in += step, weights += 32) {
      const __m256i taps = _mm256_shuffle_epi8(
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in))), mask);
      const __m256i* halves = reinterpret_cast<const __m256i*>(weights);
      high = _mm256_add_epi32(high, _mm256_madd_epi16(taps, _mm256_loadu_si256(halves)));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(taps, _mm256_loadu_si256(halves + 1)));
    }
    const __m256i sums = _mm256_add_epi32(_mm256_slli_epi32(high, kResampleLowBits), low);
    __m128i sum = _mm_add_epi32(
        round, _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
    sum = _mm_srai_epi32(sum, kResampleShift);
    sum = _mm_packus_epi16(_mm_packus_epi32(sum, sum), sum);
    const int32_t bytes = _mm_cvtsi128_si32(sum);
    memcpy(pixel, &bytes, sizeof bytes);
  }
  resample_columns_from(op, x, row, to);
}

}  // namespace deeplab::kernels
