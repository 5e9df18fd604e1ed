#include <cmath>

#include "kernels/softmax/fixed_point_exp.h"
#include "kernels/softmax/softmax.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kZeroPoint = -128;

void softmax_row_engine(const SoftmaxInt8& op, const int8_t* input, int8_t* output) {
  const int32_t max = *std::max_element(input, input + op.depth);
  const auto exponential = [&](int32_t x) {
    return std::exp(static_cast<float>(x - max) * op.scale);
  };
  float sum = 0;
  for (int32_t i = 0; i < op.depth; ++i) sum += exponential(input[i]);
  for (int32_t i = 0; i < op.depth; ++i) {
    output[i] = round_to_int8(exponential(input[i]) / sum * 256.0f, kZeroPoint, -128, 127);
  }
}

void softmax_row_tflite(const SoftmaxInt8& op, const int8_t* input, int8_t* output) {
  // Differences below are left out: rescaled, they would leave the 5 integer bits.
  const int64_t lowest =
      -((int64_t{31} << 26) / (int64_t{1} << std::clamp(op.input_multiplier.exponent, 0, 31)));
  const int32_t max = *std::max_element(input, input + op.depth);
  const auto exponential = [&](int32_t x) {
    return x - max >= lowest ? fixed_point_exp(multiply_tflite(x - max, op.input_multiplier)) : 0;
  };
  int64_t sum = 0;  // Q12.19
  for (int32_t i = 0; i < op.depth; ++i) sum += rounding_right_shift(exponential(input[i]), 12);
  const FixedPointReciprocal reciprocal = fixed_point_reciprocal(
      static_cast<int32_t>(std::min<int64_t>(sum, std::numeric_limits<int32_t>::max())));
  // From Q0.31 to 8 fractional bits.
  const int shift = reciprocal.exponent + 31 - 8;
  for (int32_t i = 0; i < op.depth; ++i) {
    const int32_t product =
        rounding_doubling_high_multiply(reciprocal.mantissa, exponential(input[i]));
    const int32_t value = shift <= 31 ? rounding_right_shift(product, shift) : 0;
    output[i] = static_cast<int8_t>(std::min(value + kZeroPoint, 127));
  }
}

}  // namespace

Multiplier make_softmax_multiplier(float beta, float input_scale) {
  const double factor = static_cast<double>(beta) * static_cast<double>(input_scale) * (1 << 26);
  return make_multiplier(std::min(factor, 2147483647.0));
}

void softmax_reference(const SoftmaxInt8& softmax, Rounding rounding, const int8_t* input,
                       int8_t* output) {
  const auto row = rounding == Rounding::kEngine ? softmax_row_engine : softmax_row_tflite;
  for (int64_t i = 0; i < softmax.outer; ++i) {
    row(softmax, input + i * softmax.depth, output + i * softmax.depth);
  }
}

void softmax_reference(const SoftmaxFloat& softmax, const float* input, float* output) {
  for (int64_t row = 0; row < softmax.outer; ++row) {
    const float max = *std::max_element(input, input + softmax.depth);
    float sum = 0;
    for (int32_t i = 0; i < softmax.depth; ++i) {
      const float x = (input[i] - max) * softmax.beta;
      output[i] = x == 0 ? 1.0f : std::exp(x);  // of two classes one is always the largest
      sum += output[i];
    }
    for (int32_t i = 0; i < softmax.depth; ++i) output[i] /= sum;
    input += softmax.depth;
    output += softmax.depth;
  }
}

}  // namespace deeplab::kernels
