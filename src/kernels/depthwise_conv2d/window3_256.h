// int8 3x3 depthwise convolution on 256-bit registers, two output rows at a time if they share
// input rows (stride 1): the strip holds four interleaved input rows, of which the upper output
// takes the first three and the lower one the last three, the fourth weight being zero. Templates
// over the Products of the file that includes this.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/copy_few.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/strip.h"
#include "kernels/requantize_avx2.h"

namespace deeplab::kernels {

template <typename P>
struct Window3Of256 {
  using Weight = typename P::Weight;

  static constexpr int32_t kTaps = 3;
  static constexpr int32_t kRows = 4;    // Input rows in a strip.
  static constexpr int32_t kLanes = 8;   // Channels multiplied at a time,
  static constexpr int32_t kPanel = 16;  // and interleaved at a time.
  static constexpr int32_t kVectors = P::kRowVectors;
  static constexpr ptrdiff_t kEightBytes = kVectors * 32;  // Eight channels of a column.
  static constexpr ptrdiff_t kColumn = 2 * kEightBytes;

  // packed: eight channels at a time: bias int32 [8], scale float [8], weights
  // [upper, lower output][filter column][kVectors][8][P::kDepth], whether they are less the
  // filter's zero point, int32 [8].
  static constexpr ptrdiff_t kWeightsBytes = 2 * kTaps * kEightBytes;
  static constexpr ptrdiff_t kPackedEight = kLanes * 8 + kWeightsBytes + 32;
  static size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
    return static_cast<size_t>((conv.shape.out_c + kLanes - 1) / kLanes * kPackedEight);
  }

  // Whether all weights of the eight channels of this one fit less the filter's zero point. In
  // real models few do not.
  static bool fit(const DepthwiseConv2DInt8& conv, const int8_t* filter, int32_t channel) {
    const int32_t out_c = conv.shape.out_c;
    const int32_t first = channel / kLanes * kLanes;
    const int32_t end = first + kLanes < out_c ? first + kLanes : out_c;
    bool fits = true;
    for (int32_t tap = 0; tap < kTaps * kTaps; ++tap) {
      for (int32_t c = first; c < end; ++c) {
        const int32_t w = filter[ptrdiff_t{tap} * out_c + c] - conv.filter_zero_point;
        fits = fits && w >= -128 && w <= 127;
      }
    }
    return P::kFilterZeroInWeights || fits;
  }

