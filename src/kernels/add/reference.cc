#include "kernels/add/add.h"
#include "kernels/clamp.h"

namespace deeplab::kernels {
namespace {

int8_t add_engine(const AddInt8& add, int32_t a, int32_t b) {
  const float sum = static_cast<float>(a) * add.a_scale + static_cast<float>(b) * add.b_scale;
  return round_to_int8(sum, add.output_zero_point, add.output_min, add.output_max);
}

int8_t add_tflite(const AddInt8& add, int32_t a, int32_t b) {
  const int32_t scaled_a = multiply_tflite(a * (1 << kTfLiteAddShift), add.a_multiplier);
  const int32_t scaled_b = multiply_tflite(b * (1 << kTfLiteAddShift), add.b_multiplier);
  const int32_t sum =
      (add.a_scale < 0 ? -scaled_a : scaled_a) + (add.b_scale < 0 ? -scaled_b : scaled_b);
  return requantize(Rounding::kTfLite, sum, add.output_multiplier, add.output_zero_point,
                    add.output_min, add.output_max);
}

}  // namespace

void add_reference(const AddInt8& add, Rounding rounding, const int8_t* a, const int8_t* b,
                   int8_t* output) {
  const auto add_one = rounding == Rounding::kEngine ? add_engine : add_tflite;
  for_each_pair(add.shape, [&](int64_t i, int64_t j) {
    output[i] = add_one(add, a[i] - add.a_zero_point, b[j] - add.b_zero_point);
  });
}

void add_reference(const AddFloat& add, const float* a, const float* b, float* output) {
  for_each_pair(add.shape, [&](int64_t i, int64_t j) {
    output[i] = clamp_float(add.a_sign * a[i] + add.b_sign * b[j], add.output_min, add.output_max);
  });
}

}  // namespace deeplab::kernels
