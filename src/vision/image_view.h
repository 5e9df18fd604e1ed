// Pictures and masks that the caller owns: a pointer, a size, a stride. Nothing in this
// room owns or copies a photo.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace deeplab::vision {

/// Order of the 8-bit channels of a pixel in memory. Alpha is ignored: a reader that needs
/// transparent pixels over a background composites them before.
enum class PixelFormat : uint8_t { kRgb8, kBgr8, kRgba8, kBgra8, kGray8 };

/// Where red, green and blue stand in a pixel (all at 0 for grey, which is thereby replicated).
struct PixelLayout {
  int32_t bytes;
  int32_t red;
  int32_t green;
  int32_t blue;
  bool operator==(const PixelLayout&) const = default;
};

constexpr PixelLayout pixel_layout(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb8:
      return {3, 0, 1, 2};
    case PixelFormat::kBgr8:
      return {3, 2, 1, 0};
    case PixelFormat::kRgba8:
      return {4, 0, 1, 2};
    case PixelFormat::kBgra8:
      return {4, 2, 1, 0};
    case PixelFormat::kGray8:
      return {1, 0, 0, 0};
  }
  return {0, 0, 0, 0};
}

/// A photo in memory. `stride` is the distance in bytes from a row to the next one down; it may
/// exceed the row (padding, a crop of a larger picture) or be negative (bottom-up bitmaps, where
/// `data` points to the top row, the last one in memory).
struct ImageView {
  const uint8_t* data = nullptr;
  int32_t width = 0;
  int32_t height = 0;
  ptrdiff_t stride = 0;
  PixelFormat format = PixelFormat::kRgb8;

  const uint8_t* row(int32_t y) const { return data + y * stride; }
};

/// A category mask: one class id per pixel, 255 = ignore. Stride as in ImageView.
struct MaskView {
  const uint8_t* data = nullptr;
  int32_t width = 0;
  int32_t height = 0;
  ptrdiff_t stride = 0;

  const uint8_t* row(int32_t y) const { return data + y * stride; }
};

/// The id of pixels that are ignored (VOC's void).
inline constexpr uint8_t kIgnoreLabel = 255;

/// Longest side and largest area of any picture here. JPEG stops at the same side; the area
/// keeps pixel indices within int32.
inline constexpr int32_t kMaxSide = 65535;
inline constexpr int64_t kMaxPixels = int64_t{1} << 30;

/// Positive sides within the limits; `what` names the picture in the error.
Status validate_size(int32_t width, int32_t height, const char* what);

/// Null data, sizes out of range, an unknown format, or rows that overlap.
Status validate(const ImageView& image);
Status validate(const MaskView& mask);

}  // namespace deeplab::vision
