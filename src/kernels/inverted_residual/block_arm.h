// The block on ARM's 128-bit registers, over the Products of the file that includes this:
//   Taps: what a vector of weights, four taps of four channels, is multiplied by;
//   taps_at(): four bytes of one pixel, for all channels;
//   rows_at(): four rows of four channels of a group; rows_across(): the last two of one group and
//     the first two of the next one in the places of the first two;
//   add(): to four sums; place(): where a channel's tap is in 16 bytes; kLowest: the lowest weight;
//   project(): the family's matrix product.
//
//   A group of the expanded tensor: [channels / 8][columns][2][4 channels x 4 rows].
//
// Zero points: of an input, in the packed bias, since padding reads as the zero point; of a filter,
// in the weights. What of a weight then leaves its byte is in a line of weights of its own.
// Static and C-like for the reason im2col.h gives.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/conv2d/im2col.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/copy_few.h"
#include "kernels/inverted_residual/inverted_residual.h"
#include "kernels/requantize_neon.h"

namespace deeplab::kernels {

template <typename P>
struct BlockArm {
  using Ops = InvertedResidualInt8;

  static constexpr int32_t kLanes = 4;
  static constexpr int32_t kEight = 8;
  static constexpr int32_t kTaps = 3;
  static constexpr int32_t kDepth = 4;       // Taps of a line of weights.
  static constexpr ptrdiff_t kColumn = 32;   // Eight channels of a column of a group.
  static constexpr int32_t kMaxVectors = 4;  // Of channels in a panel of the expansion.
  static constexpr int32_t kMaxLines = 64;   // Deeper products belong to the matrix product.
  static constexpr int64_t kMaxBytes = int64_t{1} << 20;  // A group's, and its input's.

  static int32_t eights_of(const Ops& ops) {
    return (ops.depthwise.shape.out_c + kEight - 1) / kEight;
  }
  // Columns of the expanded tensor that the depthwise windows reach, padding included, and how
  // many of them are inside the picture, from pad_left on.
  static int32_t columns_of(const WindowShape& d) { return (d.out_w - 1) * d.stride_w + kTaps; }
  static int32_t columns_inside(const WindowShape& d) {
    const int32_t left = columns_of(d) - d.pad_left;
    return left < 0 ? 0 : left < d.in_w ? left : d.in_w;
  }
  static ptrdiff_t eight_bytes(const Ops& ops) { return columns_of(ops.depthwise.shape) * kColumn; }
  static size_t group_bytes(const Ops& ops) {
    return static_cast<size_t>((eights_of(ops) * eight_bytes(ops) + 63) / 64 * 64);
  }

  // A weight less its filter's zero point as a byte.
  static int32_t nearest(int32_t w) { return w < P::kLowest ? P::kLowest : w > 127 ? 127 : w; }
  static int32_t bias_of(const Conv2DInt8& conv, int32_t bias, int32_t taps) {
    return static_cast<int32_t>(static_cast<uint32_t>(bias) -
                                static_cast<uint32_t>(conv.input_zero_point) *
                                    static_cast<uint32_t>(taps));
  }

  // ---- Expansion. The taps of a filter row lie together in the picture: a line of weights takes
  // four of them, the last one some that meet zeros.

  static int32_t row_taps(const WindowShape& s) { return s.filter_w * s.in_c; }
  static int32_t row_lines(const WindowShape& s) { return (row_taps(s) + kDepth - 1) / kDepth; }
  static int32_t plain_lines(const WindowShape& s) { return s.filter_h * row_lines(s); }
  // Unless all weights are bytes, any line may need another one for what does not fit.
  static int32_t most_lines(const Conv2DInt8& e) {
    const bool bytes = P::kLowest == -128 && e.filter_zero_point == 0;
    return plain_lines(e.shape) * (bytes ? 1 : 2);
  }
  static int32_t input_lines(const WindowShape& s) {
    return (kGroupRows - 1) * s.stride_h + s.filter_h;
  }
  static ptrdiff_t line_bytes(const Ops& ops) {
    const WindowShape& s = ops.expand.shape;
    const int64_t last = int64_t{columns_inside(ops.depthwise.shape) - 1} * s.stride_w * s.in_c;
    return ((last < 0 ? 0 : last) + row_lines(s) * kDepth + 63) / 64 * 64;
  }

