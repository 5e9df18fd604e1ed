// Pictures that need no file, for the models of samples.h.
#pragma once

#include <cstdint>
#include <vector>

#include "deeplab/deeplab.h"
#include "tests/samples/samples.h"
#include "vision/image_view.h"

namespace deeplab::testing {

/// RGB pixels with smooth areas, edges and noise; the same on every machine.
inline std::vector<uint8_t> synthetic_photo(int32_t width, int32_t height) {
  std::vector<uint8_t> pixels;
  uint32_t state = 12345;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      state = state * 1664525u + 1013904223u;
      const int32_t noise = static_cast<int32_t>(state >> 28);
      const bool disc = (x - width / 2) * (x - width / 2) + (y - height / 2) * (y - height / 2) <
                        width * height / 9;
      pixels.push_back(static_cast<uint8_t>((disc ? 180 : 255 * x / width) * 15 / 16 + noise));
      pixels.push_back(static_cast<uint8_t>((disc ? 120 : 255 * y / height) * 15 / 16 + noise));
      pixels.push_back(static_cast<uint8_t>((disc ? 60 : 128) + noise));
    }
  }
  return pixels;
}

inline deeplab_image rgb_image(const std::vector<uint8_t>& pixels, int32_t width, int32_t height) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof(image));
  image.planes[0] = pixels.data();
  image.strides[0] = ptrdiff_t{3} * width;
  image.width = width;
  image.height = height;
  return image;
}

inline vision::ImageView rgb_view(const std::vector<uint8_t>& pixels, int32_t width,
                                  int32_t height) {
  return {pixels.data(), width, height, ptrdiff_t{3} * width, vision::PixelFormat::kRgb8};
}

}  // namespace deeplab::testing
