#include <cstddef>

#include "base/isa.h"
#include "kernels/resample/resample.h"

namespace deeplab::kernels {

void resample_columns_from(const ResampleColumns& op, int32_t begin, const uint8_t* row,
                           uint8_t* to) {
  to += ptrdiff_t{begin} * 3;
  for (int32_t x = begin; x < op.out; ++x, to += 3) {
    const int32_t* weights = op.weights + ptrdiff_t{x} * op.taps;
    const uint8_t* in = row + ptrdiff_t{op.first[x]} * op.pixel_bytes;
    int32_t red = kResampleRound;
    int32_t green = kResampleRound;
    int32_t blue = kResampleRound;
    for (int32_t k = 0; k < op.count[x]; ++k, in += op.pixel_bytes) {
      red += weights[k] * in[op.red];
      green += weights[k] * in[op.green];
      blue += weights[k] * in[op.blue];
    }
    to[0] = resampled_pixel(red);
    to[1] = resampled_pixel(green);
    to[2] = resampled_pixel(blue);
  }
}

void resample_columns_scalar(const ResampleColumns& op, const uint8_t* row, uint8_t* to) {
  resample_columns_from(op, 0, row, to);
}

DEEPLAB_ON_X86(ResampleColumnsKernel resample_columns_avx2;)

std::span<const PerIsa<ResampleColumnsKernel>> resample_columns_kernels() {
  static const PerIsa<ResampleColumnsKernel> kTable[] = {
      DEEPLAB_ON_X86({Isa::kAvx2, resample_columns_avx2}, ){Isa::kScalar, resample_columns_scalar},
  };
  return kTable;
}

namespace {

DEEPLAB_INLINE void rows_body(int32_t bytes, const uint8_t* const* rows, const int32_t* weights,
                              int32_t count, int32_t* __restrict sums, uint8_t* __restrict to) {
  for (int32_t i = 0; i < bytes; ++i) sums[i] = kResampleRound;
  for (int32_t k = 0; k < count; ++k) {
    const uint8_t* in = rows[k];
    for (int32_t i = 0; i < bytes; ++i) sums[i] += weights[k] * in[i];
  }
  for (int32_t i = 0; i < bytes; ++i) to[i] = resampled_pixel(sums[i]);
}

void rows_baseline(int32_t bytes, const uint8_t* const* rows, const int32_t* weights, int32_t count,
                   int32_t* sums, uint8_t* to) {
  rows_body(bytes, rows, weights, count, sums, to);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
DEEPLAB_TARGET_AVX2 void rows_avx2(int32_t bytes, const uint8_t* const* rows,
                                   const int32_t* weights, int32_t count, int32_t* sums,
                                   uint8_t* to) {
  rows_body(bytes, rows, weights, count, sums, to);
}
#endif

}  // namespace

std::span<const PerIsa<ResampleRowsKernel>> resample_rows_kernels() {
  static const PerIsa<ResampleRowsKernel> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx2, rows_avx2},
#endif
      {Isa::kScalar, rows_baseline},
  };
  return kTable;
}

}  // namespace deeplab::kernels
