// From an int32 accumulator back to 8 bits, in the two roundings the project knows.
//
// Engine:  q = clamp(round_half_even(float(acc) * scale) + zero_point), one float32 multiply.
// TFLite:  a 31-bit fixed-point multiplier: saturating rounding doubling high multiply, then a
//          rounding right shift (gemmlowp's definition, which TensorFlow Lite's reference
//          kernels use). May differ from the engine's by 1.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace deeplab::kernels {

enum class Rounding : uint8_t { kEngine, kTfLite };

/// A positive real factor as both roundings need it.
struct Multiplier {
  float scale = 0;       ///< The factor in float32.
  int32_t mantissa = 0;  ///< Q31 in [2^30, 2^31), or 0.
  int32_t exponent = 0;  ///< factor = mantissa / 2^31 * 2^exponent.
};

/// Splits `factor` >= 0 as TensorFlow Lite's QuantizeMultiplier does: the mantissa is rounded
/// half away from zero; factors below 2^-32 become 0, as does anything that is not a finite
/// positive number.
Multiplier make_multiplier(double factor);

/// Whether all of them are below 1, as in every real model: then no int32 sum times a scale leaves
/// int32, and a vector kernel can convert without a clamp.
bool scales_below_one(const Multiplier* multipliers, int32_t count);

/// TFLite's MultiplyByQuantizedMultiplier (double rounding) of acc by the factor.
int32_t multiply_tflite(int32_t acc, Multiplier multiplier);

/// round_half_even(value) + zero_point, clamped. `value` is in steps of the output. Clamping in
/// float before the conversion keeps the conversion in range and changes nothing, since the
/// bounds are whole numbers; NaN becomes `min`.
inline int8_t round_to_int8(float value, int32_t zero_point, int32_t min, int32_t max) {
  const float low = static_cast<float>(min - zero_point);
  const float high = static_cast<float>(max - zero_point);
  const float clamped = std::min(high, std::max(low, value));
  // Adding 1.5 * 2^23 leaves no bit below one, so the addition itself rounds half to even; it is
  // exact for |value| < 2^22, and vectorizes where a call of nearbyintf() would not.
  constexpr float kRounder = 12582912.0f;
  const int32_t rounded =
      std::bit_cast<int32_t>(clamped + kRounder) - std::bit_cast<int32_t>(kRounder);
  return static_cast<int8_t>(rounded + zero_point);
}

/// The engine's rounding, the normative one.
inline int8_t requantize_engine(int32_t acc, float scale, int32_t zero_point, int32_t min,
                                int32_t max) {
  return round_to_int8(static_cast<float>(acc) * scale, zero_point, min, max);
}

inline int8_t requantize(Rounding rounding, int32_t acc, const Multiplier& multiplier,
                         int32_t zero_point, int32_t min, int32_t max) {
  if (rounding == Rounding::kEngine) {
    return requantize_engine(acc, multiplier.scale, zero_point, min, max);
  }
  const int64_t value = int64_t{multiply_tflite(acc, multiplier)} + zero_point;
  return static_cast<int8_t>(std::clamp<int64_t>(value, min, max));
}

}  // namespace deeplab::kernels
