// RESIZE_BILINEAR. Input and output have the same scale and zero point.
#pragma once

#include <cstdint>

#include "kernels/per_isa.h"
#include "kernels/requantize.h"
#include "kernels/resize_shape.h"

namespace deeplab::kernels {

/// Engine, for 8-bit and float alike, each operation rounded to float32:
///   left = v00 + (v10 - v00) * fy,  right = v01 + (v11 - v01) * fy     (rows first)
///   value = left + (right - left) * fx
/// where v(row)(column) are the four neighbours as float and fy, fx the fractions of
/// resize_sample(). 8-bit: round_half_even(value). A resize onto the same size is a copy.
/// TFLite: float and uint8 files weigh the four neighbours in float32 (uint8 on the unsigned
/// values, + 0.5 and truncated); int8 files use 10-bit fixed-point positions and int64 sums.
struct ResizeBilinearInt8 {
  ResizeShape shape;
  bool from_uint8 = false;
};
struct ResizeBilinearFloat {
  ResizeShape shape;
};

void resize_bilinear_reference(const ResizeBilinearInt8& resize, Rounding rounding,
                               const int8_t* input, int8_t* output);
void resize_bilinear_reference(const ResizeBilinearFloat& resize, Rounding rounding,
                               const float* input, float* output);

/// Output rows [row_begin, row_end) of batch * out_h with the reference's bytes in the engine's
/// rounding: interpolates whole rows vertically, then between their columns. `columns` holds
/// resize_sample() of every output column; `scratch` in_w * channels floats.
template <typename Params, typename Element>
using ResizeRows = void(const Params& resize, const ResizeSample* columns, const Element* input,
                        Element* output, int32_t row_begin, int32_t row_end, float* scratch);
std::span<const PerIsa<ResizeRows<ResizeBilinearInt8, int8_t>>> resize_rows_kernels(
    const ResizeBilinearInt8& params);
std::span<const PerIsa<ResizeRows<ResizeBilinearFloat, float>>> resize_rows_kernels(
    const ResizeBilinearFloat& params);

}  // namespace deeplab::kernels
