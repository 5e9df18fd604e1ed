// Random photos and masks in every memory layout that a view allows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "vision/image_view.h"

namespace deeplab::vision::testing {

using Random = std::mt19937;

inline int32_t draw(Random& random, int32_t low, int32_t high) {
  return std::uniform_int_distribution<int32_t>(low, high)(random);
}

/// An RGB photo of noise over a gradient, and the same photo as other formats and strides.
struct Photo {
  int32_t width;
  int32_t height;
  std::vector<uint8_t> rgb;

  Photo(Random& random, int32_t w, int32_t h) : width(w), height(h) {
    for (int32_t y = 0; y < h; ++y) {
      for (int32_t x = 0; x < w; ++x) {
        for (int32_t c = 0; c < 3; ++c) {
          const int32_t value = (x * 7 + y * 5 + c * 60) % 256 + draw(random, -40, 40);
          rgb.push_back(static_cast<uint8_t>(std::clamp(value, 0, 255)));
        }
      }
    }
  }

  ImageView view() const {
    return {rgb.data(), width, height, ptrdiff_t{width} * 3, PixelFormat::kRgb8};
  }
  uint8_t at(int32_t x, int32_t y, int32_t c) const {
    return rgb[static_cast<size_t>((y * width + x) * 3 + c)];
  }
};

/// The photo's pixels in `format`, with `padding` bytes after each row, bottom row first if
/// `bottom_up`. Exactly as long as it has to be, so that ASan sees a byte too many read.
struct Layouted {
  std::vector<uint8_t> bytes;
  ImageView view;

  Layouted(const Photo& photo, PixelFormat format, int32_t padding, bool bottom_up) {
    const PixelLayout layout = pixel_layout(format);
    const ptrdiff_t stride = ptrdiff_t{photo.width} * layout.bytes + padding;
    const ptrdiff_t last_row = (photo.height - 1) * stride;
    bytes.assign(static_cast<size_t>(last_row + ptrdiff_t{photo.width} * layout.bytes), 0xA5);
    uint8_t* top = bytes.data() + (bottom_up ? last_row : 0);
    view = {top, photo.width, photo.height, bottom_up ? -stride : stride, format};
    for (int32_t y = 0; y < photo.height; ++y) {
      for (int32_t x = 0; x < photo.width; ++x) {
        uint8_t* pixel = top + y * view.stride + ptrdiff_t{x} * layout.bytes;
        pixel[layout.blue] = photo.at(x, y, 2);
        pixel[layout.green] = photo.at(x, y, 1);
        pixel[layout.red] = photo.at(x, y, 0);  // last: the one that grey keeps
      }
    }
  }
};

struct Mask {
  int32_t width;
  int32_t height;
  std::vector<uint8_t> ids;

  Mask(int32_t w, int32_t h, uint8_t id = 0)
      : width(w), height(h), ids(static_cast<size_t>(w) * static_cast<size_t>(h), id) {}

  /// Noise of `classes` ids, smoothed into blobs by copying neighbours `passes` times.
  static Mask random(Random& random, int32_t w, int32_t h, int32_t classes, int32_t passes) {
    Mask mask(w, h);
    for (uint8_t& id : mask.ids) id = static_cast<uint8_t>(draw(random, 0, classes - 1));
    for (int32_t pass = 0; pass < passes; ++pass) {
      for (int32_t y = 0; y < h; ++y) {
        for (int32_t x = 0; x < w; ++x) {
          const int32_t from_x = std::clamp(x + draw(random, -1, 1), 0, w - 1);
          const int32_t from_y = std::clamp(y + draw(random, -1, 1), 0, h - 1);
          mask.at(x, y) = mask.at(from_x, from_y);
        }
      }
    }
    return mask;
  }

  uint8_t& at(int32_t x, int32_t y) { return ids[static_cast<size_t>(y * width + x)]; }
  uint8_t at(int32_t x, int32_t y) const { return ids[static_cast<size_t>(y * width + x)]; }
  MaskView view() const { return {ids.data(), width, height, width}; }
};

}  // namespace deeplab::vision::testing
