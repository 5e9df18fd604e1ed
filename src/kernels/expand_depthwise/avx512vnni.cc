// On AVX-512 VNNI. A dot product of the depthwise convolution takes four rows of a channel, which
// is how a group holds them: [channels / 16][columns][16][4 rows], as u = x + 128. The packs at the
// end of the expansion give this layout for nothing, since they put together four vectors of any
// kind: here four rows of 16 channels. So the expanded tensor is never interleaved, nor shifted.
//
// With stride 1 two of a group's four windows lie in it and two end in the next group: for these
// the next group's first two rows take the places of the first two. The weights are there in all
// four orders.
#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/im2col.h"
#include "kernels/expand_depthwise/kernel_list.h"
#include "kernels/requantize_shifted_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kTaps = 3;
constexpr int32_t kMaxVectors = 3;  // Vectors of 16 channels in a panel of the expansion.
constexpr int32_t kCell = 64;       // Bytes of a column of 16 channels.

int32_t blocks_of(const Conv2DInt8& expand) { return (expand.shape.out_c + kLanes - 1) / kLanes; }

// Whether the packed biases of each op have kFloatBits in them.
struct Header {
  int32_t expand_relu;
  int32_t depthwise_relu;
  int32_t unused[14];
};
static_assert(sizeof(Header) == 64);

// ---- The expansion: lines of weights, as in gemm_int8_avx512vnni.cc. The taps of a filter row lie
// together in the picture: a line takes four bytes of them, the last one some that meet zeros.

int32_t row_taps(const WindowShape& s) { return s.filter_w * s.in_c; }
int32_t row_lines(const WindowShape& s) { return (row_taps(s) + 3) / 4; }
int32_t plain_lines(const WindowShape& s) { return s.filter_h * row_lines(s); }
// Any line may need another one for what does not fit a byte less the filter's zero point.
int32_t most_lines(const Conv2DInt8& expand) {
  return plain_lines(expand.shape) * (expand.filter_zero_point != 0 ? 2 : 1);
}

// Panels of at most three vectors. A panel of n channels: bias int32 [n], scale float [n], lines
// int32, offsets int32 [most lines], up to a multiple of 64, weights int8 [most lines][n][4].
struct ExpandPanel {
  int32_t* bias;
  float* scale;
  int32_t* lines;
  int32_t* offsets;
  int8_t* weights;
};
ptrdiff_t offsets_bytes(const Conv2DInt8& expand) {
  return round_up((1 + most_lines(expand)) * 4, 64);
}
ptrdiff_t expand_panel_bytes(const Conv2DInt8& expand, int32_t vectors) {
  return offsets_bytes(expand) + ptrdiff_t{vectors} * kLanes * (8 + 4 * most_lines(expand));
}
ExpandPanel expand_panel_at(const Conv2DInt8& expand, std::byte* at, int32_t vectors) {
  ExpandPanel p;
  const ptrdiff_t n = ptrdiff_t{vectors} * kLanes;
  p.bias = reinterpret_cast<int32_t*>(at);
  p.scale = reinterpret_cast<float*>(p.bias + n);
  p.lines = reinterpret_cast<int32_t*>(p.scale + n);
  p.offsets = p.lines + 1;
  p.weights = reinterpret_cast<int8_t*>(p.lines) + offsets_bytes(expand);
  return p;
}
int32_t panel_vectors(int32_t blocks_left) {
  return blocks_left < kMaxVectors ? blocks_left : kMaxVectors;
}
ptrdiff_t expand_bytes(const Conv2DInt8& expand) {
  ptrdiff_t bytes = 0;
  for (int32_t left = blocks_of(expand), v; left > 0; left -= v) {
    v = panel_vectors(left);
    bytes += expand_panel_bytes(expand, v);
  }
  return bytes;
}

// Columns of the expanded tensor that the depthwise windows reach, padding included, and how many
// of them are inside the picture, from pad_left on.
int32_t columns_of(const WindowShape& d) { return (d.out_w - 1) * d.stride_w + kTaps; }
int32_t columns_inside(const WindowShape& d) {
  const int32_t left = columns_of(d) - d.pad_left;
  return left < 0 ? 0 : left < d.in_w ? left : d.in_w;
}

// The lines of input under a group, shifted and padded.
int32_t input_lines(const WindowShape& s) { return (kGroupRows - 1) * s.stride_h + s.filter_h; }
ptrdiff_t line_bytes(const ExpandDepthwiseInt8& ops) {
  const WindowShape& s = ops.expand.shape;
  const int64_t last = int64_t{columns_inside(ops.depthwise.shape) - 1} * s.stride_w * s.in_c;
  return ((last < 0 ? 0 : last) + row_lines(s) * 4 + 63) / 64 * 64;
}

