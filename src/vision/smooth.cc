#include "vision/smooth.h"

#include <algorithm>
#include <cmath>

namespace deeplab::vision {
namespace {

/// The sum over the classes of the smaller of two softmax probabilities.
float overlap(std::span<const float> a, std::span<const float> b) {
  const float highest_a = *std::max_element(a.begin(), a.end());
  const float highest_b = *std::max_element(b.begin(), b.end());
  float total_a = 0;
  float total_b = 0;
  for (size_t c = 0; c < a.size(); ++c) {
    total_a += std::exp(a[c] - highest_a);
    total_b += std::exp(b[c] - highest_b);
  }
  float common = 0;
  for (size_t c = 0; c < a.size(); ++c) {
    common += std::min(std::exp(a[c] - highest_a) / total_a, std::exp(b[c] - highest_b) / total_b);
  }
  return common;
}

std::span<float> floats(AlignedBuffer& buffer) {
  return {reinterpret_cast<float*>(buffer.data()), buffer.size() / sizeof(float)};
}

}  // namespace

void to_floats(const ScoreView& scores, std::span<float> out) {
  const auto dequantize = [&](const auto* values) {
    const auto [scale, zero_point] = scores.quantization;
    std::transform(values, values + out.size(), out.begin(),
                   [scale = scale, zero_point = zero_point](auto q) {
                     return scale * static_cast<float>(q - zero_point);
                   });
  };
  if (scores.type == ElementType::kInt8) {
    dequantize(static_cast<const int8_t*>(scores.data));
  } else if (scores.type == ElementType::kUint8) {
    dequantize(static_cast<const uint8_t*>(scores.data));
  } else {
    const auto* values = static_cast<const float*>(scores.data);
    std::copy(values, values + out.size(), out.begin());
  }
}

Status ScoreSmoother::create(int64_t scores) {
  const size_t bytes = static_cast<size_t>(scores) * sizeof(float);
  smoothed_ = AlignedBuffer(bytes);
  present_ = AlignedBuffer(bytes);
  if (smoothed_.data() == nullptr || present_.data() == nullptr) {
    return resource_exhausted("no memory for twice ", bytes, " bytes of scores");
  }
  has_past_ = false;
  return {};
}

ScoreView ScoreSmoother::add(const ScoreView& scores, float weight) {
  const std::span<float> smoothed = floats(smoothed_);
  if (!has_past_) {
    to_floats(scores, smoothed);
    has_past_ = true;
  } else {
    const std::span<float> present = floats(present_);
    to_floats(scores, present);
    const auto classes = static_cast<size_t>(scores.classes);
    for (size_t i = 0; i < smoothed.size(); i += classes) {
      const std::span<float> before = smoothed.subspan(i, classes);
      const std::span<const float> now = present.subspan(i, classes);
      const float w = weight * overlap(before, now);
      if (!(w >= 0)) {  // infinite scores, or NaN, which would stay
        std::copy(now.begin(), now.end(), before.begin());
        continue;
      }
      for (size_t c = 0; c < classes; ++c) before[c] += (1 - w) * (now[c] - before[c]);
    }
  }
  return {smoothed.data(), ElementType::kFloat32, scores.height, scores.width, scores.classes, {}};
}

}  // namespace deeplab::vision
