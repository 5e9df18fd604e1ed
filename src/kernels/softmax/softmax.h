// SOFTMAX along the last dimension.
#pragma once

#include <cstdint>

#include "kernels/requantize.h"

namespace deeplab::kernels {

/// The 8-bit output always has scale 1/256 and zero point -128, as TensorFlow Lite requires.
/// Engine, in float32: e(i) = exp(float(x(i) - max) * scale), summed in order;
/// q = clamp(round_half_even(e(i) / sum * 256) - 128).
/// TFLite: gemmlowp's fixed-point exponential (differences in Q5.26, a Taylor polynomial on
/// [-1/4, 0) and a table of exp(-2^k)) and reciprocal (three Newton steps).
struct SoftmaxInt8 {
  int64_t outer = 1;
  int32_t depth = 1;
  float scale = 0;              ///< beta * input scale.
  Multiplier input_multiplier;  ///< Only TFLite: see make_softmax_multiplier().
};

/// The factor that takes a difference of stored values to Q5.26: beta * input_scale * 2^26, at
/// most 2^31 - 1.
Multiplier make_softmax_multiplier(float beta, float input_scale);

/// exp((x - max) * beta) / sum.
struct SoftmaxFloat {
  int64_t outer = 1;
  int32_t depth = 1;
  float beta = 1;
};

void softmax_reference(const SoftmaxInt8& softmax, Rounding rounding, const int8_t* input,
                       int8_t* output);
void softmax_reference(const SoftmaxFloat& softmax, const float* input, float* output);

}  // namespace deeplab::kernels
