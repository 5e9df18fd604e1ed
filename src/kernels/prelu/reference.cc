#include "kernels/prelu/prelu.h"

namespace deeplab::kernels {

void prelu_reference(const PreluInt8& prelu, Rounding rounding, const int8_t* input,
                     const int8_t* alpha, int8_t* output) {
  for_each_pair(prelu.shape, [&](int64_t i, int64_t j) {
    const int32_t x = input[i] - prelu.input_zero_point;
    const bool below_zero = x < 0;
    const int32_t acc = below_zero ? x * (alpha[j] - prelu.alpha_zero_point) : x;
    output[i] = requantize(rounding, acc, below_zero ? prelu.product : prelu.identity,
                           prelu.output_zero_point, -128, 127);
  });
}

void prelu_reference(const PreluFloat& prelu, const float* input, const float* alpha,
                     float* output) {
  for_each_pair(prelu.shape, [&](int64_t i, int64_t j) {
    output[i] = input[i] >= 0 ? input[i] : input[i] * alpha[j];
  });
}

}  // namespace deeplab::kernels
