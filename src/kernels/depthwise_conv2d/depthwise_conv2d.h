// DEPTHWISE_CONV_2D. The reference is the definition; every entry of the kernel table gives
// its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

/// As Conv2DInt8 and Conv2DFloat, but output channel c * depth_multiplier + m sees input channel
/// c only.
struct DepthwiseConv2DInt8 : Conv2DInt8 {
  int32_t depth_multiplier = 1;
};
struct DepthwiseConv2DFloat : Conv2DFloat {
  int32_t depth_multiplier = 1;
};

/// input [N,H,W,Ci], filter [1,Kh,Kw,Co], bias [Co] or null -> output [N,Ho,Wo,Co].
void depthwise_conv2d_reference(const DepthwiseConv2DInt8& conv, Rounding rounding,
                                const int8_t* input, const int8_t* filter, const int32_t* bias,
                                int8_t* output);
void depthwise_conv2d_reference(const DepthwiseConv2DFloat& conv, Rounding rounding,
                                const float* input, const float* filter, const float* bias,
                                float* output);

using DepthwiseConv2DInt8Kernel = Conv2DKernelOf<DepthwiseConv2DInt8, int8_t, int32_t>;
using DepthwiseConv2DFloatKernel = Conv2DKernelOf<DepthwiseConv2DFloat, float, float>;

/// Best first, as conv2d_int8_kernels().
std::span<const DepthwiseConv2DInt8Kernel> depthwise_conv2d_int8_kernels();
std::span<const DepthwiseConv2DFloatKernel> depthwise_conv2d_float_kernels();

}  // namespace deeplab::kernels
