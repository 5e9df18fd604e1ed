// float depthwise convolution on AVX2, 8 pixels by 8 channels.
#include <immintrin.h>

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

struct Floats {
  using Vector = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kPixels = 8;

  static __m256i first(int32_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector load_few(const float* from, int32_t count) {
    return _mm256_maskload_ps(from, first(count));
  }
  static void store(Vector value, float* to) { _mm256_storeu_ps(to, value); }
  static void store_few(Vector value, int32_t count, float* to) {
    _mm256_maskstore_ps(to, first(count), value);
  }
  static Vector multiply_add(Vector x, Vector w, Vector acc) { return _mm256_fmadd_ps(x, w, acc); }
  static Vector clamp(Vector value, float low, float high) {
    return _mm256_min_ps(_mm256_max_ps(value, _mm256_set1_ps(low)), _mm256_set1_ps(high));
  }
};

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatAvx2 =
    DepthwiseFloat<Floats>::kernel("direct/avx2", Isa::kAvx2);

}  // namespace deeplab::kernels
