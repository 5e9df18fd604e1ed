// What the float kernels share: packing, and the loop over blocks of pixels and tiles of channels.
// Products are added by fused multiply-adds in the reference's order (ky, kx, ci), and the bias
// comes last, so all kernels give the reference's bytes. Pixels are read where they lie: taps of a
// window that lie in a row of the input are a run of floats. Taps outside the picture are left
// out, as the reference does. Static and C-like for the reason im2col.h gives.
#pragma once

#include <string.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/im2col.h"
#include "kernels/same_taps.h"

namespace deeplab::kernels {

/// packed: [Co / N] panels of what sums start from [N], bias [N], then weights [depth][N]; the
/// channels are filled up with zeros.
template <int N>
static inline size_t gemm_float_packed_bytes(const Conv2DFloat& conv) {
  return static_cast<size_t>(round_up(conv.shape.out_c, N)) *
         static_cast<size_t>(gemm_depth(conv.shape) + 2) * sizeof(float);
}

/// Where the panel of channel n has that channel.
template <int N>
static inline float* gemm_float_channel(const Conv2DFloat& conv, std::byte* packed, int32_t n) {
  return reinterpret_cast<float*>(packed) +
         static_cast<ptrdiff_t>(n / N) * N * (gemm_depth(conv.shape) + 2) + n % N;
}

template <int N>
static inline void gemm_float_start_from(const Conv2DFloat& conv, const float* sums,
                                         std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) *gemm_float_channel<N>(conv, packed, n) = sums[n];
}

template <int N>
static inline void gemm_float_pack(const Conv2DFloat& conv, const float* filter, const float* bias,
                                   std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  memset(packed, 0, gemm_float_packed_bytes<N>(conv));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    float* panel = gemm_float_channel<N>(conv, packed, n);
    if (bias != nullptr) panel[N] = bias[n] + 0.0f;
    for (int32_t k = 0; k < depth; ++k) {
      panel[(k + 2) * N] = filter[static_cast<ptrdiff_t>(n) * depth + k];
    }
  }
}

static inline size_t gemm_float_scratch_bytes(const Conv2DFloat& /*conv*/) { return 0; }

static inline bool gemm_float_supports(const Conv2DFloat& conv) {
  return gemm_supports(conv.shape);
}

/// Taps as they lie in memory: `rows` times `runs` runs of `length` floats, which are multiplied by
/// so many lines of weights. Steps are in floats.
struct GemmFloatTaps {
  int32_t rows, runs, length;
  ptrdiff_t row_step, run_step;
  ptrdiff_t weights;      ///< Lines of the panel before the first one.
  ptrdiff_t row_weights;  ///< Lines from one row to the next.
};

/// What one tile needs: `pixels` <= M windows with these taps against one panel of N channels, of
/// which `channels` exist.
struct GemmFloatTile {
  GemmFloatTaps taps;
  const float* x;  ///< The first tap of the first pixel.
  ptrdiff_t pixel_step;
  const float* panel;
  int32_t pixels;
  int32_t channels;
  float low;
  float high;
  float* out;
  int32_t out_stride;
};

/// Calls body(x, w, length) for every run of a tile, in the definition's order: x is its first tap
/// of the first pixel, w that tap's line of weights. A 1x1 convolution (not Window) is one run:
/// with few channels it has no time for more loops.
template <int N, bool Window, typename Body>
[[gnu::always_inline]] static inline void for_each_run(const GemmFloatTile& t, const Body& body) {
  const GemmFloatTaps& taps = t.taps;
  const float* w_row = t.panel + 2 * N;
  if constexpr (!Window) {
    body(t.x, w_row, taps.length);
  } else {
    w_row += taps.weights * N;
    const float* x_row = t.x;
    for (int32_t row = 0; row < taps.rows; ++row) {
      const float* w = w_row;
      const float* x = x_row;
      for (int32_t run = 0; run < taps.runs; ++run) {
        body(x, w, taps.length);
        x += taps.run_step;
        w += static_cast<ptrdiff_t>(taps.length) * N;
      }
      x_row += taps.row_step;
      w_row += taps.row_weights * N;
    }
  }
}

/// Calls body(x, w) for every tap of a tile, likewise.
template <int N, bool Window, typename Body>
[[gnu::always_inline]] static inline void for_each_tap(const GemmFloatTile& t, const Body& body) {
  for_each_run<N, Window>(t, [&](const float* x, const float* w, int32_t length) {
    for (int32_t k = 0; k < length; ++k, w += N) body(x + k, w);
  });
}

