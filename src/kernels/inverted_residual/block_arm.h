// The block on ARM's 128-bit registers, over the Products of the file that includes this:
//   Taps: what a vector of weights, four taps of four channels, is multiplied by;
//   taps_at(): four bytes of one pixel, for all channels;
//   rows_at(): four rows of four channels of a group; rows_across(): the last two of one group and
//     the first two of the next one in the places of the first two;
//   add(): to four sums; place(): where a channel's tap is in 16 bytes; kLowest: the lowest weight;
//   project(): the family's matrix product.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/conv2d/kernel_list.h"
#include "kernels/copy_few.h"
#include "kernels/inverted_residual/block.h"
#include "kernels/requantize_neon.h"

namespace deeplab::kernels::inverted_residual {

template <typename P>
struct BlockArm {
  using Value = int8_t;
  using Weight = int8_t;
  using All = Block<BlockArm>;
  using Job = ExpandJob<BlockArm>;
  using Eight = DepthwiseWeights<BlockArm>;

  static constexpr Isa kIsa = P::kIsa;
  static constexpr int32_t kShift = 0;
  static constexpr int32_t kDepth = 4;
  static constexpr int32_t kLowest = P::kLowest;
  static constexpr int32_t kLanes = 4;
  static constexpr int32_t kBlock = 8;
  static constexpr int32_t kMaxBlocks = 2;
  static constexpr ptrdiff_t kColumn = 32;  // Eight channels of a column of a group.

  static constexpr int32_t place(int32_t channel, int32_t tap) {
    return channel / kLanes * 16 + P::place(channel % kLanes, tap);
  }

  // Fast: narrow, see requantize_neon.h.
  static constexpr int32_t kFastBias = 0;
  static bool may_be_fast(const Conv2DInt8& conv) { return may_be_narrow(conv); }
  static bool is_fast(int32_t bias, int32_t negative, int32_t positive, float scale) {
    return is_narrow(bias, positive - negative, scale);
  }

  struct Head {
    // Filter columns with weights that do not fit less the filter's zero point.
    int32_t extra_columns;
    int32_t extra[kTaps];
  };

  // ---- Expansion.

  using Requantize = RequantizeNeon;
  static Requantize make_requantize(const Conv2DInt8& e) { return kernels::make_requantize(e); }

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
    const Panel<Weight>& p = job.panel;
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
        vst1q_s8(out + v / 2 * job.block + v % 2 * 16, vqtbl1q_s8(rows, order));
      }
    }
  }

  template <bool Narrow>
  static void expand_panel(const Job& job, int32_t blocks, const int8_t* lines, int32_t columns,
                           std::byte* to) {
    blocks == 1 ? expand_panel<2, Narrow>(job, lines, columns, to)
                : expand_panel<4, Narrow>(job, lines, columns, to);
  }
  static void expand_panel(const Job& job, bool fast, int32_t blocks, const std::byte* from,
                           int32_t columns, std::byte* to) {
    const auto* lines = reinterpret_cast<const int8_t*>(from);
    fast ? expand_panel<true>(job, blocks, lines, columns, to)
         : expand_panel<false>(job, blocks, lines, columns, to);
  }

  static auto fill_outside(int32_t zero_point, int32_t rows) {
    const int8x16_t outside = vdupq_n_s8(static_cast<int8_t>(zero_point));
    uint8_t masks[16];
    for (int32_t row = 0; row < 4; ++row) {
      for (int32_t c = 0; c < 4; ++c) masks[P::place(c, row)] = (rows >> row & 1) != 0 ? 255 : 0;
    }
    const uint8x16_t mask = vld1q_u8(masks);
    return [=](std::byte* column, bool beside) {
      auto* at = reinterpret_cast<int8_t*>(column);
      for (int32_t v = 0; v < 2; ++v, at += 16) {
        vst1q_s8(at, beside ? outside : vbslq_s8(mask, outside, vld1q_s8(at)));
      }
    };
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

  // ---- Depthwise convolution, of eight channels at a time.

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
    if (channels == kBlock) {
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
        const int8_t* rests = e.rests + row.order * Eight::kOrder + e.extra[i] * 32;
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
    const int8_t* weights = e.weights + row.order * Eight::kOrder;
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
    const WindowShape& s = ops.depthwise.shape;
    const int32_t rows = rows_of(ops, group);
    auto* pixels = reinterpret_cast<int8_t*>(scratch);
    Row row;
    row.narrow = reinterpret_cast<const Header*>(packed)->fast_depthwise != 0;
    row.to = kernels::make_requantize(ops.depthwise);
    row.stride = s.out_c;
    row.eight = All::depthwise_at(ops, packed);
    const ptrdiff_t eight_bytes = All::block_bytes(ops);
    for (int32_t e = 0; e < All::blocks_of(ops); ++e, ++row.eight) {
      row.at = reinterpret_cast<const int8_t*>(at) + e * eight_bytes;
      row.next = reinterpret_cast<const int8_t*>(next) + e * eight_bytes;
      row.channels = s.out_c - e * kBlock < kBlock ? s.out_c - e * kBlock : kBlock;
      for (int32_t r = 0; r < rows; ++r) {
        row.order = r * s.stride_h;
        row.out = pixels + ptrdiff_t{r} * s.out_w * s.out_c + e * kBlock;
        s.stride_h == 1 ? depthwise_row<1>(row, s.out_w) : depthwise_row<2>(row, s.out_w);
      }
    }
    P::project().run(ops.project, All::project_at(ops, packed), pixels, output, 0, rows,
                     scratch + pixels_bytes(ops));
  }
  static bool project_supports(const Ops& ops) { return P::project().supports(ops.project); }
  static size_t project_packed_bytes(const Ops& ops) {
    return P::project().packed_bytes(ops.project);
  }
  static void project_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* to) {
    P::project().pack(ops.project, weights.project, weights.project_bias, to);
  }
  static size_t project_scratch_bytes(const Ops& ops) {
    return pixels_bytes(ops) + P::project().scratch_bytes(ops.project);
  }
};

}  // namespace deeplab::kernels::inverted_residual
