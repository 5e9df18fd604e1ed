// PAD. Bytes are only copied.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/shape.h"

namespace deeplab::kernels {

struct Pad {
  Dims dims;  ///< Of the input.
  std::array<int32_t, kMaxRank> before = {};
  std::array<int32_t, kMaxRank> after = {};
  int32_t element_size = 1;  ///< Bytes.
  /// One element; the first `element_size` bytes count.
  std::array<std::byte, 8> fill = {};
};

void pad_reference(const Pad& pad, const std::byte* input, std::byte* output);

}  // namespace deeplab::kernels