  // Of V vectors of channels: bias int32 [V][4], scale float [V][4], lines int32, offsets int32
  // [most lines], up to a multiple of 16, weights [most lines][V][16].
  struct Panel {
    int32_t* bias;
    float* scale;
    int32_t* lines;    // That there are,
    int32_t* offsets;  // and where the bytes of each are, in the lines of input.
    int8_t* weights;
  };
  static ptrdiff_t panel_bytes(int32_t vectors, int32_t lines) {
    return round_up((1 + lines) * 4, 16) + ptrdiff_t{vectors} * 16 * (2 + lines);
  }
  static Panel panel_at(std::byte* at, int32_t vectors, int32_t lines) {
    Panel p;
    p.bias = reinterpret_cast<int32_t*>(at);
    p.scale = reinterpret_cast<float*>(p.bias + ptrdiff_t{vectors} * kLanes);
    p.lines = reinterpret_cast<int32_t*>(p.scale + ptrdiff_t{vectors} * kLanes);
    p.offsets = p.lines + 1;
    p.weights = reinterpret_cast<int8_t*>(p.lines) + round_up((1 + lines) * 4, 16);
    return p;
  }

  static bool expand_supports(const Ops& ops) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const WindowShape& d = ops.depthwise.shape;
    const int64_t columns = int64_t{d.out_w} * d.stride_w + kTaps;
    const int64_t group = columns * kColumn * eights_of(ops);
    const int64_t line = columns * s.stride_w * s.in_c + int64_t{row_taps(s)} + 64;
    return s.batch == 1 && s.dilation_h == 1 && s.dilation_w == 1 && gemm_supports(s) &&
           plain_lines(s) <= kMaxLines && group <= kMaxBytes &&
           line * input_lines(s) <= kMaxBytes && scales_below_one(e.multipliers, s.out_c);
  }

  // packed begins with this, up to kHeaderBytes.
  struct Header {
    int32_t narrow_expand;  // Whether all channels are; see requantize_neon.h.
    int32_t narrow_depthwise;
  };
  static constexpr ptrdiff_t kHeaderBytes = 64;

  // body(first channel, vectors, where it is packed) for each panel: of whole eights.
  template <typename Byte, typename Body>
  static void for_panels(const Ops& ops, Byte* at, const Body& body) {
    at += kHeaderBytes;
    for (int32_t e = 0; e < eights_of(ops); e += 2) {
      const int32_t vectors = eights_of(ops) - e == 1 ? 2 : kMaxVectors;
      body(e * kEight, vectors, at);
      at += panel_bytes(vectors, most_lines(ops.expand));
    }
  }
  static size_t expand_packed_bytes(const Ops& ops) {
    const int32_t lines = most_lines(ops.expand);
    const ptrdiff_t bytes = kHeaderBytes + eights_of(ops) / 2 * panel_bytes(kMaxVectors, lines) +
                            eights_of(ops) % 2 * panel_bytes(2, lines);
    return static_cast<size_t>((bytes + 63) / 64 * 64);
  }