// The packed bias of a channel whose weights less their zero point come to `negative` and
// `positive`. `relu` is cleared where its sums do not fit.
int32_t packed_bias(const Conv2DInt8& conv, int32_t bias, int32_t negative, int32_t positive,
                    int32_t* relu) {
  const auto result = static_cast<int32_t>(static_cast<uint32_t>(bias) -
                                           static_cast<uint32_t>(128 + conv.input_zero_point) *
                                               static_cast<uint32_t>(negative + positive));
  if (!fits_float_bits(result + int64_t{255} * negative, result + int64_t{255} * positive)) {
    *relu = 0;
  }
  return result;
}

void pack_expand(const ExpandDepthwiseInt8& ops, const int8_t* filter, const int32_t* bias,
                 std::byte* packed, int32_t* relu) {
  const Conv2DInt8& e = ops.expand;
  const WindowShape& s = e.shape;
  const int32_t taps = gemm_depth(s);
  for (int32_t first = 0, v; first < s.out_c; first += v * kLanes) {
    v = panel_vectors((s.out_c - first + kLanes - 1) / kLanes);
    const int32_t n = v * kLanes;
    const ExpandPanel p = expand_panel_at(e, packed, v);
    memset(packed, 0, static_cast<size_t>(expand_panel_bytes(e, v)));
    for (int32_t c = 0; c < n && first + c < s.out_c; ++c) {
      const int8_t* row = filter + ptrdiff_t{first + c} * taps;
      int32_t negative = 0;
      int32_t positive = 0;
      for (int32_t k = 0; k < taps; ++k) {
        const int32_t w = row[k] - e.filter_zero_point;
        (w < 0 ? negative : positive) += w;
      }
      p.bias[c] = packed_bias(e, bias != nullptr ? bias[first + c] : 0, negative, positive, relu);
      p.scale[c] = e.multipliers[first + c].scale;
    }
    *p.lines = plain_lines(s);
    for (int32_t line = 0; line < plain_lines(s); ++line) {
      const int32_t ky = line / row_lines(s);
      const int32_t k = line % row_lines(s) * 4;
      int8_t* weights = p.weights + ptrdiff_t{line} * n * 4;
      int8_t* rests = p.weights + ptrdiff_t{*p.lines} * n * 4;  // Of the next extra line, if any.
      bool any = false;
      p.offsets[line] = static_cast<int32_t>(ky * line_bytes(ops) + k);
      for (int32_t c = 0; c < n && first + c < s.out_c; ++c) {
        const int8_t* row = filter + ptrdiff_t{first + c} * taps + ky * row_taps(s);
        for (int32_t i = 0; i < 4 && k + i < row_taps(s); ++i) {
          const int32_t w = row[k + i] - e.filter_zero_point;
          const int32_t byte = nearest_byte(w);
          weights[c * 4 + i] = static_cast<int8_t>(byte);
          if (w == byte) continue;
          rests[c * 4 + i] = static_cast<int8_t>(w - byte);
          any = true;
        }
      }
      if (any) p.offsets[(*p.lines)++] = p.offsets[line];
    }
    packed += expand_panel_bytes(e, v);
  }
}

// ---- The depthwise convolution: blocks of 16 channels.

// Filter columns with weights that do not fit a byte less the filter's zero point.
struct Extra {
  int32_t columns;
  int32_t column[kTaps];
};

// Orders of a window's weights w0, w1, w2 in a dot product: for windows that begin in the first to
// the fourth row of a group.
constexpr int32_t kOrders = 4;
constexpr ptrdiff_t kOrderBytes = kTaps * kCell;

// Extra, up to 64 bytes; bias int32 [16], scale float [16], weights int8 [order][kx][16][4], and
// as many for what is left of them.
struct DepthwiseBlock {
  Extra extra;
  int32_t unused[kLanes - 1 - kTaps];
  int32_t bias[kLanes];
  float scale[kLanes];
  int8_t weights[kOrders * kOrderBytes];
  int8_t rests[kOrders * kOrderBytes];
};
static_assert(sizeof(DepthwiseBlock) % 64 == 0);

