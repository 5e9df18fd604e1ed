#include <algorithm>
#include <cstring>

#include "kernels/average_pool2d/average_pool2d.h"
#include "kernels/clamp.h"

namespace deeplab::kernels {
namespace {

/// The taps of an output pixel inside the picture, and of every channel their sum in the order ky,
/// kx.
template <typename Element, typename Sum>
DEEPLAB_INLINE int32_t sum_window(const WindowShape& s, const Element* input, int64_t pixel,
                                  Sum* sums) {
  const int64_t channels = s.out_c;
  const auto x0 = static_cast<int32_t>(pixel % s.out_w) * s.stride_w - s.pad_left;
  const auto y0 = static_cast<int32_t>(pixel / s.out_w % s.out_h) * s.stride_h - s.pad_top;
  const TapRange rows = taps_inside(y0, s.dilation_h, s.filter_h, s.in_h);
  const TapRange columns = taps_inside(x0, s.dilation_w, s.filter_w, s.in_w);
  const Element* picture = input + pixel / s.out_w / s.out_h * s.in_h * s.in_w * channels;
  std::memset(sums, 0, static_cast<size_t>(channels) * sizeof(Sum));
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      const int64_t y = y0 + int64_t{ky} * s.dilation_h;
      const int64_t x = x0 + int64_t{kx} * s.dilation_w;
      const Element* from = picture + (y * s.in_w + x) * channels;
      for (int64_t c = 0; c < channels; ++c) sums[c] += from[c];
    }
  }
  return rows.begin < rows.end && columns.begin < columns.end
             ? (rows.end - rows.begin) * (columns.end - columns.begin)
             : 0;
}

DEEPLAB_INLINE void pool_body(const AveragePool2DInt8& pool, const int8_t* input, int8_t* output,
                              int64_t begin, int64_t end, int32_t* sums) {
  // A copy, because a write to int8_t might change what `pool` refers to.
  const AveragePool2DInt8 op = pool;
  const int64_t channels = op.shape.out_c;
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const int32_t taps = sum_window(op.shape, input, pixel, sums);
    int8_t* out = output + pixel * channels;
    const auto count = static_cast<float>(taps);
    for (int64_t c = 0; c < channels; ++c) {
      const float mean = static_cast<float>(sums[c] - taps * op.zero_point) / count;
      out[c] = taps == 0 ? static_cast<int8_t>(op.zero_point)
                         : round_to_int8(mean, op.zero_point, op.output_min, op.output_max);
    }
  }
}

DEEPLAB_INLINE void pool_body(const AveragePool2DFloat& pool, const float* input, float* output,
                              int64_t begin, int64_t end, float* sums) {
  const AveragePool2DFloat op = pool;
  const int64_t channels = op.shape.out_c;
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const auto count = static_cast<float>(std::max(sum_window(op.shape, input, pixel, sums), 1));
    float* out = output + pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      out[c] = clamp_float(sums[c] / count, op.output_min, op.output_max);
    }
  }
}

template <typename Pool, typename Element, typename Sum>
void pool_baseline(const Pool& pool, const Element* input, Element* output, int64_t begin,
                   int64_t end, Sum* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
template <typename Pool, typename Element, typename Sum>
DEEPLAB_TARGET_AVX2 void pool_avx2(const Pool& pool, const Element* input, Element* output,
                                   int64_t begin, int64_t end, Sum* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
template <typename Pool, typename Element, typename Sum>
DEEPLAB_TARGET_AVX512 void pool_avx512(const Pool& pool, const Element* input, Element* output,
                                       int64_t begin, int64_t end, Sum* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
#endif

/// Of Function, AveragePoolPixels or the one for floats.
template <typename Function>
std::span<const PerIsa<Function>> table() {
  static const PerIsa<Function> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, pool_avx512},
      {Isa::kAvx2, pool_avx2},
#endif
      {Isa::kScalar, pool_baseline},
  };
  return kTable;
}

}  // namespace

std::span<const PerIsa<AveragePoolPixels>> average_pool_kernels() {
  return table<AveragePoolPixels>();
}
std::span<const PerIsa<AveragePoolFloatPixels>> average_pool_float_kernels() {
  return table<AveragePoolFloatPixels>();
}

}  // namespace deeplab::kernels
