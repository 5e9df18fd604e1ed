// A picture whose background is out of focus.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "vision/picture.h"

namespace deeplab::vision {

/// Farthest that a blur reaches, in pixels.
inline constexpr int32_t kMaxBlurRadius = 1024;

/// Writes the picture as rows of RGB: sharp if `confidence`, one float per pixel, is above 0.8,
/// blurred below 0.2, a mix in between, as the edges of cut_out_soft(). A blurred pixel is a mean
/// of the background up to about `radius` pixels away, close to a Gaussian; what stays sharp has
/// next to no weight in it, so that it leaves no halo. Works on cells of a quarter of the radius.
/// A radius of 0 is a twentieth of the shorter side, within 1..kMaxBlurRadius: the same look for
/// every size. `rgb_stride` in bytes, `confidence_stride` in floats. The output may be an upright
/// RGB picture itself. Errors: an invalid view, a radius outside 0..kMaxBlurRadius, no memory for
/// the cells.
Status blur_background(const PictureView& picture, const float* confidence,
                       ptrdiff_t confidence_stride, int32_t radius, uint8_t* rgb,
                       ptrdiff_t rgb_stride);

}  // namespace deeplab::vision
