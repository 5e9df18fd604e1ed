#include "kernels/requantize.h"

#include <cmath>

#include "kernels/fixed_point.h"

namespace deeplab::kernels {

Multiplier make_multiplier(double factor) {
  Multiplier multiplier;
  if (!(factor > 0) || !std::isfinite(factor)) return multiplier;
  multiplier.scale = static_cast<float>(factor);
  int exponent = 0;
  const double fraction = std::frexp(factor, &exponent);  // in [0.5, 1)
  int64_t mantissa = std::llround(fraction * 2147483648.0);
  if (mantissa == int64_t{1} << 31) {
    mantissa >>= 1;
    ++exponent;
  }
  if (exponent < -31) return multiplier;
  multiplier.mantissa = static_cast<int32_t>(mantissa);
  multiplier.exponent = exponent;
  return multiplier;
}

bool scales_below_one(const Multiplier* multipliers, int32_t count) {
  return std::all_of(multipliers, multipliers + count,
                     [](const Multiplier& m) { return m.scale < 1; });
}

int32_t multiply_tflite(int32_t acc, Multiplier multiplier) {
  const int left = std::clamp(multiplier.exponent, 0, 31);
  const int right = std::clamp(-multiplier.exponent, 0, 31);
  // TensorFlow Lite leaves an overflow of this shift undefined; it saturates here.
  const int64_t shifted =
      std::clamp<int64_t>(int64_t{acc} * (int64_t{1} << left), std::numeric_limits<int32_t>::min(),
                          std::numeric_limits<int32_t>::max());
  const int32_t product =
      rounding_doubling_high_multiply(static_cast<int32_t>(shifted), multiplier.mantissa);
  return rounding_right_shift(product, right);
}

}  // namespace deeplab::kernels
