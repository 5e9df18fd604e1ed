// What the kernels of inverted residual blocks share: which sizes they take, how weights are
// packed, how a group is filled. An instruction set brings its inner loops, as I:
//
//   Value, Weight: of products, a pixel x as x + kShift, a weight less its filter's zero point.
//   kDepth: taps of a product. kLowest: the lowest weight, if weights are bytes.
//   kLanes: channels in a vector of sums. place(): where in such vectors' weights a channel's tap
//     is. kBlock: channels of a group that lie together, in whole vectors: a group is
//     [channels / kBlock][columns][kGroupRows / kDepth][kBlock / kLanes] vectors of values, in the
//     places of their weights. kMaxBlocks: blocks in a panel of the expansion.
//   may_be_fast(), is_fast(): whether a layer, and all sums of a channel, whose negative and
//     positive weights come to these sums, allow a faster way to the output. kFastBias: what it
//     wants added to all biases.
//   Head: the first part of DepthwiseWeights.
//   Requantize, make_requantize(), fill_line(), expand_panel(): for the expansion.
//   fill_outside(): gives what fills a column (whole, or the rows outside) with padding.
//   project(): the second half of the kernel. Its last convolution's weights are for
//     project_supports(), project_packed_bytes() and project_pack() alone.
//
// Zero points: of an input, in the packed bias, since padding reads as the zero point; of a filter,
// in the weights. What of a weight then leaves its byte is in a line of weights of its own.
// Templates over a type of one instruction set, and internal: no copy is shared between files.
#pragma once

#include <string.h>

#include "kernels/conv2d/im2col.h"
#include "kernels/inverted_residual/inverted_residual.h"

namespace deeplab::kernels::inverted_residual {

using Ops = InvertedResidualInt8;

static constexpr int32_t kTaps = 3;  // Of the depthwise convolution, each way.

// Packed weights of a convolution for V vectors of sums, in lines, each of which meets kDepth
// values of every pixel. bias int32 [V][kLanes], scale float [V][kLanes], lines int32, offsets
// int32 [most lines], up to a whole vector, weights [most lines][V][kLanes][kDepth].
template <typename Weight>
struct Panel {
  int32_t* bias;
  float* scale;
  int32_t* lines;    // That there are,
  int32_t* offsets;  // and where the values of each are, in bytes, in the lines of input.
  Weight* weights;
};

// Four rows of columns by the channels of a panel.
template <typename I>
struct ExpandJob {
  Panel<typename I::Weight> panel;
  ptrdiff_t row;    // Bytes from a pixel to the one below,
  ptrdiff_t pixel;  // and to the next one, in the lines.
  ptrdiff_t block;  // Bytes from a block of channels to the next in a group.
  typename I::Requantize to;
};

// packed begins with this, up to kHeaderBytes: which layers go the faster way. If that wants other
// biases, each DepthwiseWeights says so itself.
struct Header {
  int32_t fast_expand;
  int32_t fast_depthwise;
};
static constexpr ptrdiff_t kHeaderBytes = 64;

// The depthwise convolution's weights of a block of channels. With stride 1 two of a group's four
// windows lie in it and two end in the next group: for these the next group's first two rows take
// the places of the first two. So the weights are there in four orders, for windows that begin in
// the first to the fourth row.
template <typename I>
struct DepthwiseWeights : I::Head {
  static constexpr bool kBytes = sizeof(typename I::Weight) == 1;
  static constexpr int32_t kOrders = 4;
  static constexpr ptrdiff_t kColumn = kGroupRows * I::kBlock;  // Weights of a filter column.
  static constexpr ptrdiff_t kOrder = kTaps * kColumn;

  int32_t bias[I::kBlock];
  float scale[I::kBlock];
  typename I::Weight weights[kOrders * kOrder];  // [order][kx], then as a column of a group.
  typename I::Weight rests[kBytes ? kOrders * kOrder : I::kLanes];  // What is left of them.
};

// Columns of the expanded tensor that the depthwise windows reach, padding included, and how many
// of them are inside the picture, from pad_left on.
static inline int32_t columns_of(const WindowShape& d) {
  return (d.out_w - 1) * d.stride_w + kTaps;
}
static inline int32_t columns_inside(const WindowShape& d) {
  const int32_t left = columns_of(d) - d.pad_left;
  return left < 0 ? 0 : left < d.in_w ? left : d.in_w;
}

// Output rows that a group gives, and how many of them exist.
static inline int32_t rows_of(const Ops& ops, int32_t group) {
  const WindowShape& d = ops.depthwise.shape;
  const int32_t most = kGroupRows / d.stride_h;
  const int32_t left = d.out_h - group * most;
  return left < most ? left : most;
}

namespace {

template <typename I>
struct Block {
  using Value = typename I::Value;
  using Weight = typename I::Weight;
  using Depthwise = DepthwiseWeights<I>;

