// ADD on AVX-512: 64 elements at a time.
#include <immintrin.h>
#include <string.h>

#include "kernels/add/add.h"
#include "kernels/requantize_avx512.h"

namespace deeplab::kernels {
namespace {

struct Operand {
  __m512i zero_point;
  __m512 scale;
};
Operand make_operand(int32_t zero_point, float scale) {
  return {_mm512_set1_epi32(zero_point), _mm512_set1_ps(scale)};
}

// Sixteen values in steps of the output.
__m512 scaled(const Operand& operand, const int8_t* x) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  const __m512i steps = _mm512_sub_epi32(_mm512_cvtepi8_epi32(bytes), operand.zero_point);
  return _mm512_mul_ps(_mm512_cvtepi32_ps(steps), operand.scale);
}

struct Job {
  Operand a;
  Operand b;
  RequantizeAvx512 to;
  __m512i order;
};

// No clamp in float: validated ratios of scales are at most 2^16, so sums fit int32.
void add64(const Job& job, const int8_t* a, const int8_t* b, int8_t* output) {
  __m512i steps[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    steps[i] =
        _mm512_cvtps_epi32(_mm512_add_ps(scaled(job.a, a + i * 16), scaled(job.b, b + i * 16)));
  }
  const __m512i bytes = to_bytes(job.to, steps[0], steps[1], steps[2], steps[3]);
  _mm512_storeu_si512(output, _mm512_permutexvar_epi32(job.order, bytes));
}

}  // namespace

void add_avx512(const AddInt8& add, int64_t count, const int8_t* a, const int8_t* b,
                int8_t* output) {
  Job job;
  job.a = make_operand(add.a_zero_point, add.a_scale);
  job.b = make_operand(add.b_zero_point, add.b_scale);
  job.to = make_requantize(add);
  job.order = bytes_in_order();
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) add64(job, a + i, b + i, output + i);
  const auto left = static_cast<size_t>(count - i);
  if (left == 0) return;
  int8_t last_a[64] = {};
  int8_t last_b[64] = {};
  int8_t last[64];
  memcpy(last_a, a + i, left);
  memcpy(last_b, b + i, left);
  add64(job, last_a, last_b, last);
  memcpy(output + i, last, left);
}

}  // namespace deeplab::kernels
