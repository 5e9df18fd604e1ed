// The loop that the float vector kernels share: each panel of N channels at each output pixel,
// taps outside the picture left out, as the reference does. Products are rounded before they are
// added, in the order ky, kx, and the bias comes last. Static and C-like for the reason strip.h
// gives.
#pragma once

#include <string.h>

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {

/// packed, per panel: bias [N], weights [taps][N].
template <int N>
static inline ptrdiff_t depthwise_float_panel(const WindowShape& s) {
  return ptrdiff_t{N} * (1 + static_cast<ptrdiff_t>(s.filter_h) * s.filter_w);
}

template <int N>
static inline size_t depthwise_float_packed_bytes(const DepthwiseConv2DFloat& conv) {
  return static_cast<size_t>((conv.shape.out_c + N - 1) / N *
                             depthwise_float_panel<N>(conv.shape)) *
         sizeof(float);
}

template <int N>
static inline void depthwise_float_pack(const DepthwiseConv2DFloat& conv, const float* filter,
                                        const float* bias, std::byte* packed) {
  const WindowShape& s = conv.shape;
  memset(packed, 0, depthwise_float_packed_bytes<N>(conv));
  for (int32_t c = 0; c < s.out_c; ++c) {
    float* panel = reinterpret_cast<float*>(packed) + c / N * depthwise_float_panel<N>(s) + c % N;
    if (bias != nullptr) *panel = bias[c];
    for (ptrdiff_t t = 0; t < static_cast<ptrdiff_t>(s.filter_h) * s.filter_w; ++t) {
      panel[(t + 1) * N] = filter[t * s.out_c + c];
    }
  }
}

static inline size_t depthwise_float_scratch_bytes(const DepthwiseConv2DFloat& /*conv*/) {
  return 0;
}
static inline bool depthwise_float_supports(const DepthwiseConv2DFloat& conv) {
  return conv.depth_multiplier == 1;
}

/// The window of one output pixel: where tap (0, 0) reads, and the taps inside the picture.
struct DepthwiseFloatWindow {
  const float* picture;
  int32_t y, x;
  int32_t ky_begin, ky_end, kx_begin, kx_end;
};

/// First tap at or after `from`, on one axis, that reads position 0 or later: ceil(-from / d).
static inline int32_t first_tap(int64_t from, int32_t dilation, int32_t filter) {
  const int64_t tap = from >= 0 ? 0 : (-from + dilation - 1) / dilation;
  return static_cast<int32_t>(tap < filter ? tap : filter);
}
/// One past the last tap that reads a position before `extent`.
static inline int32_t last_tap(int64_t from, int32_t dilation, int32_t filter, int32_t extent) {
  const int64_t tap = from < extent ? (extent - from + dilation - 1) / dilation : 0;
  return static_cast<int32_t>(tap < filter ? tap : filter);
}

template <int N, void (*Pixel)(const DepthwiseConv2DFloat&, const DepthwiseFloatWindow&,
                               const float* panel, int32_t channel, float* out)>
static inline void depthwise_float_run(const DepthwiseConv2DFloat& conv, const std::byte* packed,
                                       const float* input, float* output, int32_t row_begin,
                                       int32_t row_end, std::byte* /*scratch*/) {
  const WindowShape& s = conv.shape;
  DepthwiseFloatWindow window;
  for (int32_t row = row_begin; row < row_end; ++row) {
    window.picture = input + static_cast<ptrdiff_t>(row / s.out_h) * s.in_h * s.in_w * s.in_c;
    window.y = row % s.out_h * s.stride_h - s.pad_top;
    window.ky_begin = first_tap(window.y, s.dilation_h, s.filter_h);
    window.ky_end = last_tap(window.y, s.dilation_h, s.filter_h, s.in_h);
    for (int32_t column = 0; column < s.out_w; ++column) {
      window.x = column * s.stride_w - s.pad_left;
      window.kx_begin = first_tap(window.x, s.dilation_w, s.filter_w);
      window.kx_end = last_tap(window.x, s.dilation_w, s.filter_w, s.in_w);
      float* out = output + (static_cast<ptrdiff_t>(row) * s.out_w + column) * s.out_c;
      const auto* panel = reinterpret_cast<const float*>(packed);
      for (int32_t c = 0; c < s.out_c; c += N, panel += depthwise_float_panel<N>(s)) {
        Pixel(conv, window, panel, c, out + c);
      }
    }
  }
}

/// Calls tap(x, w) for every tap inside the picture: the input at `channel`, and its weights.
template <int N, typename Tap>
static inline void for_each_float_tap(const WindowShape& s, const DepthwiseFloatWindow& window,
                                      const float* panel, int32_t channel, const Tap& tap) {
  for (int32_t ky = window.ky_begin; ky < window.ky_end; ++ky) {
    const ptrdiff_t line = (static_cast<ptrdiff_t>(window.y) + ky * s.dilation_h) * s.in_w;
    for (int32_t kx = window.kx_begin; kx < window.kx_end; ++kx) {
      tap(window.picture + (line + window.x + kx * s.dilation_w) * s.in_c + channel,
          panel + (1 + static_cast<ptrdiff_t>(ky) * s.filter_w + kx) * N);
    }
  }
}

}  // namespace deeplab::kernels
