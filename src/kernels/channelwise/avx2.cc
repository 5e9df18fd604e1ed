// On AVX2: 16 channels at a time, whose constants stay in registers while the pixels go by.
#include <immintrin.h>
#include <string.h>

#include "kernels/channelwise/stages.h"
#include "kernels/copy_few.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kGroup = kChannelwiseGroup;

// A stage of 16 channels. Exact: a product's constant is its factor, and the scale comes after it.
struct Stage {
  __m256 factor[2];
  __m256 addend[2];
  __m256 scale;
  __m256 low;  // Bounds less the output's zero point.
  __m256 high;
};

inline void load_two(const float* from, __m256 (&to)[2]) {
  to[0] = _mm256_loadu_ps(from);
  to[1] = _mm256_loadu_ps(from + 8);
}

template <bool Exact>
Stage make_stage(const ChannelwiseInt8& ops, const std::byte* packed, int32_t stage,
                 int32_t first) {
  const ChannelwiseStage& op = ops.stage[stage];
  Stage s;
  s.scale = _mm256_set1_ps(op.scale);
  s.low = _mm256_set1_ps(static_cast<float>(op.output_min - op.output_zero_point));
  s.high = _mm256_set1_ps(static_cast<float>(op.output_max - op.output_zero_point));
  if constexpr (Exact) {
    // x * 1 and y + 0 change nothing, so that products and sums are one formula.
    const float* constants = channelwise_array(ops, packed, stage, kConstant) + first;
    s.factor[0] = s.factor[1] = _mm256_set1_ps(1);
    s.addend[0] = s.addend[1] = _mm256_setzero_ps();
    load_two(constants, op.product ? s.factor : s.addend);
  } else {
    load_two(channelwise_array(ops, packed, stage, kFactor) + first, s.factor);
    load_two(channelwise_array(ops, packed, stage, kAddend) + first, s.addend);
  }
  return s;
}

// Eight values to steps of the output, not rounded yet.
template <bool Exact, bool Clamp>
inline __m256 apply(const Stage& s, int half, __m256 x) {
  __m256 value = _mm256_mul_ps(x, s.factor[half]);
  if constexpr (Exact) value = _mm256_mul_ps(value, s.scale);
  value = _mm256_add_ps(value, s.addend[half]);
  return Clamp ? _mm256_min_ps(_mm256_max_ps(value, s.low), s.high) : value;
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

// The second stage reads what the first one gives, so their zero points cancel out. The packs
// saturate, so that a clamp of bytes is all that is left of that of the last stage.
struct Kernel {
  template <int Stages, ChannelwiseForm Form>
  static void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                  const int8_t* input, int8_t* output) {
    constexpr bool kExact = Form == ChannelwiseForm::kExact;
    constexpr bool kClampFirst = Form != ChannelwiseForm::kMergedUnclamped;
    const ptrdiff_t channels = ops.channels;
    const ChannelwiseStage& last = ops.stage[Stages - 1];
    const __m256i zero_point = _mm256_set1_epi32(ops.stage[0].input_zero_point);
    const __m256i output_zero_point =
        _mm256_set1_epi16(static_cast<int16_t>(last.output_zero_point));
    const __m128i min = _mm_set1_epi8(static_cast<int8_t>(last.output_min));
    const __m128i max = _mm_set1_epi8(static_cast<int8_t>(last.output_max));
    for (int32_t first = 0; first < ops.channels; first += kGroup) {
      const int32_t left = ops.channels - first;
      const int32_t count = left < kGroup ? left : kGroup;
      const Stage s0 = make_stage<kExact>(ops, packed, 0, first);
      const Stage s1 = make_stage<kExact>(ops, packed, Stages - 1, first);
      const int8_t* from = input + first;
      int8_t* to = output + first;
      for (int64_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += channels) {
        const __m128i bytes = load(from, count);
        __m256i steps[2];
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
          const __m128i eight = half == 0 ? bytes : _mm_unpackhi_epi64(bytes, bytes);
          __m256i x = _mm256_cvtepi8_epi32(eight);
          if constexpr (kExact) x = _mm256_sub_epi32(x, zero_point);
          __m256 value = _mm256_cvtepi32_ps(x);
          if constexpr (Stages == 2) {
            value = apply<kExact, kClampFirst>(s0, half, value);
            value = _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
          }
          steps[half] = _mm256_cvtps_epi32(apply<kExact, kExact>(s1, half, value));
        }
        const __m256i mixed =
            _mm256_adds_epi16(_mm256_packs_epi32(steps[0], steps[1]), output_zero_point);
        const __m256i words = _mm256_permute4x64_epi64(mixed, 0xD8);
        const __m128i all =
            _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        store(_mm_min_epi8(_mm_max_epi8(all, min), max), count, to);
      }
    }
  }
};

}  // namespace

void channelwise_avx2(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                      const int8_t* input, int8_t* output) {
  run_channelwise<Kernel>(ops, packed, pixels, input, output);
}

}  // namespace deeplab::kernels
