// Output pixels as rows of a matrix: what every gemm_*.cc multiplies. Compiled into files of
// several instruction sets, so everything here is static and C-like: no copy of it may be shared
// between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/copy_few.h"
#include "kernels/window.h"

namespace deeplab::kernels {

/// Taps of one output: the depth of the matrix product.
static inline int32_t gemm_depth(const WindowShape& s) { return s.filter_h * s.filter_w * s.in_c; }

static inline int32_t round_up(int32_t value, int32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Deepest product the gemm kernels take: the sum of so many 8-bit products, each at most
/// 255 * 255, stays inside int32, and a block of rows inside a few megabytes of scratch.
static constexpr int32_t kMaxGemmDepth = 1 << 15;

static inline bool gemm_supports(const WindowShape& s) {
  return static_cast<int64_t>(s.filter_h) * s.filter_w * s.in_c <= kMaxGemmDepth;
}

/// Pixels whose rows are multiplied together: as many as keep the block in half of a 32 KB L1
/// while the weights stream by, in whole tiles of 24, which every tile height divides.
static inline int32_t gemm_block_pixels(int32_t row_bytes) {
  const int32_t tiles = 16 * 1024 / (24 * row_bytes);
  return 24 * (tiles < 1 ? 1 : tiles > 8 ? 8 : tiles);
}

/// Copies the taps of output pixel `pixel` (of batch * out_h * out_w) to `row`, in the filter's
/// order (ky, kx, ci); taps outside the picture become `padding`.
template <typename T>
static inline void gather_taps(const WindowShape& s, const T* input, T padding, int32_t pixel,
                               T* row) {
  const int32_t out_x = pixel % s.out_w;
  const int32_t out_row = pixel / s.out_w;
  const int32_t out_y = out_row % s.out_h;
  const T* picture = input + static_cast<ptrdiff_t>(out_row / s.out_h) * s.in_h * s.in_w * s.in_c;
  const int32_t left = out_x * s.stride_w - s.pad_left;
  const int32_t last = left + (s.filter_w - 1) * s.dilation_w;
  const int32_t line = s.filter_w * s.in_c;
  for (int32_t ky = 0; ky < s.filter_h; ++ky, row += line) {
    const int32_t y = out_y * s.stride_h - s.pad_top + ky * s.dilation_h;
    if (y < 0 || y >= s.in_h) {
      for (int32_t i = 0; i < line; ++i) row[i] = padding;
      continue;
    }
    const T* in_line = picture + static_cast<ptrdiff_t>(y) * s.in_w * s.in_c;
    if (s.dilation_w == 1 && left >= 0 && last < s.in_w) {
      copy_few(in_line + static_cast<ptrdiff_t>(left) * s.in_c, row,
               static_cast<size_t>(line) * sizeof(T));
      continue;
    }
    for (int32_t kx = 0; kx < s.filter_w; ++kx) {
      const int32_t x = left + kx * s.dilation_w;
      T* to = row + kx * s.in_c;
      if (x >= 0 && x < s.in_w) {
        copy_few(in_line + static_cast<ptrdiff_t>(x) * s.in_c, to,
                 static_cast<size_t>(s.in_c) * sizeof(T));
      } else {
        for (int32_t i = 0; i < s.in_c; ++i) to[i] = padding;
      }
    }
  }
}

}  // namespace deeplab::kernels
