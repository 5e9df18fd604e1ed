// MAX_POOL_2D: the largest of the window's elements that are inside the picture. Input and output
// have the same scale and zero point, as TensorFlow Lite requires.
#pragma once

#include <cstdint>

#include "kernels/window.h"

namespace deeplab::kernels {

/// A window wholly outside the picture gives `output_min`.
struct MaxPool2DInt8 {
  WindowShape shape;          ///< in_c == out_c.
  int32_t output_min = -128;  ///< Clamp bounds, the fused activation included.
  int32_t output_max = 127;
};
struct MaxPool2DFloat {
  WindowShape shape;
  float output_min = 0;
  float output_max = 0;
};

/// Output rows [row_begin, row_end) of batch * out_h.
void max_pool2d_rows(const MaxPool2DInt8& pool, const int8_t* input, int8_t* output,
                     int32_t row_begin, int32_t row_end);
void max_pool2d_rows(const MaxPool2DFloat& pool, const float* input, float* output,
                     int32_t row_begin, int32_t row_end);

}  // namespace deeplab::kernels
