// The 8-bit tables, as TensorFlow Lite's reference kernels compute them: LOGISTIC, TANH and ELU
// through float32, LEAKY_RELU with two fixed-point factors, HARD_SWISH with 16-bit ones
// (tensorflow/lite/kernels/activations.cc and kernels/internal/reference).
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/fixed_point.h"
#include "kernels/requantize.h"
#include "kernels/unary/unary.h"

namespace deeplab::kernels {
namespace {

int8_t saturate(int64_t value) {
  return static_cast<int8_t>(std::clamp<int64_t>(value, -128, 127));
}

int16_t saturate_int16(int32_t value) {
  return static_cast<int16_t>(std::clamp(value, -32768, 32767));
}

/// a * b / 2^15: to the nearest, ties upwards, or without `round` towards zero.
int16_t doubling_high_multiply(int16_t a, int16_t b, bool round) {
  if (a == b && a == std::numeric_limits<int16_t>::min()) {
    return std::numeric_limits<int16_t>::max();
  }
  const int32_t product = int32_t{a} * b;
  const int32_t nudge = !round ? 0 : product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return static_cast<int16_t>((product + nudge) / (1 << 15));
}

/// A factor as a 16-bit mantissa and an exponent.
struct Factor16 {
  int16_t mantissa;
  int exponent;
};
Factor16 make_factor16(float factor) {
  const Multiplier wide = make_multiplier(double{factor});
  constexpr int32_t kHalf = 1 << 15;
  if (wide.mantissa >= std::numeric_limits<int32_t>::max() - kHalf) {
    return {std::numeric_limits<int16_t>::max(), wide.exponent};
  }
  return {static_cast<int16_t>((wide.mantissa + kHalf) >> 16), wide.exponent};
}

/// x * min(max(x + 3, 0), 6) / 6. The relu6 part has 16 bits that stand for [-1, 1], made to
/// saturate by the shifts, then [0, 1].
class HardSwishTable {
 public:
  explicit HardSwishTable(const UnaryScales& scales) : scales_(scales) {
    const float fine_scale = (1.0f / 128.0f) * scales.input_scale;
    output_ = make_factor16(fine_scale / scales.output_scale);
    gate_ = make_factor16(fine_scale / (3.0f / 32768.0f));
  }

  int8_t operator()(int32_t stored) const {
    const auto fine = saturate_int16((stored - scales_.input_zero_point) * 128);
    const int16_t scaled = doubling_high_multiply(fine, output_.mantissa, true);
    int16_t gate = fine;
    if (gate_.exponent > 0) gate = shift_left(gate, gate_.exponent - 1);
    gate = doubling_high_multiply(gate, gate_.mantissa, true);
    if (gate_.exponent > 0) gate = shift_left(gate, 1);
    if (gate_.exponent < 0) gate = shift_right(gate, -gate_.exponent);
    gate = static_cast<int16_t>((gate + (1 << 15)) >> 1);
    const int16_t product = doubling_high_multiply(gate, scaled, false);
    const int32_t shifted = output_.exponent > 0 ? shift_left(product, output_.exponent)
                                                 : shift_right(product, -output_.exponent);
    return saturate(shifted + scales_.output_zero_point);
  }

 private:
  static int16_t shift_left(int16_t value, int by) {
    return saturate_int16(static_cast<int32_t>(
        std::clamp<int64_t>(int64_t{value} << std::min(by, 31), -32768, 32767)));
  }
  static int16_t shift_right(int16_t value, int by) {
    return static_cast<int16_t>(rounding_right_shift(value, std::min(by, 31)));
  }

  UnaryScales scales_;
  Factor16 output_ = {};
  Factor16 gate_ = {};
};

/// By way of float32.
template <typename Function>
int8_t through_float(const UnaryScales& s, int32_t stored, const Function& function) {
  const float inverse = 1.0f / s.output_scale;
  const float real = s.input_scale * static_cast<float>(stored - s.input_zero_point);
  const float steps = std::round(function(real) * inverse);
  const float value = steps + static_cast<float>(s.output_zero_point);
  return static_cast<int8_t>(std::clamp(value, -128.0f, 127.0f));
}

/// Which function through_float() takes.
float value_of(UnaryFunction function, float x) {
  float y = 0;
  unary_reference(UnaryFloat{1, function, 0}, &x, &y);
  return y;
}

}  // namespace

std::array<int8_t, 256> unary_table(UnaryFunction function, float alpha, const UnaryScales& s) {
  const HardSwishTable hard_swish(s);
  const Multiplier identity = make_multiplier(double{s.input_scale / s.output_scale});
  const Multiplier below_zero =
      make_multiplier(double{s.input_scale * std::abs(alpha) / s.output_scale});
  std::array<int8_t, 256> table;
  for (int32_t stored = -128; stored < 128; ++stored) {
    int8_t& to = table[static_cast<uint8_t>(stored)];
    const int32_t steps = stored - s.input_zero_point;
    switch (function) {
      case UnaryFunction::kHardSwish:
        to = hard_swish(stored);
        break;
      case UnaryFunction::kLeakyRelu: {
        const int64_t product = steps >= 0   ? multiply_tflite(steps, identity)
                                : alpha >= 0 ? multiply_tflite(steps, below_zero)
                                             : -int64_t{multiply_tflite(steps, below_zero)};
        to = saturate(product + s.output_zero_point);
        break;
      }
      default:
        to = through_float(s, stored, [&](float x) { return value_of(function, x); });
    }
  }
  return table;
}

}  // namespace deeplab::kernels