void pack_depthwise(const DepthwiseConv2DInt8& d, const int8_t* filter, const int32_t* bias,
                    DepthwiseBlock* blocks, int32_t* relu) {
  const int32_t channels = d.shape.out_c;
  memset(blocks, 0, sizeof(DepthwiseBlock) * static_cast<size_t>((channels + kLanes - 1) / kLanes));
  for (int32_t c = 0; c < channels; ++c) {
    DepthwiseBlock& b = blocks[c / kLanes];
    const int32_t lane = c % kLanes;
    int32_t negative = 0;
    int32_t positive = 0;
    for (int32_t kx = 0; kx < kTaps; ++kx) {
      bool any = false;
      for (int32_t ky = 0; ky < kTaps; ++ky) {
        const int32_t w = filter[(ptrdiff_t{ky} * kTaps + kx) * channels + c] - d.filter_zero_point;
        const int32_t byte = nearest_byte(w);
        (w < 0 ? negative : positive) += w;
        any = any || w != byte;
        for (int32_t order = 0; order < kOrders; ++order) {
          const ptrdiff_t at = order * kOrderBytes + kx * kCell + lane * 4 + (order + ky) % 4;
          b.weights[at] = static_cast<int8_t>(byte);
          b.rests[at] = static_cast<int8_t>(w - byte);
        }
      }
      bool known = false;
      for (int32_t i = 0; i < b.extra.columns; ++i) known = known || b.extra.column[i] == kx;
      if (any && !known) b.extra.column[b.extra.columns++] = kx;
    }
    b.bias[lane] = packed_bias(d, bias != nullptr ? bias[c] : 0, negative, positive, relu);
    b.scale[lane] = d.multipliers[c].scale;
  }
}

// packed: Header, the expansion's panels, the depthwise blocks.
size_t packed_bytes(const ExpandDepthwiseInt8& ops) {
  return sizeof(Header) + static_cast<size_t>(expand_bytes(ops.expand)) +
         sizeof(DepthwiseBlock) * static_cast<size_t>(blocks_of(ops.expand));
}
std::byte* panels_at(std::byte* packed) { return packed + sizeof(Header); }
DepthwiseBlock* blocks_at(const ExpandDepthwiseInt8& ops, std::byte* packed) {
  return reinterpret_cast<DepthwiseBlock*>(panels_at(packed) + expand_bytes(ops.expand));
}

void add_float_bits(int32_t* bias, int32_t count) {
  for (int32_t i = 0; i < count; ++i) bias[i] += kFloatBits;
}

void pack(const ExpandDepthwiseInt8& ops, const int8_t* expand_filter, const int32_t* expand_bias,
          const int8_t* depthwise_filter, const int32_t* depthwise_bias, std::byte* packed) {
  auto* header = reinterpret_cast<Header*>(packed);
  header->expand_relu = is_relu(ops.expand);
  header->depthwise_relu = is_relu(ops.depthwise);
  pack_expand(ops, expand_filter, expand_bias, panels_at(packed), &header->expand_relu);
  DepthwiseBlock* blocks = blocks_at(ops, packed);
  pack_depthwise(ops.depthwise, depthwise_filter, depthwise_bias, blocks, &header->depthwise_relu);
  std::byte* panel = panels_at(packed);
  for (int32_t left = blocks_of(ops.expand), v; header->expand_relu != 0 && left > 0; left -= v) {
    v = panel_vectors(left);
    add_float_bits(expand_panel_at(ops.expand, panel, v).bias, v * kLanes);
    panel += expand_panel_bytes(ops.expand, v);
  }
  for (int32_t b = 0; header->depthwise_relu != 0 && b < blocks_of(ops.expand); ++b) {
    add_float_bits(blocks[b].bias, kLanes);
  }
}

size_t group_bytes(const ExpandDepthwiseInt8& ops) {
  return static_cast<size_t>(blocks_of(ops.expand)) *
         static_cast<size_t>(columns_of(ops.depthwise.shape)) * kCell;
}
size_t scratch_bytes(const ExpandDepthwiseInt8& ops) {
  return static_cast<size_t>(input_lines(ops.expand.shape) * line_bytes(ops));
}

// What a group and the lines under it may take, as for strips: real layers are far below.
constexpr int64_t kMaxBytes = int64_t{1} << 20;
// Deeper products belong to the matrix product, whose tiles have 64 channels.
constexpr int32_t kMaxLines = 64;

