// A photo as the pad fit has it, made without the code under test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "imageio/image.h"

namespace deeplab::testing {

/// The photo top left on a 513x513 canvas of 127, RGB: as the golden label maps were made.
inline std::vector<uint8_t> padded_canvas(const imageio::Image& photo) {
  constexpr int32_t kSide = 513;
  std::vector<uint8_t> canvas(size_t{kSide} * kSide * 3, 127);
  EXPECT_LE(photo.width, kSide);
  EXPECT_LE(photo.height, kSide);
  for (int32_t y = 0; y < photo.height; ++y) {
    const size_t row_bytes = static_cast<size_t>(photo.width) * 3;
    std::memcpy(&canvas[static_cast<size_t>(y) * kSide * 3],
                &photo.pixels[static_cast<size_t>(y) * row_bytes], row_bytes);
  }
  return canvas;
}

}  // namespace deeplab::testing
