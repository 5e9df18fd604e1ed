// AVERAGE_POOL_2D: the mean over the elements of the window that are inside the picture. Input
// and output have the same scale and zero point, as TensorFlow Lite requires.
#pragma once

#include <cstdint>

#include "kernels/per_isa.h"
#include "kernels/requantize.h"
#include "kernels/window.h"

namespace deeplab::kernels {

/// With n elements inside the picture and their sum:
/// Engine: q = clamp(round_half_even(float(sum - n * zero_point) / float(n)) + zero_point).
/// TFLite: the mean of the stored values, ties away from zero. Of a uint8 file those are the
/// unsigned values, so ties go upwards; the zero point plays no part.
/// A window wholly outside gives the zero point.
struct AveragePool2DInt8 {
  WindowShape shape;  ///< in_c == out_c.
  int32_t zero_point = 0;
  int32_t output_min = -128;  ///< Clamp bounds, the fused activation included.
  int32_t output_max = 127;
  bool from_uint8 = false;
};

/// sum / n, summed in the order ky, kx.
struct AveragePool2DFloat {
  WindowShape shape;
  float output_min = 0;
  float output_max = 0;
};

void average_pool2d_reference(const AveragePool2DInt8& pool, Rounding rounding, const int8_t* input,
                              int8_t* output);
void average_pool2d_reference(const AveragePool2DFloat& pool, const float* input, float* output);

/// Output pixels [begin, end) of batch * out_h * out_w with the reference's bytes in the engine's
/// rounding; `sums` is scratch for out_c values. For windows of less than 2^23 taps.
using AveragePoolPixels = void(const AveragePool2DInt8& pool, const int8_t* input, int8_t* output,
                               int64_t begin, int64_t end, int32_t* sums);
std::span<const PerIsa<AveragePoolPixels>> average_pool_kernels();
/// The same of floats, windows of any size.
using AveragePoolFloatPixels = void(const AveragePool2DFloat& pool, const float* input,
                                    float* output, int64_t begin, int64_t end, float* sums);
std::span<const PerIsa<AveragePoolFloatPixels>> average_pool_float_kernels();
inline bool average_pool_kernels_support(const AveragePool2DInt8& pool) {
  return int64_t{pool.shape.filter_h} * pool.shape.filter_w < 1 << 23;
}

}  // namespace deeplab::kernels