bool supports(const ExpandDepthwiseInt8& ops) {
  const Conv2DInt8& e = ops.expand;
  const DepthwiseConv2DInt8& d = ops.depthwise;
  const WindowShape& s = e.shape;
  const WindowShape& w = d.shape;
  const int64_t columns = int64_t{w.out_w} * w.stride_w + kTaps;
  const int64_t group = columns * kCell * blocks_of(e);
  const int64_t line = columns * s.stride_w * s.in_c + int64_t{row_taps(s)} + 64;
  return s.batch == 1 && s.dilation_h == 1 && s.dilation_w == 1 && d.depth_multiplier == 1 &&
         w.filter_h == kTaps && w.filter_w == kTaps && w.dilation_h == 1 && w.dilation_w == 1 &&
         (w.stride_h == 1 || w.stride_h == 2) && w.stride_w == w.stride_h && gemm_supports(s) &&
         plain_lines(s) <= kMaxLines && group <= kMaxBytes && line * input_lines(s) <= kMaxBytes &&
         e.filter_zero_point != -128 && d.filter_zero_point != -128 &&
         scales_below_one(e.multipliers, s.out_c) && scales_below_one(d.multipliers, w.out_c);
}

// ---- Running the expansion.

struct ExpandJob {
  ExpandPanel panel;
  ptrdiff_t row;    // Bytes from a pixel to the one below,
  ptrdiff_t pixel;  // and to the next one, in the lines.
  ptrdiff_t block;  // Bytes from 16 channels to the next in a group.
  RequantizeShifted to;
  __m512i order;
};

// Four rows of C columns by V vectors of 16 channels.
template <int C, int V, bool Relu>
void expand_tile(const ExpandJob& job, const uint8_t* lines, uint8_t* out) {
  const ExpandPanel& p = job.panel;
  Sums512 acc[C][kGroupRows][V];
#pragma GCC unroll 6
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int r = 0; r < kGroupRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) acc[c][r][v] = load_sums(p.bias + v * kLanes);
    }
  }
  const int8_t* weights = p.weights;
  const int32_t* offset = p.offsets;
  const int32_t* const end = offset + *p.lines;
  for (; offset != end; ++offset, weights += V * 64) {
    const uint8_t* at = lines + *offset;
    __m512i w[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(weights + v * 64);
#pragma GCC unroll 6
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
        int32_t four;
        memcpy(&four, at + r * job.row + c * job.pixel, 4);
        const __m512i u = _mm512_set1_epi32(four);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) acc[c][r][v] = add_products(acc[c][r][v], u, w[v]);
      }
    }
  }
#pragma GCC unroll 3
  for (int v = 0; v < V; ++v) {
    const __m512 scale = _mm512_loadu_ps(p.scale + v * kLanes);
    const __m512 minus_offset = minus_offset_of(scale);
#pragma GCC unroll 6
    for (int c = 0; c < C; ++c) {
      __m512i steps[kGroupRows];
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
        steps[r] = steps_of<Relu>(acc[c][r][v], scale, minus_offset);
      }
      const __m512i bytes = to_shifted_bytes<Relu>(job.to, steps);
      _mm512_storeu_si512(out + v * job.block + c * kCell, _mm512_shuffle_epi8(bytes, job.order));
    }
  }
}

template <int C, int V, bool Relu>
void expand_panel(const ExpandJob& job, const uint8_t* lines, int32_t columns, uint8_t* out) {
  if (columns < C) {
    for (ptrdiff_t x = 0; x < columns; ++x) {
      expand_tile<1, V, Relu>(job, lines + x * job.pixel, out + x * kCell);
    }
    return;
  }
  // The last tile is moved back to be whole.
  for (ptrdiff_t x = 0; x < columns; x += C) {
    const ptrdiff_t at = x + C <= columns ? x : columns - C;
    expand_tile<C, V, Relu>(job, lines + at * job.pixel, out + at * kCell);
  }
}

template <bool Relu>
void expand_panel(const ExpandJob& job, int32_t vectors, const uint8_t* lines, int32_t columns,
                  uint8_t* out) {
  // 24 sums each, as in the matrix product.
  switch (vectors) {
    case 1:
      return expand_panel<6, 1, Relu>(job, lines, columns, out);
    case 2:
      return expand_panel<3, 2, Relu>(job, lines, columns, out);
    default:
      return expand_panel<2, 3, Relu>(job, lines, columns, out);
  }
}