  static constexpr bool kBytes = sizeof(Weight) == 1;
  static constexpr ptrdiff_t kVectorBytes = I::kLanes * 4;  // Of sums, of weights.
  static constexpr ptrdiff_t kColumnBytes = kGroupRows * I::kBlock * sizeof(Value);
  // Deeper products belong to the matrix product.
  static constexpr int32_t kMaxLines = 256 / I::kDepth;
  // What a group and the lines under it may take: real layers are far below.
  static constexpr int64_t kMaxBytes = int64_t{1} << 20;

  static int32_t blocks_of(const Ops& ops) {
    return (ops.depthwise.shape.out_c + I::kBlock - 1) / I::kBlock;
  }
  // Of a block of channels of a group.
  static ptrdiff_t block_bytes(const Ops& ops) {
    return columns_of(ops.depthwise.shape) * kColumnBytes;
  }
  static size_t whole_64(ptrdiff_t bytes) { return static_cast<size_t>((bytes + 63) / 64 * 64); }
  static size_t group_bytes(const Ops& ops) { return whole_64(blocks_of(ops) * block_bytes(ops)); }

  // ---- A convolution's weights. The taps of a filter row lie together in the picture: a line of
  // weights takes kDepth of them, the last one some that meet zeros.

  static int32_t row_taps(const WindowShape& s) { return s.filter_w * s.in_c; }
  static int32_t row_lines(const WindowShape& s) {
    return (row_taps(s) + I::kDepth - 1) / I::kDepth;
  }
  static int32_t plain_lines(const WindowShape& s) { return s.filter_h * row_lines(s); }
  // Unless all weights fit, any line may need another one for what does not.
  static int32_t most_lines(const Conv2DInt8& conv) {
    const bool all_fit = !kBytes || (I::kLowest == -128 && conv.filter_zero_point == 0);
    return plain_lines(conv.shape) * (all_fit ? 1 : 2);
  }
  static int32_t nearest(int32_t w) {
    return !kBytes ? w : w < I::kLowest ? I::kLowest : w > 127 ? 127 : w;
  }
  // What is left of a weight must fit, too.
  static bool rests_fit(int32_t filter_zero_point) {
    return !kBytes ||
           (127 - filter_zero_point <= 254 && -128 - filter_zero_point >= 2 * I::kLowest);
  }

  static ptrdiff_t panel_offsets_bytes(int32_t lines) {
    return round_up((1 + lines) * 4, kVectorBytes);
  }
  static ptrdiff_t panel_bytes(int32_t vectors, int32_t lines) {
    return panel_offsets_bytes(lines) + vectors * kVectorBytes * (2 + lines);
  }
  static Panel<Weight> panel_at(std::byte* at, int32_t vectors, int32_t lines) {
    Panel<Weight> p;
    p.bias = reinterpret_cast<int32_t*>(at);
    p.scale = reinterpret_cast<float*>(p.bias + ptrdiff_t{vectors} * I::kLanes);
    p.lines = reinterpret_cast<int32_t*>(p.scale + ptrdiff_t{vectors} * I::kLanes);
    p.offsets = p.lines + 1;
    p.weights = reinterpret_cast<Weight*>(reinterpret_cast<std::byte*>(p.lines) +
                                          panel_offsets_bytes(lines));
    return p;
  }

  // bias + sum (x - xz)(w - wz) without what sums of (x + kShift)(w - wz) do not have yet, modulo
  // 2^32.
  static int32_t packed_bias(const Conv2DInt8& conv, int32_t bias, int32_t taps) {
    return static_cast<int32_t>(static_cast<uint32_t>(bias) -
                                static_cast<uint32_t>(I::kShift + conv.input_zero_point) *
                                    static_cast<uint32_t>(taps));
  }

