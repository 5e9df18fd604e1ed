// Shapes of the ops that work on any rank.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace deeplab::kernels {

/// The most dimensions that a kernel takes.
inline constexpr int kMaxRank = 8;

/// Extents, outermost first; the first `rank` entries count. Dense, innermost contiguous.
struct Dims {
  int rank = 0;
  std::array<int32_t, kMaxRank> extent = {};

  int64_t elements() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= extent[static_cast<size_t>(i)];
    return n;
  }
};

}  // namespace deeplab::kernels
