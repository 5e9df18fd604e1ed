#include "kernels/clamp.h"
#include "kernels/mul/mul.h"

namespace deeplab::kernels {

void mul_reference(const MulInt8& mul, Rounding rounding, const int8_t* a, const int8_t* b,
                   int8_t* output) {
  for_each_pair(mul.shape, [&](int64_t i, int64_t j) {
    const int32_t acc = (a[i] - mul.a_zero_point) * (b[j] - mul.b_zero_point);
    output[i] = requantize(rounding, acc, mul.multiplier, mul.output_zero_point, mul.output_min,
                           mul.output_max);
  });
}

void mul_reference(const MulFloat& mul, const float* a, const float* b, float* output) {
  for_each_pair(mul.shape, [&](int64_t i, int64_t j) {
    output[i] = clamp_float(a[i] * b[j], mul.output_min, mul.output_max);
  });
}

}  // namespace deeplab::kernels
