// MIRROR_PAD: the border is filled with the elements inside it, in the other order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/shape.h"

namespace deeplab::kernels {

struct MirrorPad {
  Dims dims;  ///< Of the input.
  std::array<int32_t, kMaxRank> before = {};
  std::array<int32_t, kMaxRank> after = {};
  bool symmetric = false;    ///< The elements at the border are repeated, too.
  int32_t element_size = 1;  ///< Bytes.
};

void mirror_pad_reference(const MirrorPad& pad, const std::byte* input, std::byte* output);

}  // namespace deeplab::kernels