// The cells in which `rows` of the group (4 bits) are outside the picture, and the columns beside.
void fill_outside(const ExpandDepthwiseInt8& ops, int32_t rows, uint8_t* group) {
  const WindowShape& d = ops.depthwise.shape;
  const int32_t columns = columns_of(d);
  const int32_t end = d.pad_left + columns_inside(d);
  const __m512i outside =
      _mm512_set1_epi8(static_cast<int8_t>(ops.depthwise.input_zero_point ^ -128));
  const __mmask64 mask = static_cast<uint64_t>(rows) * 0x1111111111111111u;
  for (int32_t b = 0; b < blocks_of(ops.expand); ++b, group += ptrdiff_t{columns} * kCell) {
    for (int32_t x = 0; x < columns; ++x) {
      const bool beside = x < d.pad_left || x >= end;
      if (!beside && rows == 0) {
        x = end - 1;
        continue;
      }
      _mm512_mask_storeu_epi8(group + x * kCell, beside ? ~uint64_t{0} : mask, outside);
    }
  }
}

void expand(const ExpandDepthwiseInt8& ops, const std::byte* packed, const int8_t* input,
            int32_t group, std::byte* to, std::byte* scratch) {
  const Conv2DInt8& e = ops.expand;
  const WindowShape& s = e.shape;
  const WindowShape& d = ops.depthwise.shape;
  auto* out = reinterpret_cast<uint8_t*>(to);
  const int32_t first = group * kGroupRows - d.pad_top;
  int32_t outside = 0;
  for (int32_t r = 0; r < kGroupRows; ++r) {
    if (first + r < 0 || first + r >= s.out_h) outside |= 1 << r;
  }
  if (outside != 15) {
    const ptrdiff_t bytes = line_bytes(ops);
    auto* lines = reinterpret_cast<uint8_t*>(scratch);
    for (int32_t i = 0; i < input_lines(s); ++i) {
      fill_shifted_line(e, input, first * s.stride_h - s.pad_top + i, bytes, lines + i * bytes);
    }
    ExpandJob job;
    job.row = s.stride_h * bytes;
    job.pixel = ptrdiff_t{s.stride_w} * s.in_c;
    job.block = ptrdiff_t{columns_of(d)} * kCell;
    job.to = make_requantize_shifted(e);
    // The packs leave in each 128-bit lane four channels of the first row, then of the second, ...
    job.order =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const int32_t columns = columns_inside(d);
    uint8_t* panel_out = out + ptrdiff_t{d.pad_left} * kCell;
    std::byte* panel = panels_at(const_cast<std::byte*>(packed));
    const bool relu = reinterpret_cast<const Header*>(packed)->expand_relu != 0;
    for (int32_t left = blocks_of(e), v; left > 0; left -= v) {
      v = panel_vectors(left);
      job.panel = expand_panel_at(e, panel, v);
      relu ? expand_panel<true>(job, v, lines, columns, panel_out)
           : expand_panel<false>(job, v, lines, columns, panel_out);
      panel += expand_panel_bytes(e, v);
      panel_out += v * job.block;
    }
  }
  fill_outside(ops, outside, out);
}

// ---- Running the depthwise convolution.

struct DepthwiseJob {
  RequantizeShifted to;
  __m512i order;
  ptrdiff_t out_c;
  int32_t out_w;
  int32_t rows;    // Output rows that exist,
  int8_t* out[4];  // with their first column; the others have the first row's.
};

