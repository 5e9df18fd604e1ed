// PRELU: x, or alpha * x below 0, with broadcasting of alpha.
#pragma once

#include <cstdint>

#include "kernels/broadcast.h"
#include "kernels/requantize.h"

namespace deeplab::kernels {

/// x - zero point times `identity`, or times alpha - its zero point and `product`; requantized in
/// either rounding.
struct PreluInt8 {
  BroadcastShape shape;
  int32_t input_zero_point = 0;
  int32_t alpha_zero_point = 0;
  Multiplier identity;  ///< Scale of x / scale of the output.
  Multiplier product;   ///< Scale of x * scale of alpha / scale of the output.
  int32_t output_zero_point = 0;
};
struct PreluFloat {
  BroadcastShape shape;
};

void prelu_reference(const PreluInt8& prelu, Rounding rounding, const int8_t* input,
                     const int8_t* alpha, int8_t* output);
void prelu_reference(const PreluFloat& prelu, const float* input, const float* alpha,
                     float* output);

}  // namespace deeplab::kernels
