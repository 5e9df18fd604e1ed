// TRANSPOSE_CONV: the gradient of a convolution. Only the definition is here: a plan runs it as a
// convolution followed by DEPTH_TO_SPACE (passes/split_transpose_conv.h).
#pragma once

#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

/// As Conv2DInt8 and Conv2DFloat; tap (ky, kx) of input pixel (y, x) adds to output pixel
/// (y * stride_h + ky - pad_top, x * stride_w + kx - pad_left). There is no dilation. In float the
/// sum of an output element is taken over y, x (rising), ci.
struct TransposeConvInt8 : Conv2DInt8 {};
struct TransposeConvFloat : Conv2DFloat {};

/// input [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or null -> output [N,Ho,Wo,Co].
void transpose_conv_reference(const TransposeConvInt8& conv, Rounding rounding, const int8_t* input,
                              const int8_t* filter, const int32_t* bias, int8_t* output);
void transpose_conv_reference(const TransposeConvFloat& conv, const float* input,
                              const float* filter, const float* bias, float* output);

}  // namespace deeplab::kernels