  // The channels of a panel from `first` on, to zeroed memory. Channel c of it is in lanes
  // [lane_of(c), lane_of(c) + Copies), offset_of(ky, k) says where tap k of filter row ky is in the
  // input. Whether is_fast() for all of them.
  template <int32_t Copies, typename LaneOf, typename OffsetOf>
  static bool pack_panel(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                         int32_t first, int32_t vectors, std::byte* at, const LaneOf& lane_of,
                         const OffsetOf& offset_of) {
    const WindowShape& s = conv.shape;
    const Panel<Weight> p = panel_at(at, vectors, most_lines(conv));
    const int32_t zero_point = conv.filter_zero_point;
    const int32_t taps = gemm_depth(s);
    const int32_t most = vectors * I::kLanes / Copies;
    const int32_t channels = s.out_c - first < most ? s.out_c - first : most;
    const ptrdiff_t line_weights = ptrdiff_t{vectors} * I::kLanes * I::kDepth;
    bool fast = true;
    filter += ptrdiff_t{first} * taps;
    for (int32_t c = 0; c < channels; ++c) {
      int32_t negative = 0;
      int32_t positive = 0;
      for (int32_t k = 0; k < taps; ++k) {
        const int32_t w = filter[ptrdiff_t{c} * taps + k] - zero_point;
        (w < 0 ? negative : positive) += w;
      }
      const int32_t sum =
          packed_bias(conv, bias != nullptr ? bias[first + c] : 0, negative + positive);
      const float scale = conv.multipliers[first + c].scale;
      fast = fast && I::is_fast(sum, negative, positive, scale);
      for (int32_t copy = 0; copy < Copies; ++copy) {
        p.bias[lane_of(c) + copy] = sum;
        p.scale[lane_of(c) + copy] = scale;
      }
    }
    *p.lines = plain_lines(s);
    for (int32_t line = 0; line < plain_lines(s); ++line) {
      const int32_t ky = line / row_lines(s);
      const int32_t k = line % row_lines(s) * I::kDepth;
      const int32_t left = row_taps(s) - k;
      const int32_t count = left < I::kDepth ? left : I::kDepth;
      const int8_t* row = filter + ptrdiff_t{ky} * row_taps(s) + k;
      Weight* plain = p.weights + line * line_weights;
      Weight* rests = p.weights + *p.lines * line_weights;  // Of the next extra line, if any.
      bool any = false;
      p.offsets[line] = static_cast<int32_t>(offset_of(ky, k));
      for (int32_t c = 0; c < channels; ++c, row += taps) {
        const int32_t lane = lane_of(c);
        for (int32_t i = 0; i < count; ++i) {
          const int32_t w = row[i] - zero_point;
          const int32_t near = nearest(w);
          for (int32_t copy = 0; copy < Copies; ++copy) {
            plain[I::place(lane + copy, i)] = static_cast<Weight>(near);
          }
          if (w == near) continue;
          any = true;
          for (int32_t copy = 0; copy < Copies; ++copy) {
            rests[I::place(lane + copy, i)] = static_cast<Weight>(w - near);
          }
        }
      }
      if (any) p.offsets[(*p.lines)++] = p.offsets[line];
    }
    return fast;
  }

  // ---- Expansion.

  // The lines of input under a group, padded.
  static int32_t input_lines(const WindowShape& s) {
    return (kGroupRows - 1) * s.stride_h + s.filter_h;
  }
  static ptrdiff_t line_values(const Ops& ops) {
    const WindowShape& s = ops.expand.shape;
    const int64_t last = int64_t{columns_inside(ops.depthwise.shape) - 1} * s.stride_w * s.in_c;
    return ((last < 0 ? 0 : last) + row_lines(s) * I::kDepth + 63) / 64 * 64;
  }
  static bool expand_supports(const Ops& ops) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const WindowShape& d = ops.depthwise.shape;
    const int64_t columns = int64_t{d.out_w} * d.stride_w + kTaps;
    const int64_t group = columns * kColumnBytes * blocks_of(ops);
    const int64_t line = columns * s.stride_w * s.in_c + int64_t{row_taps(s)} + 64;
    return s.batch == 1 && s.dilation_h == 1 && s.dilation_w == 1 && gemm_supports(s) &&
           plain_lines(s) <= kMaxLines && group <= kMaxBytes &&
           line * input_lines(s) <= kMaxBytes && rests_fit(e.filter_zero_point) &&
           scales_below_one(e.multipliers, s.out_c);
  }

  // body(first block, blocks, where in packed) for each panel. Where the last one ends.
  template <typename Body>
  static ptrdiff_t for_panels(const Ops& ops, const Body& body) {
    ptrdiff_t at = kHeaderBytes;
    for (int32_t b = 0, blocks; b < blocks_of(ops); b += blocks) {
      const int32_t left = blocks_of(ops) - b;
      blocks = left < I::kMaxBlocks ? left : I::kMaxBlocks;
      body(b, blocks, at);
      at += panel_bytes(vectors_of(blocks), most_lines(ops.expand));
    }
    return at;
  }
  static int32_t vectors_of(int32_t blocks) { return blocks * (I::kBlock / I::kLanes); }
  static size_t expand_packed_bytes(const Ops& ops) {
    return whole_64(for_panels(ops, [](int32_t /*b*/, int32_t /*blocks*/, ptrdiff_t /*at*/) {}));
  }

