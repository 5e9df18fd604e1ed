// float depthwise convolution on AVX-512, 8 pixels by 16 channels.
#include <immintrin.h>

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

struct Floats {
  using Vector = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kPixels = 8;

  static __mmask16 first(int32_t count) { return static_cast<__mmask16>((1u << count) - 1); }
  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector load_few(const float* from, int32_t count) {
    return _mm512_maskz_loadu_ps(first(count), from);
  }
  static void store(Vector value, float* to) { _mm512_storeu_ps(to, value); }
  static void store_few(Vector value, int32_t count, float* to) {
    _mm512_mask_storeu_ps(to, first(count), value);
  }
  static Vector multiply_add(Vector x, Vector w, Vector acc) { return _mm512_fmadd_ps(x, w, acc); }
  static Vector clamp(Vector value, float low, float high) {
    return _mm512_min_ps(_mm512_max_ps(value, _mm512_set1_ps(low)), _mm512_set1_ps(high));
  }
};

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatAvx512 =
    DepthwiseFloat<Floats>::kernel("direct/avx512", Isa::kAvx512Vnni);

}  // namespace deeplab::kernels
