// The first layer of MobileNets, 3x3 with stride 2 on three channels, on 256-bit registers. The
// nine values of a filter row lie together in the picture: a few products take them, and what lies
// after them meets weights of zero, straight from a line of converted pixels. No taps are
// gathered.
#pragma once

#include "kernels/conv2d/tile_int8_256.h"

namespace deeplab::kernels {

template <typename P>
struct Stem256 {
  using Value = typename P::Value;

  static constexpr int32_t kTaps = 3;
  static constexpr int32_t kStride = 2;
  static constexpr int32_t kChannels = 3;
  static constexpr int32_t kRow = kTaps * kChannels;
  static constexpr int32_t kStep = kStride * kChannels;  // From an output's window to the next.
  static constexpr int32_t kProducts = (kRow + P::kDepth - 1) / P::kDepth;  // A filter row.
  static constexpr int32_t kStoredRow = kProducts * P::kDepth;
  static constexpr int32_t kDepth = kTaps * kStoredRow;

  static size_t packed_bytes(const Conv2DInt8& conv) { return panels_bytes<P>(conv, kDepth); }
  static void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                   std::byte* packed) {
    pack_panels<P>(conv, filter, bias, kRow, kStoredRow, kDepth, packed);
  }
  static void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
    add_panel_bias<P>(conv, extra, kDepth, packed);
  }

  // scratch: three lines, each under all windows of an output row, and what the products read
  // beyond the last window.
  static int32_t line_values(const WindowShape& s) { return (s.out_w - 1) * kStep + kStoredRow; }
  static size_t scratch_bytes(const Conv2DInt8& conv) {
    return static_cast<size_t>(line_values(conv.shape)) * kTaps * sizeof(Value);
  }

  // The correction for a filter zero point multiplies with its negative as a signed byte.
  static bool supports(const Conv2DInt8& conv) {
    const WindowShape& s = conv.shape;
    return s.in_c == kChannels && s.filter_h == kTaps && s.filter_w == kTaps &&
           s.stride_h == kStride && s.stride_w == kStride && s.dilation_h == 1 &&
           s.dilation_w == 1 && s.out_w < 1 << 20 &&
           (P::kFilterZeroInWeights || conv.filter_zero_point != -128) &&
           scales_below_one(conv.multipliers, s.out_c);
  }

  struct Output {
    RequantizeAvx2 to;
    __m256i correction;  // Minus the filter's zero point.
  };

  // M neighbouring outputs of V * 8 channels, of which `channels` exist.
  template <int M, int V, bool Correct>
  static void multiply(const Output& o, const std::byte* panel, const Value* lines, ptrdiff_t line,
                       int32_t channels, int8_t* out, ptrdiff_t stride) {
    const auto* bias = reinterpret_cast<const __m256i*>(panel);
    const auto* scale = reinterpret_cast<const float*>(bias + V);
    const auto* weights = reinterpret_cast<const __m256i*>(scale + V * kLanes256);
    __m256i acc[M][V];
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) acc[m][v] = _mm256_loadu_si256(bias + v);
    }
    for (int ky = 0; ky < kTaps; ++ky, lines += line) {
#pragma GCC unroll 5
      for (int i = 0; i < kProducts; ++i, weights += V) {
        __m256i w[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) w[v] = _mm256_loadu_si256(weights + v);
        // The last product has one value of the window; the others' weights are zero.
        __m256i correction = o.correction;
        if (i == kProducts - 1) {
          correction = _mm256_and_si256(correction, _mm256_set1_epi32(255));
        }
#pragma GCC unroll 12
        for (int m = 0; m < M; ++m) {
          const __m256i x = broadcast_group(lines + i * P::kDepth + m * kStep);
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) {
            acc[m][v] = P::add(acc[m][v], x, w[v]);
            P::settle(acc[m][v]);
            if constexpr (Correct) acc[m][v] = P::add(acc[m][v], x, correction);
          }
        }
      }
    }
    store_tile(o.to, scale, acc, channels, out, stride);
  }

  // A row of outputs. The last tile is moved back to be whole.
  template <int M, int V, bool Correct>
  static void multiply_row(const Output& o, const std::byte* panel, const Value* lines,
                           ptrdiff_t line, int32_t outputs, int32_t channels, int8_t* out,
                           ptrdiff_t stride) {
    for (int32_t x = 0; outputs < M && x < outputs; ++x) {
      multiply<1, V, Correct>(o, panel, lines + x * kStep, line, channels, out + x * stride,
                              stride);
    }
    for (int32_t x = 0; outputs >= M && x < outputs; x += M) {
      const int32_t first = x + M <= outputs ? x : outputs - M;
      multiply<M, V, Correct>(o, panel, lines + first * kStep, line, channels, out + first * stride,
                              stride);
    }
  }

  template <bool Correct>
  static void run_rows(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input,
                       int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    const WindowShape& s = conv.shape;
    const ptrdiff_t line = line_values(s);
    auto* lines = reinterpret_cast<Value*>(scratch);
    const Output o = {make_requantize(conv),
                      _mm256_set1_epi8(static_cast<int8_t>(-conv.filter_zero_point))};
    for (int32_t row = row_begin; row < row_end; ++row) {
      const int8_t* picture = input + ptrdiff_t{row / s.out_h} * s.in_h * s.in_w * kChannels;
      for (int32_t ky = 0; ky < kTaps; ++ky) {
        fill_line<P>(conv, picture, row % s.out_h * kStride - s.pad_top + ky, line,
                     lines + ky * line);
      }
      for (int32_t n = 0; n < s.out_c; n += kPanel256) {
        const std::byte* panel = packed + n * panel_channel_bytes<P>(kDepth);
        const int32_t channels = s.out_c - n < kPanel256 ? s.out_c - n : kPanel256;
        int8_t* out = output + ptrdiff_t{row} * s.out_w * s.out_c + n;
        if (channels > kLanes256) {
          multiply_row<6, 2, Correct>(o, panel, lines, line, s.out_w, channels, out, s.out_c);
        } else {
          multiply_row<12, 1, Correct>(o, panel, lines, line, s.out_w, channels, out, s.out_c);
        }
      }
    }
  }

  static void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input,
                  int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    if constexpr (!P::kFilterZeroInWeights) {
      if (conv.filter_zero_point != 0) {
        run_rows<true>(conv, packed, input, output, row_begin, row_end, scratch);
        return;
      }
    }
    run_rows<false>(conv, packed, input, output, row_begin, row_end, scratch);
  }

  static constexpr Conv2DInt8Kernel entry(const char* name) {
    return {name, P::kIsa, supports, packed_bytes, pack, scratch_bytes, run, add_bias};
  }
};

}  // namespace deeplab::kernels