// All columns of 16 channels, `Stride` of them at a time, so that there are four vectors of sums.
template <int Stride, bool HasExtra, bool Relu>
void depthwise_block(const DepthwiseJob& job, const DepthwiseBlock& block, const uint8_t* at,
                     const uint8_t* next, int32_t channel, __mmask16 channels) {
  constexpr int kRows = kGroupRows / Stride;  // Output rows.
  constexpr __mmask32 kFirstTwoRows = 0x55555555;
  __m512i w[kRows][kTaps];
  __mmask16 stored[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    stored[r] = r < job.rows ? channels : __mmask16{0};
#pragma GCC unroll 3
    for (int kx = 0; kx < kTaps; ++kx) {
      w[r][kx] = _mm512_loadu_si512(block.weights + r * Stride * kOrderBytes + kx * kCell);
    }
  }
  const Sums512 bias = load_sums(block.bias);
  const __m512 scale = _mm512_loadu_ps(block.scale);
  const __m512 minus_offset = minus_offset_of(scale);
  for (int32_t x = 0; x < job.out_w; x += Stride) {
    __m512i steps[Stride][kRows];
    ptrdiff_t column[Stride];
#pragma GCC unroll 2
    for (int c = 0; c < Stride; ++c) {
      // The last one may be computed twice.
      column[c] = x + c < job.out_w ? x + c : job.out_w - 1;
      const ptrdiff_t from = column[c] * Stride * kCell;
      Sums512 acc[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) acc[r] = bias;
      const auto add_column = [&](ptrdiff_t kx, const auto& weights) {
        const __m512i inside = _mm512_loadu_si512(at + from + kx * kCell);
        // The last two rows of this group and the first two of the next, in these places.
        const __m512i across =
            _mm512_mask_loadu_epi16(inside, kFirstTwoRows, next + from + kx * kCell);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
          acc[r] = add_products(acc[r], r < kRows / 2 ? inside : across, weights(r));
        }
      };
#pragma GCC unroll 3
      for (int kx = 0; kx < kTaps; ++kx) {
        add_column(kx, [&](int r) { return w[r][kx]; });
      }
      for (int32_t i = 0; HasExtra && i < block.extra.columns; ++i) {
        const ptrdiff_t kx = block.extra.column[i];
        add_column(kx, [&](int r) {
          return _mm512_loadu_si512(block.rests + r * Stride * kOrderBytes + kx * kCell);
        });
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        steps[c][r] = steps_of<Relu>(acc[r], scale, minus_offset);
      }
    }
    const __m512i shifted = to_shifted_bytes<Relu>(job.to, &steps[0][0]);
    const __m512i bytes =
        _mm512_permutexvar_epi32(job.order, _mm512_xor_si512(shifted, _mm512_set1_epi8(-128)));
    const auto store = [&](int k, __m128i sixteen) {
      int8_t* out = job.out[k % kRows] + column[k / kRows] * job.out_c + channel;
      _mm_mask_storeu_epi8(out, stored[k % kRows], sixteen);
    };
    store(0, _mm512_castsi512_si128(bytes));
    store(1, _mm512_extracti32x4_epi32(bytes, 1));
    store(2, _mm512_extracti32x4_epi32(bytes, 2));
    store(3, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

template <int Stride, bool Relu>
void depthwise_block(const DepthwiseJob& job, const DepthwiseBlock& block, const uint8_t* at,
                     const uint8_t* next, int32_t channel, __mmask16 channels) {
  block.extra.columns != 0
      ? depthwise_block<Stride, true, Relu>(job, block, at, next, channel, channels)
      : depthwise_block<Stride, false, Relu>(job, block, at, next, channel, channels);
}

void depthwise(const ExpandDepthwiseInt8& ops, const std::byte* packed, int32_t group,
               const std::byte* at, const std::byte* next, int8_t* output) {
  const DepthwiseConv2DInt8& d = ops.depthwise;
  const WindowShape& s = d.shape;
  const DepthwiseBlock* blocks = blocks_at(ops, const_cast<std::byte*>(packed));
  const bool relu = reinterpret_cast<const Header*>(packed)->depthwise_relu != 0;
  const auto* here = reinterpret_cast<const uint8_t*>(at);
  const auto* below = reinterpret_cast<const uint8_t*>(next);
  const int32_t most = kGroupRows / s.stride_h;
  const int32_t left = s.out_h - group * most;
  DepthwiseJob job;
  job.to = make_requantize_shifted(d);
  job.order = bytes_in_order();
  job.out_c = s.out_c;
  job.out_w = s.out_w;
  job.rows = left < most ? left : most;
  for (int32_t r = 0; r < kGroupRows; ++r) {
    job.out[r] = output + (r < job.rows ? ptrdiff_t{r} * s.out_w * s.out_c : 0);
  }
  const ptrdiff_t block_bytes = ptrdiff_t{columns_of(s)} * kCell;
  for (int32_t c = 0; c < s.out_c; c += kLanes, ++blocks) {
    const int32_t count = s.out_c - c;
    const auto mask = static_cast<__mmask16>(count >= kLanes ? 0xFFFF : (1 << count) - 1);
    if (s.stride_h == 1) {
      relu ? depthwise_block<1, true>(job, *blocks, here, below, c, mask)
           : depthwise_block<1, false>(job, *blocks, here, below, c, mask);
    } else {
      relu ? depthwise_block<2, true>(job, *blocks, here, below, c, mask)
           : depthwise_block<2, false>(job, *blocks, here, below, c, mask);
    }
    here += block_bytes;
    below += block_bytes;
  }
}

}  // namespace

const ExpandDepthwiseInt8Kernel kExpandDepthwiseInt8Avx512Vnni = {
    "expand+3x3/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, group_bytes,
    scratch_bytes,           expand,           depthwise};

}  // namespace deeplab::kernels
