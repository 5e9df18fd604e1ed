// What int8 kernels share that multiply 16-bit differences, (x - input_zero_point) by
// (w - filter_zero_point), so that no correction is left to make.
// Static and C-like for the reason im2col.h gives.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/im2col.h"

namespace deeplab::kernels {

/// Subtracts the zero point and fills up with zeros to `padded_depth`.
static inline void widen_row(const int8_t* row, int32_t depth, int32_t padded_depth,
                             int32_t zero_point, int16_t* out) {
  for (int32_t k = 0; k < depth; ++k) out[k] = static_cast<int16_t>(row[k] - zero_point);
  for (int32_t k = depth; k < padded_depth; ++k) out[k] = 0;
}

/// Pixels [pixel, pixel + count) as 16-bit rows of `padded_depth`. `taps` holds one 8-bit row.
static inline void widen_block(const Conv2DInt8& conv, const int8_t* input, int32_t pixel,
                               int32_t count, int32_t padded_depth, int8_t* taps, int16_t* rows) {
  const int32_t depth = gemm_depth(conv.shape);
  const bool direct = is_pointwise(conv.shape);
  if (direct && depth == padded_depth) {
    widen_row(input + static_cast<ptrdiff_t>(pixel) * depth, count * depth, count * depth,
              conv.input_zero_point, rows);
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    const int8_t* row = taps;
    if (direct) {
      row = input + static_cast<ptrdiff_t>(pixel + i) * depth;
    } else {
      gather_taps(conv.shape, input, static_cast<int8_t>(conv.input_zero_point), pixel + i, taps);
    }
    widen_row(row, depth, padded_depth, conv.input_zero_point,
              rows + static_cast<ptrdiff_t>(i) * padded_depth);
  }
}

}  // namespace deeplab::kernels
