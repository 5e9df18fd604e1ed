// On AVX2: 16 channels at a time, whose constants stay in registers while the pixels go by.
#include <immintrin.h>
#include <string.h>

#include "kernels/channelwise/kernel_list.h"
#include "kernels/copy_few.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kGroup = kChannelwiseGroup;

struct Stage {
  __m256 constants[2];
  __m256 scale;
  __m256 low;  // Bounds less the output's zero point.
  __m256 high;
};

Stage make_stage(const ChannelwiseStage& op, const float* constants) {
  Stage s;
  s.constants[0] = _mm256_loadu_ps(constants);
  s.constants[1] = _mm256_loadu_ps(constants + 8);
  s.scale = _mm256_set1_ps(op.scale);
  s.low = _mm256_set1_ps(static_cast<float>(op.output_min - op.output_zero_point));
  s.high = _mm256_set1_ps(static_cast<float>(op.output_max - op.output_zero_point));
  return s;
}

// Eight values less their zero point to steps of the output, clamped, not rounded yet.
template <bool Product>
inline __m256 apply(const Stage& s, int half, __m256 x) {
  __m256 value;
  if constexpr (Product) {
    value = _mm256_mul_ps(_mm256_mul_ps(x, s.constants[half]), s.scale);
  } else {
    value = _mm256_add_ps(_mm256_mul_ps(x, s.scale), s.constants[half]);
  }
  return _mm256_min_ps(_mm256_max_ps(value, s.low), s.high);
}

inline __m128i load(const int8_t* from, int32_t count) {
  if (count == kGroup) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  alignas(16) int8_t all[kGroup] = {};
  copy_at_most_16(from, all, static_cast<size_t>(count));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(all));
}

inline void store(__m128i bytes, int32_t count, int8_t* to) {
  if (count == kGroup) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return;
  }
  alignas(16) int8_t all[kGroup];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  copy_at_most_16(all, to, static_cast<size_t>(count));
}

// The second stage reads what the first one gives, so their zero points cancel out.
template <int Stages, bool Product0, bool Product1>
void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels, const int8_t* input,
         int8_t* output) {
  const ptrdiff_t channels = ops.channels;
  const __m256i zero_point = _mm256_set1_epi32(ops.stage[0].input_zero_point);
  const __m256i output_zero_point = _mm256_set1_epi32(ops.stage[Stages - 1].output_zero_point);
  for (int32_t first = 0; first < ops.channels; first += kGroup) {
    const int32_t left = ops.channels - first;
    const int32_t count = left < kGroup ? left : kGroup;
    const Stage s0 = make_stage(ops.stage[0], channelwise_constants(ops, packed, 0) + first);
    const Stage s1 =
        make_stage(ops.stage[Stages - 1], channelwise_constants(ops, packed, Stages - 1) + first);
    const int8_t* from = input + first;
    int8_t* to = output + first;
    for (int64_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += channels) {
      const __m128i bytes = load(from, count);
      __m256i steps[2];
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        const __m128i eight = half == 0 ? bytes : _mm_unpackhi_epi64(bytes, bytes);
        const __m256i x = _mm256_sub_epi32(_mm256_cvtepi8_epi32(eight), zero_point);
        __m256 value = apply<Product0>(s0, half, _mm256_cvtepi32_ps(x));
        if constexpr (Stages == 2) {
          value = _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
          value = apply<Product1>(s1, half, value);
        }
        steps[half] = _mm256_add_epi32(_mm256_cvtps_epi32(value), output_zero_point);
      }
      const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(steps[0], steps[1]), 0xD8);
      store(_mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)),
            count, to);
    }
  }
}

}  // namespace

void channelwise_avx2(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                      const int8_t* input, int8_t* output) {
  const bool first = ops.stage[0].product;
  const bool second = ops.stage[1].product;
  if (ops.stages == 1) {
    (first ? run<1, true, true> : run<1, false, false>)(ops, packed, pixels, input, output);
  } else if (first) {
    (second ? run<2, true, true> : run<2, true, false>)(ops, packed, pixels, input, output);
  } else {
    (second ? run<2, false, true> : run<2, false, false>)(ops, packed, pixels, input, output);
  }
}

}  // namespace deeplab::kernels
