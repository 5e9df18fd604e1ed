// DEPTHWISE_CONV_2D of float activations with an int8 filter: the reference, as conv2d/hybrid.h.
#pragma once

#include <cstdint>

#include "kernels/conv2d/hybrid.h"

namespace deeplab::kernels {

/// As Conv2DHybrid, but TFLite's input always has a zero point, and its sum is
/// acc * (filter scale * input scale) + bias, with one scale as with one scale per channel.
struct DepthwiseConv2DHybrid : Conv2DHybrid {
  int32_t depth_multiplier = 1;
};

/// input [N,H,W,Ci], filter [1,Kh,Kw,Co], bias [Co] or null -> output [N,Ho,Wo,Co].
/// May throw std::bad_alloc, as conv2d_reference().
void depthwise_conv2d_reference(const DepthwiseConv2DHybrid& conv, Rounding rounding,
                                const float* input, const int8_t* filter, const float* bias,
                                float* output);

}  // namespace deeplab::kernels
