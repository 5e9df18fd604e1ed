#include "kernels/conv2d/hybrid_input.h"

#include <algorithm>
#include <cmath>

namespace deeplab::kernels {
namespace {

/// Halves away from 0, as C's round() has them. Not-a-number becomes `min`: the clamp comes
/// first, which changes nothing else, since the bounds are whole numbers.
int8_t round_away(float value, float min, float max) {
  return static_cast<int8_t>(std::round(std::min(max, std::max(min, value))));
}

}  // namespace

PictureScale quantize_symmetric(const float* values, int64_t count, int8_t* quantized) {
  const auto [min, max] = std::minmax_element(values, values + count);
  const float range = std::max(std::abs(*min), std::abs(*max));
  if (range == 0) {
    std::fill_n(quantized, count, int8_t{0});
    return {};
  }
  const float inverse = 127 / range;
  for (int64_t i = 0; i < count; ++i) quantized[i] = round_away(values[i] * inverse, -127, 127);
  return {range / 127, 0};
}

PictureScale quantize_asymmetric(const float* values, int64_t count, int8_t* quantized) {
  const auto [least, most] = std::minmax_element(values, values + count);
  const double min = std::fmin(0.0, double{*least});
  const double max = std::fmax(0.0, double{*most});
  if (min == max) {
    std::fill_n(quantized, count, int8_t{0});
    return {};
  }
  const double step = (max - min) / 255;
  // Of the two ends, the one whose numbers are smaller says where 0 is.
  const bool from_min = 128 + std::abs(min / step) < 127 + std::abs(max / step);
  const double zero = from_min ? -128 - min / step : 127 - max / step;
  const auto zero_point = static_cast<int32_t>(std::round(std::min(127.0, std::max(-128.0, zero))));
  const auto scale = static_cast<float>(step);
  const auto inverse = static_cast<float>(1.0 / double{scale});
  for (int64_t i = 0; i < count; ++i) {
    quantized[i] = round_away(static_cast<float>(zero_point) + values[i] * inverse, -128, 127);
  }
  return {scale, zero_point};
}

HybridInput::HybridInput(const WindowShape& shape, bool symmetric, const float* input)
    : out_pixels_(int64_t{shape.out_h} * shape.out_w) {
  const int64_t picture = int64_t{shape.in_h} * shape.in_w * shape.in_c;
  values_.resize(static_cast<size_t>(picture * shape.batch));
  for (int32_t n = 0; n < shape.batch; ++n) {
    const auto quantize = symmetric ? quantize_symmetric : quantize_asymmetric;
    scales_.push_back(quantize(input + n * picture, picture, values_.data() + n * picture));
  }
}

}  // namespace deeplab::kernels