  static void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                   std::byte* packed) {
    const int32_t out_c = conv.shape.out_c;
    memset(packed, 0, packed_bytes(conv));
    for (int32_t channel = 0; channel < out_c; ++channel) {
      const int32_t lane = channel % kLanes;
      std::byte* eight = packed + channel / kLanes * kPackedEight;
      auto* packed_bias = reinterpret_cast<uint32_t*>(eight);
      auto* scale = reinterpret_cast<float*>(packed_bias + kLanes);
      auto* weights = reinterpret_cast<Weight*>(scale + kLanes);
      const bool less_zero_point = fit(conv, filter, channel);
      *reinterpret_cast<int32_t*>(eight + kLanes * 8 + kWeightsBytes) = less_zero_point ? 1 : 0;
      int32_t sum = 0;
      for (int32_t ky = 0; ky < kTaps; ++ky) {
        for (int32_t kx = 0; kx < kTaps; ++kx) {
          const int32_t w = filter[(ptrdiff_t{ky} * kTaps + kx) * out_c + channel];
          sum += w - conv.filter_zero_point;
          for (int32_t lower = 0; lower < 2; ++lower) {
            const int32_t row = ky + lower;
            const int32_t vector = (lower * kTaps + kx) * kVectors + row / P::kDepth;
            weights[(vector * kLanes + lane) * P::kDepth + row % P::kDepth] =
                static_cast<Weight>(w - (less_zero_point ? conv.filter_zero_point : 0));
          }
        }
      }
      packed_bias[lane] =
          static_cast<uint32_t>(bias != nullptr ? bias[channel] : 0) -
          static_cast<uint32_t>(128 + conv.input_zero_point) * static_cast<uint32_t>(sum);
      scale[lane] = conv.multipliers[channel].scale;
    }
  }

  static size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
    return static_cast<size_t>(strip_bytes(conv.shape, kColumn));
  }
  // The correction for a filter zero point multiplies with its negative as a signed byte.
  static bool supports(const DepthwiseConv2DInt8& conv) {
    const WindowShape& s = conv.shape;
    return conv.depth_multiplier == 1 && s.filter_h == kTaps && s.filter_w == kTaps &&
           (P::kFilterZeroInWeights || conv.filter_zero_point != -128) &&
           strip_bytes(s, kColumn) <= kMaxStripBytes && scales_below_one(conv.multipliers, s.out_c);
  }

  // ---- Interleaving.

  // Count: 16, 8, or 0 for any number of channels.
  template <int Count>
  static __m128i load(const int8_t* from, int32_t count) {
    if constexpr (Count == 16) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    } else if constexpr (Count == 8) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    } else {
      alignas(16) int8_t all[kPanel] = {};
      copy_at_most_16(from, all, static_cast<size_t>(count));
      return _mm_load_si128(reinterpret_cast<const __m128i*>(all));
    }
  }

  // The strip under `columns` columns from input column `left` on, for `count` channels from
  // `channel` on: [columns] of what P::interleave() gives.
  template <int Count>
  static void fill_strip(const DepthwiseConv2DInt8& conv, const InputRows& rows, int32_t left,
                         int32_t columns, int32_t channel, int32_t count, std::byte* strip) {
    const WindowShape& s = conv.shape;
    const __m128i outside = _mm_set1_epi8(static_cast<int8_t>(conv.input_zero_point));
    const int32_t begin = left < 0 ? (-left < columns ? -left : columns) : 0;
    const int32_t inside = s.in_w - left < columns ? s.in_w - left : columns;
    const int32_t end = inside < begin ? begin : inside;
    for (int32_t i = 0; i < begin; ++i) {
      P::interleave(outside, outside, outside, outside, strip + i * kColumn);
    }
    const ptrdiff_t step = s.in_c;
    const ptrdiff_t at = ptrdiff_t{left + begin} * step + channel;
    std::byte* out = strip + begin * kColumn;
    if (rows.row[0] != nullptr && rows.row[1] != nullptr && rows.row[2] != nullptr &&
        rows.row[3] != nullptr) {
      const int8_t* r0 = rows.row[0] + at;
      const int8_t* r1 = rows.row[1] + at;
      const int8_t* r2 = rows.row[2] + at;
      const int8_t* r3 = rows.row[3] + at;
      for (int32_t i = begin; i < end; ++i, out += kColumn) {
        P::interleave(load<Count>(r0, count), load<Count>(r1, count), load<Count>(r2, count),
                      load<Count>(r3, count), out);
        r0 += step;
        r1 += step;
        r2 += step;
        r3 += step;
      }
    } else {
      for (int32_t i = begin; i < end; ++i, out += kColumn) {
        __m128i r[kRows];
        for (int32_t k = 0; k < kRows; ++k) {
          const int8_t* row = rows.row[k];
          r[k] = row != nullptr ? load<Count>(row + at + (i - begin) * step, count) : outside;
        }
        P::interleave(r[0], r[1], r[2], r[3], out);
      }
    }
    for (int32_t i = end; i < columns; ++i) {
      P::interleave(outside, outside, outside, outside, strip + i * kColumn);
    }
  }

  // ---- Products.

  struct Output {
    RequantizeAvx2 to;
    // Minus the filter's zero point in the rows of the upper window, and of the lower one.
    __m256i correction;
    __m256i correction_lower;
  };
  static Output make_output(const DepthwiseConv2DInt8& conv) {
    Output o;
    o.to = make_requantize(conv);
    const __m256i minus = _mm256_set1_epi8(static_cast<int8_t>(-conv.filter_zero_point));
    o.correction = _mm256_and_si256(minus, _mm256_set1_epi32(0x00FFFFFF));
    o.correction_lower = _mm256_slli_epi32(o.correction, 8);
    return o;
  }

  // What multiply_strip() works on, for eight channels or 16.
  struct Strip {
    const std::byte* columns;
    ptrdiff_t tap;   // Bytes from a filter column to the next,
    ptrdiff_t step;  // and from an output's window to the next one's.
    const std::byte* packed;
    int8_t* out[2];  // The first output of each row.
    ptrdiff_t out_c;
    int32_t count;  // Channels that exist.
  };

  // Four sums, as steps, of output rows and columns from column i on; of the given eight channels.
  template <int Rows, int Columns, bool Correct>
  [[gnu::always_inline]] static void multiply(const Strip& s, const Output& o, int eight,
                                              ptrdiff_t i, __m256i (&acc)[4]) {
    constexpr int kSums = Rows * Columns;
    const std::byte* packed = s.packed + eight * kPackedEight;
    const auto* weights = reinterpret_cast<const __m256i*>(packed + kLanes * 8);
    const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(packed));
    const __m256 scale = _mm256_loadu_ps(reinterpret_cast<const float*>(packed) + kLanes);
    const std::byte* x = s.columns + eight * kEightBytes + i * s.step;
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c, x += s.step) {
#pragma GCC unroll 2
      for (int r = 0; r < Rows; ++r) acc[r * Columns + c] = bias;
#pragma GCC unroll 3
      for (int kx = 0; kx < kTaps; ++kx) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const __m256i rows =
              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + kx * s.tap) + v);
