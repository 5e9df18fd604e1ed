// One step of a float convolution's sum.
#pragma once

#include <cmath>

#include "kernels/requantize.h"

namespace deeplab::kernels {

/// acc + x * w: rounded once with the engine's rounding, after the product, too, with TensorFlow
/// Lite's.
template <Rounding kRounding>
float multiply_add(float x, float w, float acc) {
  if constexpr (kRounding == Rounding::kEngine) return std::fma(x, w, acc);
  return acc + x * w;
}

/// Calls body.template operator()<rounding>().
template <typename Body>
void with_rounding(Rounding rounding, const Body& body) {
  if (rounding == Rounding::kEngine) {
    body.template operator()<Rounding::kEngine>();
  } else {
    body.template operator()<Rounding::kTfLite>();
  }
}

/// The end of every float sum. Adding 0 to the bias makes -0 a 0, so that no sum is ever -0: taps
/// outside the picture may be left out, or added as 0 * w.
inline float add_bias(float acc, const float* bias, int channel) {
  return bias != nullptr ? acc + (bias[channel] + 0.0f) : acc + 0.0f;
}

}  // namespace deeplab::kernels