  static void pack_panel(const Ops& ops, const InvertedResidualWeights& weights, int32_t first,
                         int32_t vectors, const Panel& p, int32_t* narrow) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const int32_t taps = gemm_depth(s);
    const int32_t n = vectors * kLanes;
    const int32_t channels = s.out_c - first < n ? s.out_c - first : n;
    const int8_t* filter = weights.expand + ptrdiff_t{first} * taps;
    for (int32_t c = 0; c < channels; ++c) {
      int32_t sum = 0;
      int32_t size = 0;
      for (int32_t k = 0; k < taps; ++k) {
        const int32_t w = filter[ptrdiff_t{c} * taps + k] - e.filter_zero_point;
        sum += w;
        size += w < 0 ? -w : w;
      }
      const int32_t bias = weights.expand_bias != nullptr ? weights.expand_bias[first + c] : 0;
      p.bias[c] = bias_of(e, bias, sum);
      p.scale[c] = e.multipliers[first + c].scale;
      if (!is_narrow(p.bias[c], size, p.scale[c])) *narrow = 0;
    }
    *p.lines = plain_lines(s);
    for (int32_t line = 0; line < plain_lines(s); ++line) {
      const int32_t ky = line / row_lines(s);
      const int32_t k = line % row_lines(s) * kDepth;
      int8_t* plain = p.weights + ptrdiff_t{line} * n * kDepth;
      int8_t* rests = p.weights + ptrdiff_t{*p.lines} * n * kDepth;
      bool any = false;
      p.offsets[line] = static_cast<int32_t>(ky * line_bytes(ops) + k);
      for (int32_t c = 0; c < channels; ++c) {
        const int8_t* row = filter + ptrdiff_t{c} * taps + ky * row_taps(s);
        for (int32_t i = 0; i < kDepth && k + i < row_taps(s); ++i) {
          const int32_t w = row[k + i] - e.filter_zero_point;
          const int32_t at = c / kLanes * 16 + P::place(c % kLanes, i);
          plain[at] = static_cast<int8_t>(nearest(w));
          if (w == nearest(w)) continue;
          rests[at] = static_cast<int8_t>(w - nearest(w));
          any = true;
        }
      }
      if (any) p.offsets[(*p.lines)++] = p.offsets[line];
    }
  }

  struct Job {
    Panel panel;
    ptrdiff_t row;    // Bytes from a pixel to the one below,
    ptrdiff_t pixel;  // and to the next one, in the lines.
    ptrdiff_t eight;  // Bytes from eight channels to the next in a group.
    RequantizeNeon to;
  };

  // [rows][channels] to [channels][rows], as the products take them.
  static uint8x16_t order_of_rows() {
    uint8_t order[16];
    for (int32_t row = 0; row < 4; ++row) {
      for (int32_t c = 0; c < 4; ++c) order[P::place(c, row)] = static_cast<uint8_t>(row * 4 + c);
    }
    return vld1q_u8(order);
  }

  // Four rows of each column by V vectors of four channels.
  template <int V, bool Narrow>
  [[gnu::noinline]] static void expand_panel(const Job& given, const int8_t* lines, int32_t columns,
                                             std::byte* to) {
    const Job job = given;
    const Panel& p = job.panel;
    const uint8x16_t order = order_of_rows();
    const int32_t* const end = p.offsets + *p.lines;
    auto* out = reinterpret_cast<int8_t*>(to);
    for (int32_t x = 0; x < columns; ++x, lines += job.pixel, out += kColumn) {
      int32x4_t acc[kGroupRows][V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const int32x4_t bias = vld1q_s32(p.bias + v * kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < kGroupRows; ++r) acc[r][v] = bias;
      }
      const int8_t* weights = p.weights;
      for (const int32_t* offset = p.offsets; offset != end; ++offset, weights += V * 16) {
        const int8_t* at = lines + *offset;
        int8x16_t w[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) w[v] = vld1q_s8(weights + v * 16);
#pragma GCC unroll 4
        for (int r = 0; r < kGroupRows; ++r) {
          const typename P::Taps taps = P::taps_at(at + r * job.row);
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) acc[r][v] = P::add(acc[r][v], taps, w[v]);
        }
      }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const float32x4_t scale = vld1q_f32(p.scale + v * kLanes);
        const int8x16_t rows =
            to_bytes<Narrow>(job.to, to_words<Narrow>(job.to, acc[0][v], scale, acc[1][v], scale),
                             to_words<Narrow>(job.to, acc[2][v], scale, acc[3][v], scale));
        vst1q_s8(out + v / 2 * job.eight + v % 2 * 16, vqtbl1q_s8(rows, order));
      }
    }
  }

  template <bool Narrow>
  static void expand_panel(const Job& job, int32_t vectors, const int8_t* lines, int32_t columns,
                           std::byte* to) {
    vectors == 2 ? expand_panel<2, Narrow>(job, lines, columns, to)
                 : expand_panel<4, Narrow>(job, lines, columns, to);
  }

  // The places in which `rows` of the group (4 bits) are outside the picture, and the columns
  // beside.
  static void fill_outside(const Ops& ops, int32_t rows, std::byte* group) {
    const WindowShape& d = ops.depthwise.shape;
    const int32_t columns = columns_of(d);
    const int32_t end = d.pad_left + columns_inside(d);
    const int8x16_t outside = vdupq_n_s8(static_cast<int8_t>(ops.depthwise.input_zero_point));
    uint8_t masks[16];
    for (int32_t row = 0; row < 4; ++row) {
      for (int32_t c = 0; c < 4; ++c) masks[P::place(c, row)] = (rows >> row & 1) != 0 ? 255 : 0;
    }
    const uint8x16_t mask = vld1q_u8(masks);
    for (int32_t e = 0; e < eights_of(ops); ++e, group += eight_bytes(ops)) {
      for (int32_t x = 0; x < columns; ++x) {
        const bool beside = x < d.pad_left || x >= end;
        if (!beside && rows == 0) {
          x = end - 1;
          continue;
        }
        auto* at = reinterpret_cast<int8_t*>(group + x * kColumn);
        for (int32_t v = 0; v < 2; ++v, at += 16) {
          vst1q_s8(at, beside ? outside : vbslq_s8(mask, outside, vld1q_s8(at)));
        }
      }
    }
  }

  // Row y of the picture, and what is around it, as a line of `bytes`.
  static void fill_line(const Conv2DInt8& conv, const int8_t* picture, int32_t y, ptrdiff_t bytes,
                        int8_t* line) {
    const WindowShape& s = conv.shape;
    const int32_t outside = conv.input_zero_point;
    if (y < 0 || y >= s.in_h) {
      memset(line, outside, static_cast<size_t>(bytes));
      return;
    }
    const ptrdiff_t padding = ptrdiff_t{s.pad_left} * s.in_c;
    const ptrdiff_t width = ptrdiff_t{s.in_w} * s.in_c;
    const ptrdiff_t before = padding < bytes ? padding : bytes;
    const ptrdiff_t end = before + width < bytes ? before + width : bytes;
    memset(line, outside, static_cast<size_t>(before));
    memcpy(line + before, picture + y * width, static_cast<size_t>(end - before));
    memset(line + end, outside, static_cast<size_t>(bytes - end));
  }

  static void expand(const Ops& ops, const std::byte* packed, const int8_t* input, int32_t group,
                     std::byte* to, std::byte* scratch) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const WindowShape& d = ops.depthwise.shape;
    const int32_t first = group * kGroupRows - d.pad_top;
    int32_t outside = 0;
    for (int32_t r = 0; r < kGroupRows; ++r) {
      if (first + r < 0 || first + r >= s.out_h) outside |= 1 << r;
    }
    if (outside != 15) {
      Job job;
      job.pixel = ptrdiff_t{s.stride_w} * s.in_c;
      job.eight = eight_bytes(ops);
      job.to = make_requantize(e);
      const auto* from = reinterpret_cast<const int8_t*>(scratch);
      // A line is read beyond its pixels if they are no whole fours.
      if (outside == 0 && is_pointwise(s) && s.in_c % kDepth == 0) {
        from = input + ptrdiff_t{first} * s.in_w * s.in_c;
        job.row = ptrdiff_t{s.in_w} * s.in_c;
      } else {
        const ptrdiff_t bytes = line_bytes(ops);
        auto* lines = reinterpret_cast<int8_t*>(scratch);
        for (int32_t i = 0; i < input_lines(s); ++i) {
          fill_line(e, input, first * s.stride_h - s.pad_top + i, bytes, lines + i * bytes);
        }
        job.row = s.stride_h * bytes;
      }
      const bool narrow = reinterpret_cast<const Header*>(packed)->narrow_expand != 0;
      std::byte* out = to + d.pad_left * kColumn;
      for_panels(ops, const_cast<std::byte*>(packed),
                 [&](int32_t channel, int32_t vectors, std::byte* at) {
                   job.panel = panel_at(at, vectors, most_lines(e));
                   std::byte* eights = out + channel / kEight * job.eight;
                   narrow ? expand_panel<true>(job, vectors, from, columns_inside(d), eights)
                          : expand_panel<false>(job, vectors, from, columns_inside(d), eights);
                 });
    }
    fill_outside(ops, outside, to);
  }

  // ---- Depthwise convolution, of eight channels at a time. With stride 1 two of a group's four
  // windows lie in it and two end in the next group: for these the next group's first two rows
  // take the places of the first two. The weights are there in all four orders.

  static constexpr int32_t kOrders = 4;
  static constexpr ptrdiff_t kOrderWeights = kTaps * 2 * 16;

  struct Eight {
    // Filter columns with weights that do not fit less the filter's zero point.
    int32_t extra_columns;
    int32_t extra[kTaps];
    int32_t bias[kEight];
    float scale[kEight];
    int8_t weights[kOrders * kOrderWeights];  // [order][kx][2][16]
    int8_t rests[kOrders * kOrderWeights];
  };

  static void pack_channel(const DepthwiseConv2DInt8& d, const int8_t* filter, int32_t bias,
                           int32_t c, Eight& e, int32_t* narrow) {
    const int32_t lane = c % kEight;
    int32_t sum = 0;
    int32_t size = 0;
    for (int32_t kx = 0; kx < kTaps; ++kx) {
      bool any = false;
      for (int32_t ky = 0; ky < kTaps; ++ky) {
        const int32_t w =
            filter[(ptrdiff_t{ky} * kTaps + kx) * d.shape.out_c + c] - d.filter_zero_point;
        sum += w;
        size += w < 0 ? -w : w;
        any = any || w != nearest(w);
        for (int32_t order = 0; order < kOrders; ++order) {
          const ptrdiff_t at = order * kOrderWeights + (kx * 2 + lane / kLanes) * 16 +
                               P::place(lane % kLanes, (order + ky) % kGroupRows);
          e.weights[at] = static_cast<int8_t>(nearest(w));
          e.rests[at] = static_cast<int8_t>(w - nearest(w));
        }
      }
      bool known = false;
      for (int32_t i = 0; i < e.extra_columns; ++i) known = known || e.extra[i] == kx;
      if (any && !known) e.extra[e.extra_columns++] = kx;
    }
    e.bias[lane] = bias_of(d, bias, sum);
    e.scale[lane] = d.multipliers[c].scale;
    if (!is_narrow(e.bias[lane], size, e.scale[lane])) *narrow = 0;
  }

  static size_t depthwise_packed_bytes(const Ops& ops) {
    return (sizeof(Eight) * static_cast<size_t>(eights_of(ops)) + 63) / 64 * 64;
  }

  // What depthwise_row() works on: one row of outputs of eight channels.
  struct Row {
    const int8_t* at;
    const int8_t* next;
    const Eight* eight;
    int32_t order;
    int32_t channels;  // That exist.
    bool narrow;
    int8_t* out;
    ptrdiff_t stride;  // Bytes from a pixel of the output to the next.
    RequantizeNeon to;
  };

  static void store(int8x8_t bytes, int32_t channels, int8_t* out) {
    if (channels == kEight) {
      vst1_s8(out, bytes);
    } else {
      int8_t all[16];
      vst1_s8(all, bytes);
      copy_at_most_16(all, out, static_cast<size_t>(channels));
    }
  }

  template <bool Across>
  static typename P::Taps rows(const int8_t* at, const int8_t* next) {
    if constexpr (Across) return P::rows_across(at, next);
    return P::rows_at(at);
  }

  // C outputs from column x on: columns that several windows share are loaded once.
  template <int C, int Stride, bool Across, bool Extra, bool Narrow>
  [[gnu::always_inline]] static void depthwise_tile(const Row& row, const int8x16_t (&w)[kTaps][2],
                                                    const int32x4_t (&bias)[2],
                                                    const float32x4_t (&scale)[2], ptrdiff_t x) {
    const int8_t* at = row.at + x * Stride * kColumn;
    const int8_t* next = row.next + x * Stride * kColumn;
    int32x4_t acc[C][2];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      acc[c][0] = bias[0];
      acc[c][1] = bias[1];
    }