  static bool pack_expand(const Ops& ops, const InvertedResidualWeights& weights,
                          std::byte* packed) {
    const Conv2DInt8& e = ops.expand;
    const ptrdiff_t line_bytes = line_values(ops) * static_cast<ptrdiff_t>(sizeof(Value));
    bool fast = I::may_be_fast(e);
    for_panels(ops, [&](int32_t b, int32_t blocks, ptrdiff_t at) {
      const bool all = pack_panel<1>(
          e, weights.expand, weights.expand_bias, b * I::kBlock, vectors_of(blocks), packed + at,
          [](int32_t c) { return c; },
          [&](int32_t ky, int32_t k) {
            return ky * line_bytes + k * static_cast<ptrdiff_t>(sizeof(Value));
          });
      fast = fast && all;
    });
    if (!fast || I::kFastBias == 0) return fast;
    for_panels(ops, [&](int32_t /*b*/, int32_t blocks, ptrdiff_t at) {
      auto* bias = reinterpret_cast<int32_t*>(packed + at);
      for (int32_t c = 0; c < blocks * I::kBlock; ++c) bias[c] += I::kFastBias;
    });
    return fast;
  }

  // Group `group`, from the first convolution's input.
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
      ExpandJob<I> job;
      job.pixel = ptrdiff_t{s.stride_w} * s.in_c * static_cast<ptrdiff_t>(sizeof(Value));
      job.block = block_bytes(ops);
      job.to = I::make_requantize(e);
      const std::byte* from = scratch;
      // A line is read beyond its pixels if they are no whole products.
      if (I::kShift == 0 && outside == 0 && is_pointwise(s) && s.in_c % I::kDepth == 0) {
        job.row = ptrdiff_t{s.in_w} * s.in_c;
        from = reinterpret_cast<const std::byte*>(input + first * job.row);
      } else {
        const ptrdiff_t values = line_values(ops);
        auto* lines = reinterpret_cast<Value*>(scratch);
        for (int32_t i = 0; i < input_lines(s); ++i) {
          I::fill_line(e, input, first * s.stride_h - s.pad_top + i, values, lines + i * values);
        }
        job.row = s.stride_h * values * static_cast<ptrdiff_t>(sizeof(Value));
      }
      const bool fast = reinterpret_cast<const Header*>(packed)->fast_expand != 0;
      std::byte* out = to + d.pad_left * kColumnBytes;
      for_panels(ops, [&](int32_t b, int32_t blocks, ptrdiff_t at) {
        job.panel =
            panel_at(const_cast<std::byte*>(packed) + at, vectors_of(blocks), most_lines(e));
        I::expand_panel(job, fast, blocks, from, columns_inside(d), out + b * job.block);
      });
    }
    fill_outside(ops, outside, to);
  }

  // The places in which `rows` of the group (4 bits) are outside the picture, and the columns
  // beside.
  static void fill_outside(const Ops& ops, int32_t rows, std::byte* group) {
    const WindowShape& d = ops.depthwise.shape;
    const int32_t columns = columns_of(d);
    const int32_t end = d.pad_left + columns_inside(d);
    const auto fill = I::fill_outside(ops.depthwise.input_zero_point, rows);
    for (int32_t b = 0; b < blocks_of(ops); ++b, group += block_bytes(ops)) {
      for (int32_t x = 0; x < columns; ++x) {
        const bool beside = x < d.pad_left || x >= end;
        if (!beside && rows == 0) {
          x = end - 1;
          continue;
        }
        fill(group + x * kColumnBytes, beside);
      }
    }
  }

  // ---- Depthwise convolution.

  static size_t depthwise_packed_bytes(const Ops& ops) {
    return whole_64(ptrdiff_t{blocks_of(ops)} * static_cast<ptrdiff_t>(sizeof(Depthwise)));
  }

  static bool pack_depthwise_channel(const DepthwiseConv2DInt8& d, const int8_t* filter,
                                     int32_t bias, int32_t c, Depthwise& to) {
    const int32_t lane = c % I::kBlock;
    int32_t negative = 0;
    int32_t positive = 0;
    for (int32_t kx = 0; kx < kTaps; ++kx) {
      bool any = false;
      for (int32_t ky = 0; ky < kTaps; ++ky) {
        const int32_t w =
            filter[(ptrdiff_t{ky} * kTaps + kx) * d.shape.out_c + c] - d.filter_zero_point;
        (w < 0 ? negative : positive) += w;
        any = any || w != nearest(w);
        for (int32_t order = 0; order < Depthwise::kOrders; ++order) {
          const int32_t row = (order + ky) % kGroupRows;
          const ptrdiff_t at = order * Depthwise::kOrder + kx * Depthwise::kColumn +
                               row / I::kDepth * (I::kBlock * I::kDepth) +
                               I::place(lane, row % I::kDepth);
          to.weights[at] = static_cast<Weight>(nearest(w));
          if constexpr (kBytes) to.rests[at] = static_cast<Weight>(w - nearest(w));
        }
      }
      bool known = false;
      for (int32_t i = 0; i < to.extra_columns; ++i) known = known || to.extra[i] == kx;
      if (any && !known) to.extra[to.extra_columns++] = kx;
    }
    to.bias[lane] = packed_bias(d, bias, negative + positive);
    to.scale[lane] = d.multipliers[c].scale;
    return I::is_fast(to.bias[lane], negative, positive, to.scale[lane]);
  }

  static bool pack_depthwise(const DepthwiseConv2DInt8& d, const InvertedResidualWeights& weights,
                             Depthwise* to) {
    bool fast = I::may_be_fast(d);
    for (int32_t c = 0; c < d.shape.out_c; ++c) {
      const int32_t bias = weights.depthwise_bias != nullptr ? weights.depthwise_bias[c] : 0;
      const bool all = pack_depthwise_channel(d, weights.depthwise, bias, c, to[c / I::kBlock]);
      fast = fast && all;
    }
    return fast;
  }

  // ---- The whole. packed: the expansion's panels after a Header, DepthwiseWeights, projection.

  static const Depthwise* depthwise_at(const Ops& ops, const std::byte* packed) {
    return reinterpret_cast<const Depthwise*>(packed + expand_packed_bytes(ops));
  }
  static const std::byte* project_at(const Ops& ops, const std::byte* packed) {
    return packed + expand_packed_bytes(ops) + depthwise_packed_bytes(ops);
  }

  static bool supports(const Ops& ops) {
    const DepthwiseConv2DInt8& d = ops.depthwise;
    const WindowShape& w = d.shape;
    const WindowShape& p = ops.project.shape;
    return d.depth_multiplier == 1 && w.filter_h == kTaps && w.filter_w == kTaps &&
           w.dilation_h == 1 && w.dilation_w == 1 && (w.stride_h == 1 || w.stride_h == 2) &&
           w.stride_w == w.stride_h && rests_fit(d.filter_zero_point) &&
           scales_below_one(d.multipliers, w.out_c) && expand_supports(ops) && p.batch == 1 &&
           is_pointwise(p) && I::project_supports(ops);
  }
  static size_t packed_bytes(const Ops& ops) {
    return expand_packed_bytes(ops) + depthwise_packed_bytes(ops) + I::project_packed_bytes(ops);
  }
  static void pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
    memset(packed, 0, packed_bytes(ops));
    auto* header = reinterpret_cast<Header*>(packed);
    header->fast_expand = pack_expand(ops, weights, packed);
    packed += expand_packed_bytes(ops);
    auto* depthwise = reinterpret_cast<Depthwise*>(packed);
    const bool fast = pack_depthwise(ops.depthwise, weights, depthwise);
    if constexpr (I::kFastBias == 0) {
      header->fast_depthwise = fast;
    } else {
      for (int32_t b = 0; fast && b < blocks_of(ops); ++b) {
        depthwise[b].fast = 1;
        for (int32_t& bias : depthwise[b].bias) bias += I::kFastBias;
      }
    }
    packed += depthwise_packed_bytes(ops);
    I::project_pack(ops, weights, packed);
  }
  static size_t scratch_bytes(const Ops& ops) {
    const size_t expand = whole_64(input_lines(ops.expand.shape) * line_values(ops) *
                                   static_cast<ptrdiff_t>(sizeof(Value)));
    const size_t project = whole_64(static_cast<ptrdiff_t>(I::project_scratch_bytes(ops)));
    return expand > project ? expand : project;
  }

  static constexpr InvertedResidualInt8Kernel entry(const char* name) {
    return {name,        I::kIsa,       supports, packed_bytes, pack,
            group_bytes, scratch_bytes, expand,   I::project};
  }
};

}  // namespace
}  // namespace deeplab::kernels::inverted_residual
