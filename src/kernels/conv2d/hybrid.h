// CONV_2D of float activations with an int8 filter. There is only the reference: before a network
// is planned, passes/dequantize_filters makes float convolutions of these.
#pragma once

#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

/// Float activations and an int8 filter ("hybrid", "dynamic range").
///
/// Engine: Conv2DFloat with the weights filter_scales[out_channel] * w, rounded.
/// TFLite: the input is quantized to 8 bits first, each picture of the batch by itself (see
/// hybrid_input.h), symmetrically if the file has one scale, else with a zero point. Then
/// acc = sum (x - zero point) * w in int32, modulo 2^32, and, in float32,
///   acc * (input scale * filter scale) + bias     with one scale,
///   acc * filter scale * input scale + bias       with one scale per channel, and the clamp.
struct Conv2DHybrid : Conv2DFloat {
  const float* filter_scales = nullptr;  ///< [out_c]
  bool one_scale = false;                ///< In the file: all are equal.
};

/// input [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or null -> output [N,Ho,Wo,Co].
/// With TFLite's rounding it takes memory for the quantized input, and may throw std::bad_alloc.
void conv2d_reference(const Conv2DHybrid& conv, Rounding rounding, const float* input,
                      const int8_t* filter, const float* bias, float* output);

}  // namespace deeplab::kernels
