// What the float kernels share. One vector of channels at a time, over pixels next to each other
// that see the same taps: a weight is loaded once for all of them. Taps outside the picture are
// left out, as the reference does; products are added by fused multiply-adds in the order ky, kx,
// and the bias comes last.
//
// V is a vector: Vector, kLanes, kPixels (how many sums it keeps), zero(), load(), load_few(),
// store(), store_few(), multiply_add(x, w, acc) and clamp(). Static and C-like for the reason
// strip.h gives.
#pragma once

#include <string.h>

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/float_window3.h"
#include "kernels/same_taps.h"

namespace deeplab::kernels {
namespace {

template <typename V>
struct DepthwiseFloat {
  static constexpr int kLanes = V::kLanes;

  /// packed: one panel per vector of channels: bias [kLanes], weights [taps][kLanes].
  static ptrdiff_t panel_size(const WindowShape& s) {
    return ptrdiff_t{kLanes} * (1 + static_cast<ptrdiff_t>(s.filter_h) * s.filter_w);
  }

  static size_t packed_bytes(const DepthwiseConv2DFloat& conv) {
    const ptrdiff_t panels = (conv.shape.out_c + kLanes - 1) / kLanes;
    return static_cast<size_t>(panels * panel_size(conv.shape)) * sizeof(float);
  }

  static void pack(const DepthwiseConv2DFloat& conv, const float* filter, const float* bias,
                   std::byte* packed) {
    const WindowShape& s = conv.shape;
    memset(packed, 0, packed_bytes(conv));
    for (int32_t c = 0; c < s.out_c; ++c) {
      float* panel = reinterpret_cast<float*>(packed) + c / kLanes * panel_size(s) + c % kLanes;
      if (bias != nullptr) *panel = bias[c] + 0.0f;
      for (ptrdiff_t t = 0; t < static_cast<ptrdiff_t>(s.filter_h) * s.filter_w; ++t) {
        panel[(t + 1) * kLanes] = filter[t * s.out_c + c];
      }
    }
  }

  static size_t scratch_bytes(const DepthwiseConv2DFloat& /*conv*/) { return 0; }
  static bool supports(const DepthwiseConv2DFloat& conv) { return conv.depth_multiplier == 1; }

  /// Output pixels next to each other, whose windows have the same taps inside the picture.
  struct Span {
    const float* x;  ///< What tap (0, 0) of the first pixel reads; steps are in floats.
    ptrdiff_t row_step, tap_step, pixel_step;
    TapRange rows, columns;
    int32_t filter_w;
    const float* panel;
    int32_t channels;  ///< That exist, of kLanes.
    float low, high;
    float* out;
    ptrdiff_t out_step;
  };

  template <int P, bool Few>
  static void run_pixels(const Span& s) {
    typename V::Vector sums[P];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) sums[p] = V::zero();
    for (int32_t ky = s.rows.begin; ky < s.rows.end; ++ky) {
      const float* x = s.x + ky * s.row_step + s.columns.begin * s.tap_step;
      const float* w =
          s.panel + (1 + static_cast<ptrdiff_t>(ky) * s.filter_w + s.columns.begin) * kLanes;
      for (int32_t kx = s.columns.begin; kx < s.columns.end; ++kx) {
        const typename V::Vector weights = V::load(w);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          const float* from = x + p * s.pixel_step;
          const typename V::Vector value = Few ? V::load_few(from, s.channels) : V::load(from);
          sums[p] = V::multiply_add(value, weights, sums[p]);
        }
        x += s.tap_step;
        w += kLanes;
      }
    }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      const typename V::Vector value = V::clamp(sums[p] + V::load(s.panel), s.low, s.high);
      if (Few) {
        V::store_few(value, s.channels, s.out + p * s.out_step);
      } else {
        V::store(value, s.out + p * s.out_step);
      }
    }
  }

  template <int P>
  static void run_span(Span& s, int32_t pixels) {
    const bool few = s.channels < kLanes;
    for (; pixels >= P; pixels -= P) {
      few ? run_pixels<P, true>(s) : run_pixels<P, false>(s);
      s.x += P * s.pixel_step;
      s.out += P * s.out_step;
    }
    if constexpr (P > 1) {
      if (pixels > 0) run_span<P / 2>(s, pixels);
    }
  }

  /// Windows of every shape.
  static void run_any(const DepthwiseConv2DFloat& conv, const std::byte* packed, const float* input,
                      float* output, int32_t row_begin, int32_t row_end) {
    const WindowShape& s = conv.shape;
    Span span;
    span.row_step = static_cast<ptrdiff_t>(s.dilation_h) * s.in_w * s.in_c;
    span.tap_step = static_cast<ptrdiff_t>(s.dilation_w) * s.in_c;
    span.pixel_step = static_cast<ptrdiff_t>(s.stride_w) * s.in_c;
    span.filter_w = s.filter_w;
    span.low = conv.output_min;
    span.high = conv.output_max;
    span.out_step = s.out_c;
    for (int32_t row = row_begin; row < row_end; ++row) {
      const int32_t y = row % s.out_h * s.stride_h - s.pad_top;
      span.rows = taps_inside(y, s.dilation_h, s.filter_h, s.in_h);
      const ptrdiff_t line = (static_cast<ptrdiff_t>(row / s.out_h) * s.in_h + y) * s.in_w;
      for (int32_t column = 0; column < s.out_w;) {
        const int32_t x = column * s.stride_w - s.pad_left;
        span.columns = taps_inside(x, s.dilation_w, s.filter_w, s.in_w);
        const int32_t end = same_taps_end(s, span.columns, column);
        const auto* panel = reinterpret_cast<const float*>(packed);
        for (int32_t c = 0; c < s.out_c; c += kLanes, panel += panel_size(s)) {
          span.x = input + (line + x) * s.in_c + c;
          span.panel = panel;
          span.channels = s.out_c - c < kLanes ? s.out_c - c : kLanes;
          span.out = output + (static_cast<ptrdiff_t>(row) * s.out_w + column) * s.out_c + c;
          run_span<V::kPixels>(span, end - column);
        }
        column = end;
      }
    }
  }

  static void run(const DepthwiseConv2DFloat& conv, const std::byte* packed, const float* input,
                  float* output, int32_t row_begin, int32_t row_end, std::byte* /*scratch*/) {
    const bool window3 = FloatWindow3<V>::supports(conv.shape);
    (window3 ? FloatWindow3<V>::run : run_any)(conv, packed, input, output, row_begin, row_end);
  }

  static constexpr DepthwiseConv2DFloatKernel kernel(
      const char* name, Isa isa, bool (*is_supported)(const DepthwiseConv2DFloat&) = supports) {
    return {name, isa, is_supported, packed_bytes, pack, scratch_bytes, run};
  }
};

}  // namespace
}  // namespace deeplab::kernels
