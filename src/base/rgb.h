// A colour, as palettes of masks and of image files hold it.
#pragma once

#include <cstdint>

namespace deeplab {

struct Rgb {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
  bool operator==(const Rgb&) const = default;
};

}  // namespace deeplab