#pragma GCC unroll 2
          for (int r = 0; r < Rows; ++r) {
            __m256i& sum = acc[r * Columns + c];
            const __m256i* w = weights + (r * kTaps + kx) * kVectors + v;
            sum = P::add(sum, rows, _mm256_loadu_si256(w));
            P::settle(sum);
            if constexpr (Correct) {
              sum = P::add(sum, rows, r == 0 ? o.correction : o.correction_lower);
            }
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      acc[k] = k < kSums ? to_steps(acc[k], scale) : acc[k % kSums];
    }
  }

  // Outputs [i, i + Columns) of each row. All: eight channels, or 16, whose stores are longer.
  template <int Rows, int Columns, bool Correct, int All>
  [[gnu::always_inline]] static void run_tile(const Strip& s, const Output& o, ptrdiff_t i) {
    constexpr int kSums = Rows * Columns;
    int8_t* to[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) to[k] = s.out[k % kSums / Columns] + (i + k % Columns) * s.out_c;
    __m256i acc[4];
    multiply<Rows, Columns, Correct>(s, o, 0, i, acc);
    const __m256i bytes = to_bytes(o.to, acc[0], acc[1], acc[2], acc[3]);
    if constexpr (All == kPanel) {
      multiply<Rows, Columns, Correct>(s, o, 1, i, acc);
      store_sixteens(bytes, to_bytes(o.to, acc[0], acc[1], acc[2], acc[3]), to);
    } else {
      store_eights(bytes, All == kLanes ? kLanes : s.count, to);
    }
  }

  // All outputs of a strip: four vectors of sums at a time, which become one of bytes. The last
  // four are moved back to be whole: what they compute twice comes out the same.
  template <int Rows, bool Correct, int All>
  static void multiply_strip(const Strip& strip, const Output& output, int32_t outputs) {
    constexpr int32_t kColumns = 4 / Rows;
    const Strip s = strip;
    const Output o = output;
    if (outputs < kColumns) {
      for (int32_t i = 0; i < outputs; ++i) run_tile<Rows, 1, Correct, All>(s, o, i);
      return;
    }
    for (int32_t i = 0; i + kColumns <= outputs; i += kColumns) {
      run_tile<Rows, kColumns, Correct, All>(s, o, i);
    }
    if (outputs % kColumns != 0) {
      run_tile<Rows, kColumns, Correct, All>(s, o, outputs - kColumns);
    }
  }
  template <int Rows, bool Correct>
  static void multiply_strip(const Strip& s, const Output& o, int32_t outputs) {
    if (s.count == kPanel) return multiply_strip<Rows, Correct, kPanel>(s, o, outputs);
    s.count == kLanes ? multiply_strip<Rows, Correct, kLanes>(s, o, outputs)
                      : multiply_strip<Rows, Correct, 0>(s, o, outputs);
  }

  // out[r]: the first output of output row r.
  template <int Rows, bool Correct>
  static void run_rows(const DepthwiseConv2DInt8& conv, const std::byte* packed,
                       const InputRows& rows, int8_t* const (&out)[2], std::byte* strip) {
    const WindowShape& s = conv.shape;
    const Output o = make_output(conv);
    const int32_t most = strip_outputs(s);
    for (int32_t first = 0; first < s.out_w; first += most) {
      const int32_t outputs = s.out_w - first < most ? s.out_w - first : most;
      const int32_t left = first * s.stride_w - s.pad_left;
      const auto columns = static_cast<int32_t>(strip_columns(s, outputs));
      for (int32_t c = 0; c < s.out_c; c += kPanel) {
        const int32_t count = s.out_c - c < kPanel ? s.out_c - c : kPanel;
        if (count == kPanel) {
          fill_strip<16>(conv, rows, left, columns, c, count, strip);
        } else if (count == kLanes) {
          fill_strip<8>(conv, rows, left, columns, c, count, strip);
        } else {
          fill_strip<0>(conv, rows, left, columns, c, count, strip);
        }
        // Eights that differ in whether their weights are less the zero point go one by one.
        const auto corrects = [&](int32_t channel) {
          const std::byte* eight = packed + channel / kLanes * kPackedEight;
          return Correct &&
                 *reinterpret_cast<const int32_t*>(eight + kLanes * 8 + kWeightsBytes) == 0;
        };
        const bool as_one = count == kPanel && corrects(c) == corrects(c + kLanes);
        for (int32_t eight = 0; eight < count; eight += as_one ? kPanel : kLanes) {
          const ptrdiff_t at = ptrdiff_t{first} * s.out_c + c + eight;
          Strip strips;
          strips.columns = strip + eight / kLanes * kEightBytes;
          strips.tap = s.dilation_w * kColumn;
          strips.step = s.stride_w * kColumn;
          strips.packed = packed + (c + eight) / kLanes * kPackedEight;
          strips.out[0] = out[0] + at;
          strips.out[1] = out[Rows - 1] + at;
          strips.out_c = s.out_c;
          const int32_t rest = count - eight;
          strips.count = as_one ? kPanel : rest < kLanes ? rest : kLanes;
          corrects(c + eight) ? multiply_strip<Rows, Correct>(strips, o, outputs)
                              : multiply_strip<Rows, false>(strips, o, outputs);
        }
      }
    }
  }

  template <bool Correct>
  static void run_all(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
                      int8_t* output, int32_t row_begin, int32_t row_end, std::byte* strip) {
    const WindowShape& s = conv.shape;
    const auto row_of = [&](int32_t row) { return output + ptrdiff_t{row} * s.out_w * s.out_c; };
    for (int32_t row = row_begin; row < row_end; ++row) {
      InputRows rows;
      const int32_t count = rows_in_turn(s, input, row_begin, row_end, row, &rows);
      if (count == 2) {
        run_rows<2, Correct>(conv, packed, rows, {row_of(row), row_of(row + s.dilation_h)}, strip);
      } else if (count == 1) {
        run_rows<1, Correct>(conv, packed, rows, {row_of(row), nullptr}, strip);
      }
    }
  }

  static void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
                  int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    if constexpr (!P::kFilterZeroInWeights) {
      if (conv.filter_zero_point != 0) {
        run_all<true>(conv, packed, input, output, row_begin, row_end, scratch);
        return;
      }
    }
    run_all<false>(conv, packed, input, output, row_begin, row_end, scratch);
  }

  static constexpr DepthwiseConv2DInt8Kernel entry(const char* name) {
    return {name, P::kIsa, supports, packed_bytes, pack, scratch_bytes, run};
  }
};

}  // namespace deeplab::kernels
