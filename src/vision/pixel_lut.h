// From an 8-bit pixel to an element of the input tensor: 256 entries per channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "vision/element_type.h"

namespace deeplab::vision {

/// value = (pixel - mean) / std, in units of 8-bit pixels and in the order red, green, blue.
/// The default maps 0..255 to [-1, 1], as every DeepLab of TensorFlow expects.
struct Normalization {
  std::array<float, 3> mean = {127.5f, 127.5f, 127.5f};
  std::array<float, 3> std = {127.5f, 127.5f, 127.5f};
};

/// One value for all channels or one each, as TFLite metadata stores them. Errors: another
/// count, a value that is not finite, a deviation that is not positive.
Result<Normalization> make_normalization(std::span<const float> mean, std::span<const float> std);

/// The tables; `type` says which of the two is filled. For kInt8 a byte holds the two's
/// complement of the value.
struct PixelLut {
  ElementType type = ElementType::kFloat32;
  /// Of the tensor: 3, or 1 for the luma of ITU-R BT.601, rounded to 8 bits, through the tables of
  /// red.
  int32_t channels = 3;
  std::array<std::array<float, 256>, 3> values{};
  std::array<std::array<uint8_t, 256>, 3> bytes{};

  size_t element_size() const { return type == ElementType::kFloat32 ? sizeof(float) : 1; }
};

/// What may replace the formula of a quantized input.
enum class QuantizeRule : uint8_t {
  /// The pixel itself (uint8) or pixel - 128 (int8) if that is never more than one step from
  /// the formula. Scale 1/128 and zero point 128 with pixels / 127.5 - 1 is such a case: the two
  /// differ by pixel / 255 steps, and models of that kind are trained, published and measured
  /// with pixels as they are.
  kIdentityWhereClose,
  /// Always the formula: for a graph with a float input whose first op is QUANTIZE, folded into
  /// the table here.
  kFormula,
};

/// For kInt8 and kUint8: q = clamp(round(value / scale) + zero_point), divided in float32 and
/// rounded half away from zero as TensorFlow Lite's QUANTIZE does. For kFloat32 the value.
/// Errors: another type, or a scale that is not positive and finite.
Result<PixelLut> make_lut(const Normalization& normalization, ElementType type,
                          Quantization quantization = {},
                          QuantizeRule rule = QuantizeRule::kIdentityWhereClose);

/// Tables that leave 8-bit pixels as they are.
PixelLut pixels_themselves(int32_t channels);

}  // namespace deeplab::vision
