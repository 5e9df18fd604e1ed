// On AVX-512: 64 channels at a time, the last ones masked; otherwise as avx2.cc does it. The merged
// forms are fused multiply-adds.
#include <immintrin.h>

#include "kernels/channelwise/stages.h"
#include "kernels/requantize_avx512.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kVectors = 4;
constexpr int32_t kChannels = kLanes * kVectors;

// A stage of 64 channels. Exact: a product's constant is its factor, and the scale comes after it.
struct Stage {
  __m512 factor[kVectors];
  __m512 addend[kVectors];
  __m512 scale;
  __m512 low;  // Bounds less the output's zero point.
  __m512 high;
};

// Vectors past the last group of channels are not there.
inline void load_four(const float* from, int32_t vectors, __m512 (&to)[kVectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    to[v] = _mm512_maskz_loadu_ps(v < vectors ? 0xFFFF : 0, from + v * kLanes);
  }
}

template <bool Exact>
Stage make_stage(const ChannelwiseInt8& ops, const std::byte* packed, int32_t stage, int32_t first,
                 int32_t vectors) {
  const ChannelwiseStage& op = ops.stage[stage];
  Stage s;
  s.scale = _mm512_set1_ps(op.scale);
  s.low = _mm512_set1_ps(static_cast<float>(op.output_min - op.output_zero_point));
  s.high = _mm512_set1_ps(static_cast<float>(op.output_max - op.output_zero_point));
  if constexpr (Exact) {
    // x * 1 and y + 0 change nothing, so that products and sums are one formula.
    const float* constants = channelwise_array(ops, packed, stage, kConstant) + first;
    for (int v = 0; v < kVectors; ++v) {
      s.factor[v] = _mm512_set1_ps(1);
      s.addend[v] = _mm512_setzero_ps();
    }
    load_four(constants, vectors, op.product ? s.factor : s.addend);
  } else {
    load_four(channelwise_array(ops, packed, stage, kFactor) + first, vectors, s.factor);
    load_four(channelwise_array(ops, packed, stage, kAddend) + first, vectors, s.addend);
  }
  return s;
}

// Sixteen values to steps of the output, not rounded yet.
template <bool Exact, bool Clamp>
inline __m512 apply(const Stage& s, int v, __m512 x) {
  __m512 value;
  if constexpr (Exact) {
    value = _mm512_add_ps(_mm512_mul_ps(_mm512_mul_ps(x, s.factor[v]), s.scale), s.addend[v]);
  } else {
    value = _mm512_fmadd_ps(x, s.factor[v], s.addend[v]);
  }
  return Clamp ? _mm512_min_ps(_mm512_max_ps(value, s.low), s.high) : value;
}

struct Kernel {
  template <int Stages, ChannelwiseForm Form>
  static void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                  const int8_t* input, int8_t* output) {
    constexpr bool kExact = Form == ChannelwiseForm::kExact;
    constexpr bool kClampFirst = Form != ChannelwiseForm::kMergedUnclamped;
    const ptrdiff_t channels = ops.channels;
    const __m512i zero_point = _mm512_set1_epi32(ops.stage[0].input_zero_point);
    const RequantizeAvx512 to_output = make_requantize(ops.stage[Stages - 1]);
    const __m512i order = bytes_in_order();
    for (int32_t first = 0; first < ops.channels; first += kChannels) {
      const int32_t left = ops.channels - first;
      const int32_t vectors = left < kChannels ? (left + kLanes - 1) / kLanes : kVectors;
      const Stage s0 = make_stage<kExact>(ops, packed, 0, first, vectors);
      const Stage s1 = make_stage<kExact>(ops, packed, Stages - 1, first, vectors);
      const __mmask64 mask = left >= kChannels ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
      const int8_t* from = input + first;
      int8_t* to = output + first;
      for (int64_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += channels) {
        const __m512i bytes = _mm512_maskz_loadu_epi8(mask, from);
        __m512i steps[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          // Not extracti32x4(bytes, v): its operand must be a number to every compiler.
          const __m128i sixteen = v == 0   ? _mm512_castsi512_si128(bytes)
                                  : v == 1 ? _mm512_extracti32x4_epi32(bytes, 1)
                                  : v == 2 ? _mm512_extracti32x4_epi32(bytes, 2)
                                           : _mm512_extracti32x4_epi32(bytes, 3);
          __m512i x = _mm512_cvtepi8_epi32(sixteen);
          if constexpr (kExact) x = _mm512_sub_epi32(x, zero_point);
          __m512 value = _mm512_cvtepi32_ps(x);
          if constexpr (Stages == 2) {
            value = apply<kExact, kClampFirst>(s0, v, value);
            value = _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
          }
          steps[v] = _mm512_cvtps_epi32(apply<kExact, kExact>(s1, v, value));
        }
        const __m512i all = to_bytes(to_output, steps[0], steps[1], steps[2], steps[3]);
        _mm512_mask_storeu_epi8(to, mask, _mm512_permutexvar_epi32(order, all));
      }
    }
  }
};

}  // namespace

void channelwise_avx512(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                        const int8_t* input, int8_t* output) {
  run_channelwise<Kernel>(ops, packed, pixels, input, output);
}

}  // namespace deeplab::kernels
