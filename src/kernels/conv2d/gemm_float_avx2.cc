// float convolution as a matrix product on AVX2: 6 pixels by 16 channels in 12 accumulators.
#include <immintrin.h>

#include "kernels/conv2d/gemm_float.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int kTileM = 6;
constexpr int kTileN = 16;

void store(__m256 value, int32_t count, float* out) {
  if (count >= 8) {
    _mm256_storeu_ps(out, value);
  } else if (count > 0) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(out, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane), value);
  }
}

/// V vectors of a panel: one is enough for its first 8 channels.
template <int M, int V, bool Window>
[[gnu::noinline]] void multiply(const GemmFloatTile& t) {
  __m256 sums[M][V];
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sums[m][v] = _mm256_loadu_ps(t.panel + v * 8);
  }
  const float* bias = t.panel + kTileN;
  for_each_tap<kTileN, Window>(t, [&](const float* x, const float* w) {
    __m256 weights[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) weights[v] = _mm256_loadu_ps(w + v * 8);
#pragma GCC unroll 6
    for (int m = 0; m < M; ++m) {
      const __m256 a = _mm256_broadcast_ss(x + m * t.pixel_step);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[m][v] = _mm256_fmadd_ps(a, weights[v], sums[m][v]);
    }
  });
  const __m256 low = _mm256_set1_ps(t.low);
  const __m256 high = _mm256_set1_ps(t.high);
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const __m256 sum = _mm256_add_ps(sums[m][v], _mm256_loadu_ps(bias + v * 8));
      store(_mm256_min_ps(_mm256_max_ps(sum, low), high), t.channels - v * 8,
            t.out + static_cast<ptrdiff_t>(m) * t.out_stride + v * 8);
    }
  }
}

template <int M, bool Window>
struct Multiply {
  static void run(const GemmFloatTile& t) {
    t.channels > 8 ? multiply<M, 2, Window>(t) : multiply<M, 1, Window>(t);
  }
};

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmAvx2 = {"gemm/avx2",
                                                Isa::kAvx2,
                                                gemm_float_supports,
                                                gemm_float_packed_bytes<kTileN>,
                                                gemm_float_pack<kTileN>,
                                                gemm_float_scratch_bytes,
                                                gemm_float_run<kTileM, kTileN, Multiply>,
                                                gemm_float_start_from<kTileN>};

}  // namespace deeplab::kernels
