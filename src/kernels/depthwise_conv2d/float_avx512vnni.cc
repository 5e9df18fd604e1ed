// float depthwise convolution on AVX-512, 64 channels at a time, masked beyond the last.
#include <immintrin.h>

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kPanel = 64;

template <int Vectors>
void pixel_of(const DepthwiseConv2DFloat& conv, const DepthwiseFloatWindow& window,
              const float* panel, int32_t channel, float* out) {
  const int32_t left = conv.shape.out_c - channel;
  const uint64_t exist = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
  __m512 sums[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) sums[v] = _mm512_setzero_ps();
  for_each_float_tap<kPanel>(
      conv.shape, window, panel, channel, [&](const float* x, const float* w) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
          const __m512 value =
              _mm512_maskz_loadu_ps(static_cast<__mmask16>(exist >> (v * 16)), x + v * 16);
          sums[v] = _mm512_add_ps(sums[v], _mm512_mul_ps(value, _mm512_loadu_ps(w + v * 16)));
        }
      });
  const __m512 low = _mm512_set1_ps(conv.output_min);
  const __m512 high = _mm512_set1_ps(conv.output_max);
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    const __m512 sum = _mm512_add_ps(sums[v], _mm512_loadu_ps(panel + v * 16));
    _mm512_mask_storeu_ps(out + v * 16, static_cast<__mmask16>(exist >> (v * 16)),
                          _mm512_min_ps(_mm512_max_ps(sum, low), high));
  }
}

void pixel(const DepthwiseConv2DFloat& conv, const DepthwiseFloatWindow& window, const float* panel,
           int32_t channel, float* out) {
  if (conv.shape.out_c - channel > 16) {
    pixel_of<4>(conv, window, panel, channel, out);
  } else {
    pixel_of<1>(conv, window, panel, channel, out);
  }
}

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatAvx512 = {"direct/avx512",
                                                          Isa::kAvx512Vnni,
                                                          depthwise_float_supports,
                                                          depthwise_float_packed_bytes<kPanel>,
                                                          depthwise_float_pack<kPanel>,
                                                          depthwise_float_scratch_bytes,
                                                          depthwise_float_run<kPanel, pixel>};

}  // namespace deeplab::kernels
