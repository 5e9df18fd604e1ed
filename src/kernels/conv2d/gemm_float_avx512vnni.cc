// float convolution as a matrix product on AVX-512: 12 pixels by 32 channels in 24 accumulators.
#include <immintrin.h>

#include "kernels/conv2d/gemm_float.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kTileM = 12;
constexpr int kVectors = 2;
constexpr int kTileN = 16 * kVectors;

template <int M, int V>
void multiply(const GemmFloatTile& t) {
  __m512 sums[M][V];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sums[m][v] = _mm512_loadu_ps(t.panel + v * 16);
  }
  const float* bias = t.panel + kTileN;
  const float* w = bias + kTileN;
  for (int32_t k = 0; k < t.depth; ++k, w += kTileN) {
    __m512 weights[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) weights[v] = _mm512_loadu_ps(w + v * 16);
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
      const __m512 a = _mm512_set1_ps(t.rows[m * static_cast<ptrdiff_t>(t.depth) + k]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[m][v] = _mm512_fmadd_ps(a, weights[v], sums[m][v]);
    }
  }
  const __m512 low = _mm512_set1_ps(t.low);
  const __m512 high = _mm512_set1_ps(t.high);
  const uint32_t exist = t.channels >= 32 ? ~uint32_t{0} : (uint32_t{1} << t.channels) - 1;
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const __m512 sum = _mm512_add_ps(sums[m][v], _mm512_loadu_ps(bias + v * 16));
      _mm512_mask_storeu_ps(t.out + static_cast<ptrdiff_t>(m) * t.out_stride + v * 16,
                            static_cast<__mmask16>(exist >> (v * 16)),
                            _mm512_min_ps(_mm512_max_ps(sum, low), high));
    }
  }
}

template <int M>
struct Multiply {
  static void run(const GemmFloatTile& t) {
    t.channels > 16 ? multiply<M, 2>(t) : multiply<M, 1>(t);
  }
};

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmAvx512 = {
    "gemm/avx512",
    Isa::kAvx512Vnni,
    gemm_float_supports,
    gemm_float_packed_bytes<kTileN>,
    gemm_float_pack<kTileN>,
    gemm_float_scratch_bytes,
    gemm_float_run<kTileM, kTileN, multiply_pixels<Multiply, kTileM>>,
    gemm_float_start_from<kTileN>};

}  // namespace deeplab::kernels
