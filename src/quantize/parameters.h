// From real numbers to 8 bits: the one place that turns ranges and weights into scales. Training
// with fake quantization calls the same functions as quantize_graph(), so that both agree to the
// bit. The rules are those of TensorFlow Lite's int8 specification.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace deeplab::quantize {

/// The interval that a tensor's real values lie in. The default is the empty one: not known yet.
struct Range {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();

  bool known() const { return min <= max; }
  /// Grows to the smallest interval that holds both.
  void include(const Range& other);
  bool operator==(const Range&) const = default;
};

/// By tensor id of the float graph. Those of constants, and of tensors that shared_parameters()
/// ties to others, need not be known.
using ActivationRanges = std::vector<Range>;

/// real = scale * (stored - zero_point), stored in -128..127.
struct ActivationQuantization {
  float scale = 1;
  int32_t zero_point = 0;
  bool operator==(const ActivationQuantization&) const = default;
};

/// The parameters of an int8 activation. The range is widened to hold 0, which is then one of the
/// 256 values exactly (padding is made of it):
///
///     scale = (max - min) / 255,  zero_point = clamp(round_half_even(-128 - min / scale))
///
/// in double, the scale rounded to float32. Rounding the zero point moves the interval by up to
/// half a step. A range of less than kSmallestWidth is widened to that. `range` is known and
/// finite.
ActivationQuantization activation_quantization(const Range& range);
inline constexpr double kSmallestWidth = 1e-5;

/// A real value as the engine stores it: clamp(round_half_even(value * (1 / scale)) + zero_point)
/// in float32, as QUANTIZE computes it.
int8_t quantize_activation(float value, const ActivationQuantization& quantization);

/// Weights are symmetric: stored in -127..127, zero point 0.
enum class Granularity : uint8_t {
  kPerChannel,  ///< One scale per output channel.
  kPerTensor,
};

/// The dimension of a filter that output channels lie along.
inline constexpr int32_t kConvChannelAxis = 0;
inline constexpr int32_t kDepthwiseChannelAxis = 3;

/// The scales of a filter of `shape`: one per index of dimension `axis`, or one in all. Each is
/// largest |weight| / 127 in float32, and at least
/// - what the bias needs: |bias| / (input_scale * 2^24), for with a smaller scale it would
///   neither be exact in float32, in which the engine requantizes, nor always fit an int32;
/// - kSmallestWeightScale. A channel of zeros takes the scale of the largest one (or 1).
/// `bias` has one element per output channel, or none; without one `input_scale` does not matter.
/// Weights and biases are finite.
std::vector<float> weight_scales(std::span<const float> weights, const graph::Shape& shape,
                                 int32_t axis, Granularity granularity, std::span<const float> bias,
                                 float input_scale);
inline constexpr float kSmallestWeightScale = 1e-12f;
inline constexpr double kLargestBias = 16777216;  ///< 2^24, in steps of its scale.

/// clamp(round_half_even(weight / scale), -127, 127), divided in float32.
int8_t quantize_weight(float weight, float scale);

/// round_half_even(bias / (input_scale * weight_scale)) in double, at most 2^24 in magnitude
/// if the scale is of weight_scales() (and clamped to it otherwise).
int32_t quantize_bias(double bias, float input_scale, float weight_scale);

}  // namespace deeplab::quantize
