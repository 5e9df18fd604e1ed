#include "quantize/parameters.h"

#include <algorithm>
#include <cmath>

#include "kernels/requantize.h"

namespace deeplab::quantize {
namespace {

constexpr int32_t kMinActivation = -128;
constexpr int32_t kMaxActivation = 127;
constexpr float kMaxWeight = 127;

/// The channel of each element in turn: elements that follow each other share one until `inner`
/// of them have passed.
struct ChannelLayout {
  size_t channels = 1;
  size_t inner = 1;
  size_t channel(size_t element) const { return element / inner % channels; }
};

ChannelLayout channel_layout(const graph::Shape& shape, int32_t axis) {
  ChannelLayout layout;
  const auto at = static_cast<size_t>(axis);
  layout.channels = static_cast<size_t>(shape[at]);
  for (size_t d = at + 1; d < shape.size(); ++d) layout.inner *= static_cast<size_t>(shape[d]);
  return layout;
}

float bias_floor(float bias, float input_scale) {
  return static_cast<float>(std::abs(double{bias}) / (input_scale * kLargestBias));
}

}  // namespace

void Range::include(const Range& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

ActivationQuantization activation_quantization(const Range& range) {
  const double low = std::min(double{range.min}, 0.0);
  const double high = std::max(double{range.max}, 0.0);
  const double width = std::max(high - low, kSmallestWidth);
  ActivationQuantization quantization;
  quantization.scale = static_cast<float>(width / (kMaxActivation - kMinActivation));
  const double zero_point = std::nearbyint(kMinActivation - low / quantization.scale);
  quantization.zero_point =
      static_cast<int32_t>(std::clamp<double>(zero_point, kMinActivation, kMaxActivation));
  return quantization;
}

int8_t quantize_activation(float value, const ActivationQuantization& quantization) {
  return kernels::round_to_int8(value * (1.0f / quantization.scale), quantization.zero_point,
                                kMinActivation, kMaxActivation);
}

std::vector<float> weight_scales(std::span<const float> weights, const graph::Shape& shape,
                                 int32_t axis, Granularity granularity, std::span<const float> bias,
                                 float input_scale) {
  const ChannelLayout layout = channel_layout(shape, axis);
  std::vector<float> scales(layout.channels);
  for (size_t i = 0; i < weights.size(); ++i) {
    float& largest = scales[layout.channel(i)];
    largest = std::max(largest, std::abs(weights[i]));
  }
  const float largest = *std::max_element(scales.begin(), scales.end());
  for (float& scale : scales) {
    if (scale == 0) scale = largest > 0 ? largest : kMaxWeight;
    scale = std::max(scale / kMaxWeight, kSmallestWeightScale);
  }
  for (size_t c = 0; c < bias.size(); ++c) {
    scales[c] = std::max(scales[c], bias_floor(bias[c], input_scale));
  }
  if (granularity == Granularity::kPerTensor) {
    scales = {*std::max_element(scales.begin(), scales.end())};
  }
  return scales;
}

int8_t quantize_weight(float weight, float scale) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(weight / scale), -kMaxWeight, kMaxWeight));
}

int32_t quantize_bias(double bias, float input_scale, float weight_scale) {
  const double steps = std::nearbyint(bias / (double{input_scale} * weight_scale));
  return static_cast<int32_t>(std::clamp(steps, -kLargestBias, kLargestBias));
}

}  // namespace deeplab::quantize
