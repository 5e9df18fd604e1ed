// Pixels as the network sees them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeplab::train {

/// value / 127.5 - 1.
inline void normalize(const uint8_t* pixels, size_t count, float* values) {
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(pixels[i]) / 127.5f - 1.0f;
}

}  // namespace deeplab::train
