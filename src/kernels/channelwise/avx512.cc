// On AVX-512: 64 channels at a time, or 16 where fewer are left; otherwise as avx2.cc does it.
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
template <bool Product, bool Merged, bool Clamp>
inline __m512 apply(const Stage& s, __m512 constants, __m512 x) {
  __m512 value;
  if constexpr (!Product) {
    value = _mm512_add_ps(_mm512_mul_ps(x, s.scale), constants);
  } else if constexpr (Merged) {
    value = _mm512_mul_ps(x, constants);
  } else {
    value = _mm512_mul_ps(_mm512_mul_ps(x, constants), s.scale);
  }
  return Clamp ? _mm512_min_ps(_mm512_max_ps(value, s.low), s.high) : value;
}

// V vectors of 16 channels, of which the lanes in `mask` (of the last one) exist.
template <int V, int Stages, bool Product0, bool Product1, ChannelwiseForm Form>
void run_group(const ChannelwiseInt8& ops, const float* constants0, const float* constants1,
               __mmask16 mask, int64_t pixels, const int8_t* from, int8_t* to) {
  constexpr bool kMerged = Form != ChannelwiseForm::kExact;
  constexpr bool kClampFirst =
      Form == ChannelwiseForm::kExact || (Form == ChannelwiseForm::kMerged && Stages == 2);
  const ChannelwiseStage& last = ops.stage[Stages - 1];
  const __m512i zero_point = _mm512_set1_epi32(ops.stage[0].input_zero_point);
  const __m512i output_zero_point = _mm512_set1_epi32(last.output_zero_point);
  const __m128i min = _mm_set1_epi8(static_cast<int8_t>(last.output_min));
  const __m128i max = _mm_set1_epi8(static_cast<int8_t>(last.output_max));
  const Stage s0 = make_stage(ops.stage[0]);
  const Stage s1 = make_stage(last);
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
      __m512 value = apply<Product0, kMerged, kClampFirst>(s0, c0[v], _mm512_cvtepi32_ps(x));
      if constexpr (Stages == 2) {
        value = _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        value = apply<Product1, kMerged, !kMerged>(s1, c1[v], value);
      }
      // Saturating: the clamp of the last stage is one of bytes. No step is near the ends of int32
      // but for what shorten() has looked at.
      const __m512i steps = _mm512_add_epi32(_mm512_cvtps_epi32(value), output_zero_point);
      const __m128i packed_bytes = _mm512_cvtsepi32_epi8(steps);
      _mm_mask_storeu_epi8(to + v * kLanes, lanes,
                           _mm_min_epi8(_mm_max_epi8(packed_bytes, min), max));
    }
  }
}

template <int Stages, bool Product0, bool Product1, ChannelwiseForm Form>
void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels, const int8_t* input,
         int8_t* output) {
  constexpr bool kMerged = Form != ChannelwiseForm::kExact;
  const float* constants0 = channelwise_constants(ops, packed, 0, kMerged);
  const float* constants1 = channelwise_constants(ops, packed, Stages - 1, kMerged);
  int32_t c = 0;
  for (; c + kVectors * kLanes <= ops.channels; c += kVectors * kLanes) {
    run_group<kVectors, Stages, Product0, Product1, Form>(ops, constants0 + c, constants1 + c,
                                                          0xFFFF, pixels, input + c, output + c);
  }
  for (; c < ops.channels; c += kLanes) {
    const int32_t left = ops.channels - c;
    const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFF : (uint32_t{1} << left) - 1);
    run_group<1, Stages, Product0, Product1, Form>(ops, constants0 + c, constants1 + c, mask,
                                                   pixels, input + c, output + c);
  }
}

template <ChannelwiseForm Form>
void run_form(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
              const int8_t* input, int8_t* output) {
  const bool first = ops.stage[0].product;
  const bool second = ops.stage[1].product;
  const auto run_stages =
      ops.stages == 1 ? (first ? run<1, true, true, Form> : run<1, false, false, Form>)
      : first         ? (second ? run<2, true, true, Form> : run<2, true, false, Form>)
                      : (second ? run<2, false, true, Form> : run<2, false, false, Form>);
  run_stages(ops, packed, pixels, input, output);
}

}  // namespace

void channelwise_avx512(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                        const int8_t* input, int8_t* output) {
  switch (ops.form) {
    case ChannelwiseForm::kExact:
      return run_form<ChannelwiseForm::kExact>(ops, packed, pixels, input, output);
    case ChannelwiseForm::kMerged:
      return run_form<ChannelwiseForm::kMerged>(ops, packed, pixels, input, output);
    case ChannelwiseForm::kMergedUnclamped:
      return run_form<ChannelwiseForm::kMergedUnclamped>(ops, packed, pixels, input, output);
  }
}

}  // namespace deeplab::kernels
