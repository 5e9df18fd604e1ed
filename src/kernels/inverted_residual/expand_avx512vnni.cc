// The expansion: four rows of one or more columns by up to 48 channels at a time. Lines of weights
// are as in conv2d/gemm_int8_avx512vnni.cc, except for windows: the taps of a filter row lie
// together in the picture, and a line takes four bytes of them, the last one some that meet zeros.
#include <immintrin.h>
#include <string.h>

#include "kernels/inverted_residual/stages_avx512vnni.h"
#include "kernels/requantize_shifted_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {
namespace {

constexpr int32_t kMaxVectors = 3;  // Vectors of 16 channels in a panel.
// Deeper products belong to the matrix product, whose tiles have 64 channels.
constexpr int32_t kMaxLines = 64;
// What a group and the lines under it may take, as for strips: real layers are far below.
constexpr int64_t kMaxBytes = int64_t{1} << 20;

int32_t row_taps(const WindowShape& s) { return s.filter_w * s.in_c; }
int32_t row_lines(const WindowShape& s) { return (row_taps(s) + 3) / 4; }
int32_t plain_lines(const WindowShape& s) { return s.filter_h * row_lines(s); }
// Any line may need another one for what does not fit a byte less the filter's zero point.
int32_t most_lines(const Conv2DInt8& expand) {
  return plain_lines(expand.shape) * (expand.filter_zero_point != 0 ? 2 : 1);
}

// packed: whether the biases have kFloatBits in them, up to 64 bytes, then the panels.
struct Header {
  int32_t relu;
  int32_t unused[15];
};
static_assert(sizeof(Header) == 64);

int32_t panel_vectors(int32_t blocks_left) {
  return blocks_left < kMaxVectors ? blocks_left : kMaxVectors;
}

// The lines of input under a group, shifted and padded.
int32_t input_lines(const WindowShape& s) { return (kGroupRows - 1) * s.stride_h + s.filter_h; }
ptrdiff_t line_bytes(const Ops& ops) {
  const WindowShape& s = ops.expand.shape;
  const int64_t last = int64_t{columns_inside(ops.depthwise.shape) - 1} * s.stride_w * s.in_c;
  return ((last < 0 ? 0 : last) + row_lines(s) * 4 + 63) / 64 * 64;
}

void pack_panel(const Ops& ops, const InvertedResidualWeights& weights, int32_t first,
                int32_t vectors, const Panel& p, int32_t* relu) {
  const Conv2DInt8& e = ops.expand;
  const WindowShape& s = e.shape;
  const int32_t taps = gemm_depth(s);
  const int32_t n = vectors * kLanes;
  const int32_t channels = s.out_c - first < n ? s.out_c - first : n;
  const int8_t* filter = weights.expand + ptrdiff_t{first} * taps;
  for (int32_t c = 0; c < channels; ++c) {
    int32_t negative = 0;
    int32_t positive = 0;
    for (int32_t k = 0; k < taps; ++k) {
      const int32_t w = filter[ptrdiff_t{c} * taps + k] - e.filter_zero_point;
      (w < 0 ? negative : positive) += w;
    }
    const int32_t bias = weights.expand_bias != nullptr ? weights.expand_bias[first + c] : 0;
    p.bias[c] = shifted_bias(e, bias, negative + positive);
    if (!fits_float_bits(p.bias[c], negative, positive)) *relu = 0;
    p.scale[c] = e.multipliers[first + c].scale;
  }
  *p.lines = plain_lines(s);
  for (int32_t line = 0; line < plain_lines(s); ++line) {
    const int32_t ky = line / row_lines(s);
    const int32_t k = line % row_lines(s) * 4;
    int8_t* plain = p.weights + ptrdiff_t{line} * n * 4;
    int8_t* rests = p.weights + ptrdiff_t{*p.lines} * n * 4;  // Of the next extra line, if any.
    bool any = false;
    p.offsets[line] = static_cast<int32_t>(ky * line_bytes(ops) + k);
    for (int32_t c = 0; c < channels; ++c) {
      const int8_t* row = filter + ptrdiff_t{c} * taps + ky * row_taps(s);
      for (int32_t i = 0; i < 4 && k + i < row_taps(s); ++i) {
        const int32_t w = row[k + i] - e.filter_zero_point;
        const int32_t byte = nearest_byte(w);
        plain[c * 4 + i] = static_cast<int8_t>(byte);
        if (w == byte) continue;
        rests[c * 4 + i] = static_cast<int8_t>(w - byte);
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
  ptrdiff_t block;  // Bytes from 16 channels to the next in a group.
  RequantizeShifted to;
  __m512i order;
};

// Four rows of C columns by V vectors of 16 channels.
template <int C, int V, bool Relu>
void tile(const Job& job, const uint8_t* lines, uint8_t* out) {
  const Panel& p = job.panel;
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
void run_panel(const Job& job, const uint8_t* lines, int32_t columns, uint8_t* out) {
  if (columns < C) {
    for (ptrdiff_t x = 0; x < columns; ++x) {
      tile<1, V, Relu>(job, lines + x * job.pixel, out + x * kCell);
    }
    return;
  }
  // The last tile is moved back to be whole.
  for (ptrdiff_t x = 0; x < columns; x += C) {
    const ptrdiff_t at = x + C <= columns ? x : columns - C;
    tile<C, V, Relu>(job, lines + at * job.pixel, out + at * kCell);
  }
}

template <bool Relu>
void run_panel(const Job& job, int32_t vectors, const uint8_t* lines, int32_t columns,
               uint8_t* out) {
  switch (vectors) {
    case 1:
      return run_panel<6, 1, Relu>(job, lines, columns, out);
    case 2:
      return run_panel<2, 2, Relu>(job, lines, columns, out);
    default:
      return run_panel<1, 3, Relu>(job, lines, columns, out);
  }
}

// The cells in which `rows` of the group (4 bits) are outside the picture, and the columns beside.
void fill_outside(const Ops& ops, int32_t rows, uint8_t* group) {
  const WindowShape& d = ops.depthwise.shape;
  const int32_t columns = columns_of(d);
  const int32_t end = d.pad_left + columns_inside(d);
  const __m512i outside =
      _mm512_set1_epi8(static_cast<int8_t>(ops.depthwise.input_zero_point ^ -128));
  const __mmask64 mask = static_cast<uint64_t>(rows) * 0x1111111111111111u;
  for (int32_t b = 0; b < blocks_of(ops); ++b, group += group_block_bytes(ops)) {
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

}  // namespace

bool expand_supports(const Ops& ops) {
  const Conv2DInt8& e = ops.expand;
  const WindowShape& s = e.shape;
  const WindowShape& d = ops.depthwise.shape;
  const int64_t columns = int64_t{d.out_w} * d.stride_w + kTaps;
  const int64_t group = columns * kCell * blocks_of(ops);
  const int64_t line = columns * s.stride_w * s.in_c + int64_t{row_taps(s)} + 64;
  return s.batch == 1 && s.dilation_h == 1 && s.dilation_w == 1 && gemm_supports(s) &&
         plain_lines(s) <= kMaxLines && group <= kMaxBytes && line * input_lines(s) <= kMaxBytes &&
         e.filter_zero_point != -128 && scales_below_one(e.multipliers, s.out_c);
}

size_t expand_packed_bytes(const Ops& ops) {
  ptrdiff_t bytes = sizeof(Header);
  for (int32_t left = blocks_of(ops), v; left > 0; left -= v) {
    v = panel_vectors(left);
    bytes += panel_bytes(v, most_lines(ops.expand));
  }
  return static_cast<size_t>(bytes);
}

void expand_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
  memset(packed, 0, expand_packed_bytes(ops));
  int32_t relu = is_relu(ops.expand);
  const auto for_panels = [&](const auto& body) {
    std::byte* at = packed + sizeof(Header);
    for (int32_t first = 0, v; first < ops.expand.shape.out_c; first += v * kLanes) {
      v = panel_vectors(blocks_of(ops) - first / kLanes);
      body(first, v, panel_at(at, v, most_lines(ops.expand)));
      at += panel_bytes(v, most_lines(ops.expand));
    }
  };
  for_panels([&](int32_t first, int32_t vectors, const Panel& p) {
    pack_panel(ops, weights, first, vectors, p, &relu);
  });
  reinterpret_cast<Header*>(packed)->relu = relu;
  if (relu == 0) return;
  for_panels([&](int32_t /*first*/, int32_t vectors, const Panel& p) {
    for (int32_t c = 0; c < vectors * kLanes; ++c) p.bias[c] += kFloatBits;
  });
}

size_t expand_scratch_bytes(const Ops& ops) {
  return static_cast<size_t>(input_lines(ops.expand.shape) * line_bytes(ops));
}

void expand_run(const Ops& ops, const std::byte* packed, const int8_t* input, int32_t group,
                uint8_t* to, std::byte* scratch) {
  const Conv2DInt8& e = ops.expand;
  const WindowShape& s = e.shape;
  const WindowShape& d = ops.depthwise.shape;
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
    Job job;
    job.row = s.stride_h * bytes;
    job.pixel = ptrdiff_t{s.stride_w} * s.in_c;
    job.block = group_block_bytes(ops);
    job.to = make_requantize_shifted(e);
    // The packs leave in each 128-bit lane four channels of the first row, then of the second, ...
    job.order =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const int32_t columns = columns_inside(d);
    uint8_t* out = to + ptrdiff_t{d.pad_left} * kCell;
    auto* panel = const_cast<std::byte*>(packed) + sizeof(Header);
    const bool relu = reinterpret_cast<const Header*>(packed)->relu != 0;
    for (int32_t left = blocks_of(ops), v; left > 0; left -= v) {
      v = panel_vectors(left);
      job.panel = panel_at(panel, v, most_lines(e));
      relu ? run_panel<true>(job, v, lines, columns, out)
           : run_panel<false>(job, v, lines, columns, out);
      panel += panel_bytes(v, most_lines(e));
      out += v * job.block;
    }
  }
  fill_outside(ops, outside, to);
}

}  // namespace deeplab::kernels::inverted_residual
