// The 3x3 windows of float_direct.h, where most of the work is: neighbours a dilation apart share
// two of their three columns (with stride 2, one), so an input vector is loaded once for all sums
// that it goes into. Columns come from left to right, and so do the taps of each sum: its order is
// the definition's. All rows of one vector of channels come before the next one, so that the rows
// that two windows share are still in the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {
namespace {

/// V as in float_direct.h.
template <typename V>
struct FloatWindow3 {
  using Vector = typename V::Vector;
  static constexpr int kLanes = V::kLanes;
  static constexpr int kPanel = kLanes * 10;  ///< Bias, then nine weights.

  /// A window may miss its left or its right column, but never the one in the middle.
  static bool supports(const WindowShape& s) {
    const bool steps = s.stride_w == 1 || (s.stride_w == 2 && s.dilation_w == 1);
    const int64_t last = static_cast<int64_t>(s.out_w - 1) * s.stride_w - s.pad_left;
    return s.filter_h == 3 && s.filter_w == 3 && steps && s.pad_left >= 0 &&
           s.pad_left <= s.dilation_w && last + s.dilation_w < s.in_w;
  }

  /// Output pixels of a row, a dilation apart.
  struct Line {
    const float* x;  ///< What tap (0, 0) of the first pixel reads; steps are in floats.
    ptrdiff_t row_step, column_step;
    TapRange rows;
    const float* panel;
    int32_t channels;  ///< That exist, of kLanes.
    float low, high;
    float* out;
    ptrdiff_t out_step;
    bool left, right;  ///< Whether the first pixel has its left column, the last one its right.
  };

  template <bool Few>
  static Vector load(const Line& s, const float* from) {
    return Few ? V::load_few(from, s.channels) : V::load(from);
  }

  template <int P, int Stride, bool Few>
  static void run_pixels(const Line& s) {
    Vector sums[P];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) sums[p] = V::zero();
    for (int32_t ky = s.rows.begin; ky < s.rows.end; ++ky) {
      const float* w = s.panel + (1 + 3 * ky) * kLanes;
      const Vector w0 = V::load(w), w1 = V::load(w + kLanes), w2 = V::load(w + 2 * kLanes);
      const float* x = s.x + ky * s.row_step;
      if (s.left) sums[0] = V::multiply_add(load<Few>(s, x), w0, sums[0]);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        x += s.column_step;
        const Vector middle = load<Few>(s, x);
        if constexpr (Stride == 1) {
          if (p > 0) sums[p - 1] = V::multiply_add(middle, w2, sums[p - 1]);
          sums[p] = V::multiply_add(middle, w1, sums[p]);
          if (p + 1 < P) sums[p + 1] = V::multiply_add(middle, w0, sums[p + 1]);
        } else {
          sums[p] = V::multiply_add(middle, w1, sums[p]);
          if (p + 1 < P) {
            x += s.column_step;
            const Vector shared = load<Few>(s, x);
            sums[p] = V::multiply_add(shared, w2, sums[p]);
            sums[p + 1] = V::multiply_add(shared, w0, sums[p + 1]);
          }
        }
      }
      if (s.right) {
        sums[P - 1] = V::multiply_add(load<Few>(s, x + s.column_step), w2, sums[P - 1]);
      }
    }
    const Vector bias = V::load(s.panel);
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      const Vector value = V::clamp(sums[p] + bias, s.low, s.high);
      if (Few) {
        V::store_few(value, s.channels, s.out + p * s.out_step);
      } else {
        V::store(value, s.out + p * s.out_step);
      }
    }
  }

  /// Calls run_pixels<pixels>(), with pixels <= P known to the compiler.
  template <int P, int Stride, bool Few>
  static void run_group(const Line& s, int32_t pixels) {
    if constexpr (P > 1) {
      if (pixels < P) return run_group<P - 1, Stride, Few>(s, pixels);
    }
    run_pixels<P, Stride, Few>(s);
  }

  /// `pixels` of a line in groups of about the same size: a few sums alone wait for themselves.
  template <int Stride, bool Few>
  static void run_line(Line s, int32_t pixels) {
    const bool right = s.right;
    int32_t groups = (pixels + V::kPixels - 1) / V::kPixels;
    for (; groups > 0; --groups) {
      const int32_t count = (pixels + groups - 1) / groups;
      pixels -= count;
      s.right = pixels > 0 || right;
      run_group<V::kPixels, Stride, Few>(s, count);
      s.left = true;
      s.x += count * Stride * s.column_step;
      s.out += count * s.out_step;
    }
  }

  /// Output pixels first, first + step, ... of a row, whose x begins at column 0 of the picture.
  static void run_phase(const WindowShape& s, const Line& row, int32_t first, int32_t step) {
    const int32_t pixels = (s.out_w - first + step - 1) / step;
    const int32_t origin = first * s.stride_w - s.pad_left;
    const int32_t last = origin + (pixels - 1) * step * s.stride_w;
    Line line = row;
    line.x += static_cast<ptrdiff_t>(origin) * s.in_c;
    line.out += static_cast<ptrdiff_t>(first) * s.out_c;
    line.left = origin >= 0;
    line.right = static_cast<int64_t>(last) + 2 * s.dilation_w < s.in_w;
    const bool few = line.channels < kLanes;
    if (s.stride_w == 1) {
      few ? run_line<1, true>(line, pixels) : run_line<1, false>(line, pixels);
    } else {
      few ? run_line<2, true>(line, pixels) : run_line<2, false>(line, pixels);
    }
  }

  static void run(const DepthwiseConv2DFloat& conv, const std::byte* packed, const float* input,
                  float* output, int32_t row_begin, int32_t row_end) {
    const WindowShape& s = conv.shape;
    const int32_t step = s.dilation_w < s.out_w ? s.dilation_w : s.out_w;
    Line line;
    line.row_step = static_cast<ptrdiff_t>(s.dilation_h) * s.in_w * s.in_c;
    line.column_step = static_cast<ptrdiff_t>(s.dilation_w) * s.in_c;
    line.low = conv.output_min;
    line.high = conv.output_max;
    line.out_step = static_cast<ptrdiff_t>(step) * s.out_c;
    line.panel = reinterpret_cast<const float*>(packed);
    for (int32_t c = 0; c < s.out_c; c += kLanes, line.panel += kPanel) {
      line.channels = s.out_c - c < kLanes ? s.out_c - c : kLanes;
      for (int32_t row = row_begin; row < row_end; ++row) {
        const int32_t y = row % s.out_h * s.stride_h - s.pad_top;
        line.rows = taps_inside(y, s.dilation_h, 3, s.in_h);
        line.x = input + (static_cast<ptrdiff_t>(row / s.out_h) * s.in_h + y) * s.in_w * s.in_c + c;
        line.out = output + static_cast<ptrdiff_t>(row) * s.out_w * s.out_c + c;
        for (int32_t first = 0; first < step; ++first) run_phase(s, line, first, step);
      }
    }
  }
};

}  // namespace
}  // namespace deeplab::kernels
