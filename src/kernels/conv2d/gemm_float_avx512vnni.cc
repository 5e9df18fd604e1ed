// float convolution as a matrix product on AVX-512: 12 pixels by 32 channels in 24 accumulators.
#include <immintrin.h>

#include "kernels/conv2d/gemm_float.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kTileM = 12;
constexpr int kVectors = 2;
constexpr int kTileN = 16 * kVectors;

/// As _mm256_fmadd_ps(), which is another instruction set's.
__m256 multiply_add(__m256 x, __m256 w, __m256 acc) {
  return _mm256_maskz_fmadd_ps(0xff, x, w, acc);
}

/// V vectors of a panel, and 8 channels more if Half (two 256-bit multiply-adds take no longer than
/// one of 512 bits on a core that splits these): 21 classes.
template <int M, int V, bool Half, bool Window>
[[gnu::noinline]] void multiply(const GemmFloatTile& t) {
  __m512 sums[M][V];
  __m256 half[M];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sums[m][v] = _mm512_loadu_ps(t.panel + v * 16);
    if (Half) half[m] = _mm256_loadu_ps(t.panel + V * 16);
  }
  for_each_tap<kTileN, Window>(t, [&](const float* x, const float* w) {
    __m512 weights[V];
    __m256 half_weights;
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) weights[v] = _mm512_loadu_ps(w + v * 16);
    if (Half) half_weights = _mm256_loadu_ps(w + V * 16);
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
      const __m512 a = _mm512_set1_ps(x[m * t.pixel_step]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[m][v] = _mm512_fmadd_ps(a, weights[v], sums[m][v]);
      if (Half) half[m] = multiply_add(_mm512_castps512_ps256(a), half_weights, half[m]);
    }
  });
  const float* bias = t.panel + kTileN;
  const __m512 low = _mm512_set1_ps(t.low);
  const __m512 high = _mm512_set1_ps(t.high);
  const uint32_t exist = t.channels >= 32 ? ~uint32_t{0} : (uint32_t{1} << t.channels) - 1;
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
    float* out = t.out + static_cast<ptrdiff_t>(m) * t.out_stride;
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const __m512 sum = _mm512_add_ps(sums[m][v], _mm512_loadu_ps(bias + v * 16));
      _mm512_mask_storeu_ps(out + v * 16, static_cast<__mmask16>(exist >> (v * 16)),
                            _mm512_min_ps(_mm512_max_ps(sum, low), high));
    }
    if (Half) {
      const __m256 sum = _mm256_add_ps(half[m], _mm256_loadu_ps(bias + V * 16));
      const __m256 least = _mm256_max_ps(sum, _mm512_castps512_ps256(low));
      _mm256_mask_storeu_ps(out + V * 16, static_cast<__mmask8>(exist >> (V * 16)),
                            _mm256_min_ps(least, _mm512_castps512_ps256(high)));
    }
  }
}

template <int M, bool Window>
struct Multiply {
  static void run(const GemmFloatTile& t) {
    if (t.channels > 24) {
      multiply<M, 2, false, Window>(t);
    } else if (t.channels > 16) {
      multiply<M, 1, true, Window>(t);
    } else {
      multiply<M, 1, false, Window>(t);
    }
  }
};

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmAvx512 = {"gemm/avx512",
                                                  Isa::kAvx512Vnni,
                                                  gemm_float_supports,
                                                  gemm_float_packed_bytes<kTileN>,
                                                  gemm_float_pack<kTileN>,
                                                  gemm_float_scratch_bytes,
                                                  gemm_float_run<kTileM, kTileN, Multiply>,
                                                  gemm_float_start_from<kTileN>};

}  // namespace deeplab::kernels
