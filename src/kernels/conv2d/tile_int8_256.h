// What the matrix product and the stem share on 256-bit registers: weights in panels of 16
// channels (the last one of 8 if that is enough), and sums back to bytes. Templates over the
// Products of the file that includes this.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/im2col.h"
#include "kernels/requantize_avx2.h"

namespace deeplab::kernels {

static constexpr int32_t kLanes256 = 8;
static constexpr int32_t kPanel256 = 2 * kLanes256;

/// A panel of n channels: bias int32 [n], scale float [n], weights [depth / P::kDepth][n][kDepth].
template <typename P>
static ptrdiff_t panel_channel_bytes(int32_t depth) {
  return 8 + ptrdiff_t{depth} * static_cast<ptrdiff_t>(sizeof(typename P::Weight));
}
template <typename P>
static size_t panels_bytes(const Conv2DInt8& conv, int32_t depth) {
  return static_cast<size_t>(round_up(conv.shape.out_c, kLanes256) * panel_channel_bytes<P>(depth));
}

/// Every `run` taps of the filter become `stored_run` weights (a multiple of P::kDepth), the rest
/// of them zero.
/// The bias takes back the shift and the zero points:
///   sum (x - xz)(w - wz) = sum u (w - wz) - (128 + xz) sum (w - wz)    with u = x + 128
template <typename P>
static void pack_panels(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                        int32_t run, int32_t stored_run, int32_t depth, std::byte* packed) {
  const int32_t taps = gemm_depth(conv.shape);
  memset(packed, 0, panels_bytes<P>(conv, depth));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kPanel256 * kPanel256;
    const int32_t width = conv.shape.out_c - first > kLanes256 ? kPanel256 : kLanes256;
    std::byte* panel = packed + first * panel_channel_bytes<P>(depth);
    auto* panel_bias = reinterpret_cast<uint32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + width);
    auto* weights = reinterpret_cast<typename P::Weight*>(panel_scale + width);
    const int32_t in_weights = P::kFilterZeroInWeights ? conv.filter_zero_point : 0;
    const int8_t* row = filter + ptrdiff_t{n} * taps;
    int32_t sum = -taps * conv.filter_zero_point;
    for (int32_t k = 0, at = 0; k < taps; k += run, at += stored_run) {
      auto* to = weights + (ptrdiff_t{at / P::kDepth} * width + n - first) * P::kDepth;
      const int32_t count = taps - k < run ? taps - k : run;
      for (int32_t i = 0; i < count; ++i) {
        sum += row[k + i];
        to[i % P::kDepth] = static_cast<typename P::Weight>(row[k + i] - in_weights);
        if (i % P::kDepth == P::kDepth - 1) to += ptrdiff_t{width} * P::kDepth;
      }
    }
    panel_bias[n - first] =
        static_cast<uint32_t>(bias != nullptr ? bias[n] : 0) -
        static_cast<uint32_t>(128 + conv.input_zero_point) * static_cast<uint32_t>(sum);
    panel_scale[n - first] = conv.multipliers[n].scale;
  }
}

/// Of channel n.
template <typename P>
static uint32_t& panel_bias(int32_t n, int32_t depth, std::byte* packed) {
  const int32_t first = n / kPanel256 * kPanel256;
  return reinterpret_cast<uint32_t*>(packed + first * panel_channel_bytes<P>(depth))[n - first];
}

template <typename P>
static void add_panel_bias(const Conv2DInt8& conv, const int32_t* extra, int32_t depth,
                           std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    panel_bias<P>(n, depth, packed) += static_cast<uint32_t>(extra[n]);
  }
}

/// Sums of M pixels by V vectors of channels to the output, of which `channels` exist.
template <int M, int V>
[[gnu::always_inline]] static inline void store_tile(const RequantizeAvx2& r, const float* scale,
                                                     __m256i (&acc)[M][V], int32_t channels,
                                                     int8_t* out, ptrdiff_t stride) {
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      acc[m][v] = to_steps(acc[m][v], _mm256_loadu_ps(scale + v * kLanes256));
    }
  }
  // A pack takes four vectors: two pixels of 16 channels, or four of eight.
  constexpr int kShare = M == 1 ? 1 : 4 / V;
#pragma GCC unroll 12
  for (int m = 0; m < M; m += kShare) {
    const auto at = [&](int i) { return acc[m + i / V % kShare][i % V]; };
    const __m256i bytes = to_bytes(r, at(0), at(1), at(2), at(3));
    int8_t* to = out + m * stride;
    if constexpr (M == 1) {
      store_few(_mm256_castsi256_si128(bytes), channels, to);
    } else if constexpr (V == 2) {
      store_few(_mm256_castsi256_si128(bytes), channels, to);
      store_few(_mm256_extracti128_si256(bytes, 1), channels, to + stride);
    } else {
      int8_t* const pixels[4] = {to, to + stride, to + 2 * stride, to + 3 * stride};
      store_eights(bytes, channels, pixels);
    }
  }
}

/// Input row y from column -pad_left on, converted, `values` of it, the padding included.
template <typename P>
static void fill_line(const Conv2DInt8& conv, const int8_t* picture, int32_t y, ptrdiff_t values,
                      typename P::Value* line) {
  const WindowShape& s = conv.shape;
  const typename P::Value outside = P::value(static_cast<int8_t>(conv.input_zero_point));
  const ptrdiff_t padding = ptrdiff_t{s.pad_left} * s.in_c;
  const ptrdiff_t before = padding < values ? padding : values;
  const ptrdiff_t width = ptrdiff_t{s.in_w} * s.in_c;
  const bool inside = y >= 0 && y < s.in_h;
  const ptrdiff_t end = !inside ? before : before + width < values ? before + width : values;
  for (ptrdiff_t k = 0; k < before; ++k) line[k] = outside;
  if (inside) {
    const int8_t* row = picture + y * width;
    for (ptrdiff_t k = before; k < end; ++k) line[k] = P::value(row[k - before]);
  }
  for (ptrdiff_t k = end; k < values; ++k) line[k] = outside;
}

/// The 32 bits at `from` in all lanes.
static inline __m256i broadcast_group(const void* from) {
  int32_t group;
  memcpy(&group, from, 4);
  return _mm256_set1_epi32(group);
}

}  // namespace deeplab::kernels
