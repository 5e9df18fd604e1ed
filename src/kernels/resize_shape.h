// Where the pixels of a resized picture come from: what RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR
// and everything that imitates them have in common. TensorFlow's definitions, in float32.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace deeplab::kernels {

struct ResizeShape {
  int32_t batch = 1;
  int32_t in_h = 0, in_w = 0;
  int32_t out_h = 0, out_w = 0;
  int32_t channels = 0;
  bool align_corners = false;       ///< Corner pixel centres map onto corner pixel centres.
  bool half_pixel_centers = false;  ///< Pixel i has its centre at i + 0.5.
};

/// Input pixels per output pixel, on one axis.
inline float resize_scale(int32_t in, int32_t out, bool align_corners) {
  return align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                  : static_cast<float>(in) / static_cast<float>(out);
}

/// An output pixel between two input pixels: value = lower + (upper - lower) * fraction. Beyond
/// the edge lower == upper, and the fraction (which may then be negative) has no effect.
struct ResizeSample {
  int32_t lower = 0;
  int32_t upper = 0;
  float fraction = 0;
};

inline ResizeSample resize_sample(int32_t i, float scale, bool half_pixel_centers, int32_t in) {
  const float position = half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale - 0.5f
                                            : static_cast<float>(i) * scale;
  const int32_t lower = std::clamp(static_cast<int32_t>(std::floor(position)), 0, in - 1);
  const int32_t upper = std::clamp(static_cast<int32_t>(std::ceil(position)), lower, in - 1);
  return {lower, upper, position - static_cast<float>(lower)};
}

}  // namespace deeplab::kernels