#pragma GCC unroll 9
    for (int column = 0; column < (C - 1) * Stride + kTaps; ++column) {
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        const ptrdiff_t place = column * kColumn + v * 16;
        const typename P::Taps taps = rows<Across>(at + place, next + place);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
          const int kx = column - c * Stride;
          if (kx >= 0 && kx < kTaps) acc[c][v] = P::add(acc[c][v], taps, w[kx][v]);
        }
      }
    }
    if constexpr (Extra) {
      const Eight& e = *row.eight;
      for (int32_t i = 0; i < e.extra_columns; ++i) {
        const int8_t* rests = e.rests + row.order * kOrderWeights + e.extra[i] * 32;
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          const int8x16_t rest = vld1q_s8(rests + v * 16);
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) {
            const ptrdiff_t place = (c * Stride + e.extra[i]) * kColumn + v * 16;
            acc[c][v] = P::add(acc[c][v], rows<Across>(at + place, next + place), rest);
          }
        }
      }
    }
    int16x8_t words[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      words[c] = to_words<Narrow>(row.to, acc[c][0], scale[0], acc[c][1], scale[1]);
    }
    int8_t* out = row.out + x * row.stride;
    if constexpr (C == 1) {
      store(to_bytes<Narrow>(row.to, words[0]), row.channels, out);
    } else {
#pragma GCC unroll 4
      for (int c = 0; c < C; c += 2) {
        const int8x16_t two = to_bytes<Narrow>(row.to, words[c], words[c + 1]);
        store(vget_low_s8(two), row.channels, out + c * row.stride);
        store(vget_high_s8(two), row.channels, out + (c + 1) * row.stride);
      }
    }
  }

  template <int Stride, bool Across, bool Extra, bool Narrow>
  [[gnu::noinline]] static void depthwise_row(const Row& given, int32_t columns) {
    constexpr int32_t kColumns = 4;
    const Row row = given;
    const Eight& e = *row.eight;
    const int8_t* weights = e.weights + row.order * kOrderWeights;
    int8x16_t w[kTaps][2];
#pragma GCC unroll 3
    for (int kx = 0; kx < kTaps; ++kx) {
      w[kx][0] = vld1q_s8(weights + kx * 32);
      w[kx][1] = vld1q_s8(weights + kx * 32 + 16);
    }
    const int32x4_t bias[2] = {vld1q_s32(e.bias), vld1q_s32(e.bias + kLanes)};
    const float32x4_t scale[2] = {vld1q_f32(e.scale), vld1q_f32(e.scale + kLanes)};
    if (columns < kColumns) {
      for (ptrdiff_t x = 0; x < columns; ++x) {
        depthwise_tile<1, Stride, Across, Extra, Narrow>(row, w, bias, scale, x);
      }
      return;
    }
    // The last tile is moved back to be whole.
    for (ptrdiff_t x = 0; x < columns; x += kColumns) {
      depthwise_tile<kColumns, Stride, Across, Extra, Narrow>(
          row, w, bias, scale, x + kColumns <= columns ? x : columns - kColumns);
    }
  }
  template <int Stride, bool Across, bool Extra>
  static void depthwise_row(const Row& row, int32_t columns) {
    row.narrow ? depthwise_row<Stride, Across, Extra, true>(row, columns)
               : depthwise_row<Stride, Across, Extra, false>(row, columns);
  }
  template <int Stride, bool Across>
  static void depthwise_row(const Row& row, int32_t columns) {
    row.eight->extra_columns != 0 ? depthwise_row<Stride, Across, true>(row, columns)
                                  : depthwise_row<Stride, Across, false>(row, columns);
  }
  template <int Stride>
  static void depthwise_row(const Row& row, int32_t columns) {
    row.order < 2 ? depthwise_row<Stride, false>(row, columns)
                  : depthwise_row<Stride, true>(row, columns);
  }

  // ---- Depthwise convolution and projection. scratch: the pixels of up to four rows, then what
  // the matrix product needs.

  static size_t pixels_bytes(const Ops& ops) {
    const WindowShape& d = ops.depthwise.shape;
    return static_cast<size_t>((int64_t{kGroupRows / d.stride_h} * d.out_w * d.out_c + 63) / 64 *
                               64);
  }

  static void project(const Ops& ops, const std::byte* packed, int32_t group, const std::byte* at,
                      const std::byte* next, int8_t* output, std::byte* scratch) {
    const DepthwiseConv2DInt8& d = ops.depthwise;
    const WindowShape& s = d.shape;
    const int32_t most = kGroupRows / s.stride_h;
    const int32_t left = s.out_h - group * most;
    const int32_t rows = left < most ? left : most;
    auto* pixels = reinterpret_cast<int8_t*>(scratch);
    Row row;
    row.narrow = reinterpret_cast<const Header*>(packed)->narrow_depthwise != 0;
    packed += expand_packed_bytes(ops);
    row.to = make_requantize(d);
    row.stride = s.out_c;
    for (int32_t e = 0; e < eights_of(ops); ++e) {
      row.at = reinterpret_cast<const int8_t*>(at) + e * eight_bytes(ops);
      row.next = reinterpret_cast<const int8_t*>(next) + e * eight_bytes(ops);
      row.eight = reinterpret_cast<const Eight*>(packed) + e;
      row.channels = s.out_c - e * kEight < kEight ? s.out_c - e * kEight : kEight;
      for (int32_t r = 0; r < rows; ++r) {
        row.order = r * s.stride_h;
        row.out = pixels + ptrdiff_t{r} * s.out_w * s.out_c + e * kEight;
        s.stride_h == 1 ? depthwise_row<1>(row, s.out_w) : depthwise_row<2>(row, s.out_w);
      }
    }
    packed += depthwise_packed_bytes(ops);
    P::project().run(ops.project, packed, pixels, output, 0, rows, scratch + pixels_bytes(ops));
  }

  // ---- The whole.

  // What is left of a weight must be a byte that may be multiplied, too.
  static bool fits(int32_t filter_zero_point) {
    return 127 - filter_zero_point <= 254 && -128 - filter_zero_point >= 2 * P::kLowest;
  }
  static bool supports(const Ops& ops) {
    const DepthwiseConv2DInt8& d = ops.depthwise;
    const WindowShape& w = d.shape;
    const WindowShape& p = ops.project.shape;
    return d.depth_multiplier == 1 && w.filter_h == kTaps && w.filter_w == kTaps &&
           w.dilation_h == 1 && w.dilation_w == 1 && (w.stride_h == 1 || w.stride_h == 2) &&
           w.stride_w == w.stride_h && fits(ops.expand.filter_zero_point) &&
           fits(d.filter_zero_point) && scales_below_one(d.multipliers, w.out_c) &&
           expand_supports(ops) && p.batch == 1 && is_pointwise(p) &&
           P::project().supports(ops.project);
  }
  static size_t packed_bytes(const Ops& ops) {
    return expand_packed_bytes(ops) + depthwise_packed_bytes(ops) +
           P::project().packed_bytes(ops.project);
  }
  static void pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
    memset(packed, 0, packed_bytes(ops));
    auto* header = reinterpret_cast<Header*>(packed);
    header->narrow_expand = may_be_narrow(ops.expand);
    header->narrow_depthwise = may_be_narrow(ops.depthwise);
    for_panels(ops, packed, [&](int32_t first, int32_t vectors, std::byte* at) {
      pack_panel(ops, weights, first, vectors, panel_at(at, vectors, most_lines(ops.expand)),
                 &header->narrow_expand);
    });
    packed += expand_packed_bytes(ops);
    auto* eights = reinterpret_cast<Eight*>(packed);
    for (int32_t c = 0; c < ops.depthwise.shape.out_c; ++c) {
      const int32_t bias = weights.depthwise_bias != nullptr ? weights.depthwise_bias[c] : 0;
      pack_channel(ops.depthwise, weights.depthwise, bias, c, eights[c / kEight],
                   &header->narrow_depthwise);
    }
    packed += depthwise_packed_bytes(ops);
    P::project().pack(ops.project, weights.project, weights.project_bias, packed);
  }
  static size_t scratch_bytes(const Ops& ops) {
    const auto lines = static_cast<size_t>(input_lines(ops.expand.shape) * line_bytes(ops));
    const size_t pixels = pixels_bytes(ops) + P::project().scratch_bytes(ops.project);
    return ((lines > pixels ? lines : pixels) + 63) / 64 * 64;
  }

  static constexpr InvertedResidualInt8Kernel entry(const char* name) {
    return {name,        P::kIsa,       supports, packed_bytes, pack,
            group_bytes, scratch_bytes, expand,   project};
  }
};

}  // namespace deeplab::kernels