/// Calls Multiply<pixels, Window>::run(t), with pixels <= M known to the compiler. What multiplies
/// must be no part of its caller: there GCC 12 keeps the sums of some tiles in memory.
template <template <int, bool> class Multiply, int M, bool Window>
static inline void multiply_pixels(const GemmFloatTile& t) {
  if constexpr (M > 1) {
    if (t.pixels < M) return multiply_pixels<Multiply, M - 1, Window>(t);
  }
  Multiply<M, Window>::run(t);
}

/// `pixels` next to each other that see the same taps, from what `tile` has of them on: blocks that
/// stay in the first-level cache while the weights stream by.
template <int M, int N, void (*Tile)(const GemmFloatTile&)>
static inline void gemm_float_pixels(const Conv2DFloat& conv, const float* packed,
                                     GemmFloatTile tile, int32_t pixels) {
  const int32_t depth = gemm_depth(conv.shape);
  const int32_t block = gemm_block_pixels(depth * static_cast<int32_t>(sizeof(float)));
  const float* x = tile.x;
  float* out = tile.out;
  for (int32_t pixel = 0; pixel < pixels; pixel += block) {
    const int32_t end = pixels - pixel < block ? pixels : pixel + block;
    for (int32_t n = 0; n < conv.shape.out_c; n += N) {
      tile.panel = packed + static_cast<ptrdiff_t>(n) * (depth + 2);
      tile.channels = conv.shape.out_c - n < N ? conv.shape.out_c - n : N;
      for (int32_t m = pixel; m < end; m += tile.pixels) {
        // The last two tiles share their pixels: one alone would wait for its own sums.
        const int32_t left = end - m;
        tile.x = x + m * tile.pixel_step;
        tile.pixels = left <= M ? left : left < 2 * M ? (left + 1) / 2 : M;
        tile.out = out + static_cast<ptrdiff_t>(m) * conv.shape.out_c + n;
        Tile(tile);
      }
    }
  }
}

template <int M, int N, template <int, bool> class Multiply>
static inline void gemm_float_run(const Conv2DFloat& conv, const std::byte* packed,
                                  const float* input, float* output, int32_t row_begin,
                                  int32_t row_end, std::byte* /*scratch*/) {
  const WindowShape& s = conv.shape;
  const auto* panels = reinterpret_cast<const float*>(packed);
  GemmFloatTile tile{};
  tile.low = conv.output_min;
  tile.high = conv.output_max;
  tile.out_stride = s.out_c;
  tile.pixel_step = static_cast<ptrdiff_t>(s.stride_w) * s.in_c;
  if (is_pointwise(s)) {
    const ptrdiff_t first = static_cast<ptrdiff_t>(row_begin) * s.out_w;
    tile.taps = {1, 1, s.in_c, 0, 0, 0, 0};
    tile.x = input + first * s.in_c;
    tile.out = output + first * s.out_c;
    return gemm_float_pixels<M, N, multiply_pixels<Multiply, M, false>>(
        conv, panels, tile, (row_end - row_begin) * s.out_w);
  }
  // Without a dilation the taps of a row are one run.
  const bool apart = s.dilation_w > 1;
  GemmFloatTaps& taps = tile.taps;
  taps.row_step = static_cast<ptrdiff_t>(s.dilation_h) * s.in_w * s.in_c;
  taps.run_step = static_cast<ptrdiff_t>(s.dilation_w) * s.in_c;
  taps.row_weights = static_cast<ptrdiff_t>(s.filter_w) * s.in_c;
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t y = row % s.out_h * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y, s.dilation_h, s.filter_h, s.in_h);
    const ptrdiff_t line = static_cast<ptrdiff_t>(row / s.out_h) * s.in_h + y;
    taps.rows = rows.end - rows.begin;
    for (int32_t column = 0; column < s.out_w;) {
      const int32_t x = column * s.stride_w - s.pad_left;
      const TapRange columns = taps_inside(x, s.dilation_w, s.filter_w, s.in_w);
      const int32_t end = same_taps_end(s, columns, column);
      const int32_t count = columns.end - columns.begin;
      taps.runs = count <= 0 ? 0 : apart ? count : 1;
      taps.length = apart ? s.in_c : count * s.in_c;
      taps.weights = (static_cast<ptrdiff_t>(rows.begin) * s.filter_w + columns.begin) * s.in_c;
      tile.x = input + (line * s.in_w + x) * s.in_c + rows.begin * taps.row_step +
               columns.begin * taps.run_step;
      tile.out = output + (static_cast<ptrdiff_t>(row) * s.out_w + column) * s.out_c;
      gemm_float_pixels<M, N, multiply_pixels<Multiply, M, true>>(conv, panels, tile, end - column);
      column = end;
    }
  }
}

}  // namespace deeplab::kernels
