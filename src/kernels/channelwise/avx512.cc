// On AVX-512: 64 channels at a time, or what is left of them, as avx2.cc does it.
#include <immintrin.h>

#include "kernels/channelwise/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kVectors = 4;

struct Stage {
  __m512 scale;
  __m512 low;  // Bounds less the output's zero point.
  __m512 high;
};

Stage make_stage(const ChannelwiseStage& op) {
  Stage s;
  s.scale = _mm512_set1_ps(op.scale);
  s.low = _mm512_set1_ps(static_cast<float>(op.output_min - op.output_zero_point));
  s.high = _mm512_set1_ps(static_cast<float>(op.output_max - op.output_zero_point));
  return s;
}

// Values less their zero point to steps of the output, clamped, not rounded yet.
template <bool Product>
inline __m512 apply(const Stage& s, __m512 constants, __m512 x) {
  __m512 value;
  if constexpr (Product) {
    value = _mm512_mul_ps(_mm512_mul_ps(x, constants), s.scale);
  } else {
    value = _mm512_add_ps(_mm512_mul_ps(x, s.scale), constants);
  }
  return _mm512_min_ps(_mm512_max_ps(value, s.low), s.high);
}

// V vectors of 16 channels, of which the lanes in `mask` (of the last one) exist.
template <int V, int Stages, bool Product0, bool Product1>
void run_group(const ChannelwiseInt8& ops, const float* constants0, const float* constants1,
               __mmask16 mask, int64_t pixels, const int8_t* from, int8_t* to) {
  const __m512i zero_point = _mm512_set1_epi32(ops.stage[0].input_zero_point);
  const __m512i output_zero_point = _mm512_set1_epi32(ops.stage[Stages - 1].output_zero_point);
  const Stage s0 = make_stage(ops.stage[0]);
  const Stage s1 = make_stage(ops.stage[Stages - 1]);
  __m512 c0[V];
  __m512 c1[V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    c0[v] = _mm512_loadu_ps(constants0 + v * kLanes);
    c1[v] = _mm512_loadu_ps(constants1 + v * kLanes);
  }
  for (int64_t pixel = 0; pixel < pixels; ++pixel, from += ops.channels, to += ops.channels) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const __mmask16 lanes = v == V - 1 ? mask : static_cast<__mmask16>(0xFFFF);
      const __m128i bytes = _mm_maskz_loadu_epi8(lanes, from + v * kLanes);
      const __m512i x = _mm512_sub_epi32(_mm512_cvtepi8_epi32(bytes), zero_point);
      __m512 value = apply<Product0>(s0, c0[v], _mm512_cvtepi32_ps(x));
      if constexpr (Stages == 2) {
        value = _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        value = apply<Product1>(s1, c1[v], value);
      }
      const __m512i steps = _mm512_add_epi32(_mm512_cvtps_epi32(value), output_zero_point);
      _mm_mask_storeu_epi8(to + v * kLanes, lanes, _mm512_cvtepi32_epi8(steps));
    }
  }
}

template <int Stages, bool Product0, bool Product1>
void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels, const int8_t* input,
         int8_t* output) {
  const float* constants0 = channelwise_constants(ops, packed, 0);
  const float* constants1 = channelwise_constants(ops, packed, Stages - 1);
  int32_t c = 0;
  for (; c + kVectors * kLanes <= ops.channels; c += kVectors * kLanes) {
    run_group<kVectors, Stages, Product0, Product1>(ops, constants0 + c, constants1 + c, 0xFFFF,
                                                    pixels, input + c, output + c);
  }
  for (; c < ops.channels; c += kLanes) {
    const int32_t left = ops.channels - c;
    const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFF : (uint32_t{1} << left) - 1);
    run_group<1, Stages, Product0, Product1>(ops, constants0 + c, constants1 + c, mask, pixels,
                                             input + c, output + c);
  }
}

}  // namespace

void channelwise_avx512(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
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
