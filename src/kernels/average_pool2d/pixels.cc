#include <cstring>

#include "kernels/average_pool2d/average_pool2d.h"

namespace deeplab::kernels {
namespace {

DEEPLAB_INLINE void pool_body(const AveragePool2DInt8& pool, const int8_t* input, int8_t* output,
                              int64_t begin, int64_t end, int32_t* sums) {
  // A copy, because a write to int8_t might change what `pool` refers to.
  const AveragePool2DInt8 op = pool;
  const WindowShape& s = op.shape;
  const int64_t channels = s.out_c;
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const auto x0 = static_cast<int32_t>(pixel % s.out_w) * s.stride_w - s.pad_left;
    const auto y0 = static_cast<int32_t>(pixel / s.out_w % s.out_h) * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y0, s.dilation_h, s.filter_h, s.in_h);
    const TapRange columns = taps_inside(x0, s.dilation_w, s.filter_w, s.in_w);
    const int8_t* picture = input + pixel / s.out_w / s.out_h * s.in_h * s.in_w * channels;
    std::memset(sums, 0, static_cast<size_t>(channels) * sizeof(int32_t));
    for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
        const int64_t y = y0 + int64_t{ky} * s.dilation_h;
        const int64_t x = x0 + int64_t{kx} * s.dilation_w;
        const int8_t* from = picture + (y * s.in_w + x) * channels;
        for (int64_t c = 0; c < channels; ++c) sums[c] += from[c];
      }
    }
    const int32_t taps = rows.begin < rows.end && columns.begin < columns.end
                             ? (rows.end - rows.begin) * (columns.end - columns.begin)
                             : 0;
    int8_t* out = output + pixel * channels;
    const auto count = static_cast<float>(taps);
    for (int64_t c = 0; c < channels; ++c) {
      const float mean = static_cast<float>(sums[c] - taps * op.zero_point) / count;
      out[c] = taps == 0 ? static_cast<int8_t>(op.zero_point)
                         : round_to_int8(mean, op.zero_point, op.output_min, op.output_max);
    }
  }
}

void pool_baseline(const AveragePool2DInt8& pool, const int8_t* input, int8_t* output,
                   int64_t begin, int64_t end, int32_t* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
DEEPLAB_TARGET_AVX2 void pool_avx2(const AveragePool2DInt8& pool, const int8_t* input,
                                   int8_t* output, int64_t begin, int64_t end, int32_t* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
DEEPLAB_TARGET_AVX512 void pool_avx512(const AveragePool2DInt8& pool, const int8_t* input,
                                       int8_t* output, int64_t begin, int64_t end, int32_t* sums) {
  pool_body(pool, input, output, begin, end, sums);
}
#endif

}  // namespace

std::span<const PerIsa<AveragePoolPixels>> average_pool_kernels() {
  static const PerIsa<AveragePoolPixels> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, pool_avx512},
      {Isa::kAvx2, pool_avx2},
#endif
      {Isa::kScalar, pool_baseline},
  };
  return kTable;
}

}  // namespace deeplab::kernels
