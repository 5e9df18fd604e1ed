// 3x3 int8 depthwise convolution on AVX-512 VNNI. As in avx512vnni.cc a dot product takes the bytes
// of four input rows. With stride 1 these four rows hold the windows of two output rows, `dilation`
// apart: they are interleaved once and multiplied with (w0, w1, w2, 0) for the upper output and
// (0, w0, w1, w2) for the lower one. All weights of a panel stay in registers. They are packed less
// the filter's zero point; what of that does not fit a signed byte, as in gemm_int8_avx512vnni.cc,
// is multiplied once more, in the columns of the panels that have it.
#include <immintrin.h>
#include <string.h>

#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/strip.h"
#include "kernels/requantize_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kTaps = 3;
constexpr int32_t kRows = 4;  // Input rows in one dot product.

// Channels go in panels of 32, the last one masked, or of 16 if at most so many are left.
int32_t panel_vectors(int32_t channels_left) { return channels_left > kLanes ? 2 : 1; }

// Which channel of a panel lane `lane` of vector v holds: interleaving bytes works within 128-bit
// lanes, and make_order() undoes it.
int32_t channel_of(int32_t vectors, int32_t v, int32_t lane) {
  if (vectors == 1) return lane;
  return v * 8 + lane / 8 * 4 + lane / 4 % 2 * 16 + lane % 4;
}

// Filter columns in which a panel has weights that do not fit.
struct Extra {
  int32_t columns;
  int32_t column[kTaps];
};
constexpr ptrdiff_t kExtraBytes = 64;  // One Extra, and the next panel's alignment.
constexpr ptrdiff_t weights_bytes(int32_t vectors) { return ptrdiff_t{2} * kTaps * vectors * 64; }

// packed: a panel of n: Extra, bias int32 [n], scale float [n], weights int8 [2][3][n][4]: for the
// upper and the lower output, a column at a time; and as many for what is left of them.
ptrdiff_t panel_bytes(int32_t vectors) {
  return kExtraBytes + ptrdiff_t{vectors} * kLanes * 8 + 2 * weights_bytes(vectors);
}

size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  ptrdiff_t bytes = 0;
  for (int32_t c = 0, v; c < conv.shape.out_c; c += v * kLanes) {
    v = panel_vectors(conv.shape.out_c - c);
    bytes += panel_bytes(v);
  }
  return static_cast<size_t>(bytes);
}

void add_column(Extra& extra, int32_t kx) {
  for (int32_t i = 0; i < extra.columns; ++i) {
    if (extra.column[i] == kx) return;
  }
  extra.column[extra.columns++] = kx;
}

void pack_lane(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
               int32_t channel, std::byte* panel, int32_t width, int32_t lane) {
  auto* extra = reinterpret_cast<Extra*>(panel);
  auto* panel_bias = reinterpret_cast<uint32_t*>(panel + kExtraBytes);
  auto* scale = reinterpret_cast<float*>(panel_bias + width);
  auto* weights = reinterpret_cast<int8_t*>(scale + width);
  int8_t* rests = weights + weights_bytes(width / kLanes);
  int32_t sum = 0;
  for (int32_t ky = 0; ky < kTaps; ++ky) {
    for (int32_t kx = 0; kx < kTaps; ++kx) {
      const int32_t w = filter[(ptrdiff_t{ky} * kTaps + kx) * conv.shape.out_c + channel] -
                        conv.filter_zero_point;
      const int32_t byte = nearest_byte(w);
      sum += w;
      if (w != byte) add_column(*extra, kx);
      for (int32_t lower = 0; lower < 2; ++lower) {
        const ptrdiff_t at = ((ptrdiff_t{lower} * kTaps + kx) * width + lane) * kRows + ky + lower;
        weights[at] = static_cast<int8_t>(byte);
        rests[at] = static_cast<int8_t>(w - byte);
      }
    }
  }
  panel_bias[lane] =
      static_cast<uint32_t>(bias != nullptr ? bias[channel] : 0) -
      static_cast<uint32_t>(128 + conv.input_zero_point) * static_cast<uint32_t>(sum);
  scale[lane] = conv.multipliers[channel].scale;
}

void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
          std::byte* packed) {
  memset(packed, 0, packed_bytes(conv));
  for (int32_t c = 0, vectors; c < conv.shape.out_c; c += vectors * kLanes) {
    vectors = panel_vectors(conv.shape.out_c - c);
    for (int32_t i = 0; i < vectors * kLanes; ++i) {
      const int32_t channel = c + channel_of(vectors, i / kLanes, i % kLanes);
      if (channel >= conv.shape.out_c) continue;
      pack_lane(conv, filter, bias, channel, packed, vectors * kLanes, i);
    }
    packed += panel_bytes(vectors);
  }
}

int64_t scratch_needed(const WindowShape& s) { return strip_bytes(s, 2 * kLanes * kRows); }
size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(scratch_needed(conv.shape));
}
// With a filter zero point of -128 a weight less it could need three bytes.
bool supports(const DepthwiseConv2DInt8& conv) {
  const WindowShape& s = conv.shape;
  return conv.depth_multiplier == 1 && s.filter_h == kTaps && s.filter_w == kTaps &&
         conv.filter_zero_point != -128 && scratch_needed(s) <= kMaxStripBytes &&
         scales_below_one(conv.multipliers, s.out_c);
}

__mmask32 first_lanes(int32_t count) {
  return count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
}

// ---- Interleaving.

struct Panel32 {
  using Vector = __m256i;
  static Vector fill(int8_t value) { return _mm256_set1_epi8(value); }
  static Vector load(__mmask32 mask, const int8_t* from) {
    return _mm256_xor_si256(_mm256_maskz_loadu_epi8(mask, from), fill(-128));
  }
  static void interleave(Vector r0, Vector r1, Vector r2, Vector r3, uint8_t* out) {
    const __m256i low01 = _mm256_unpacklo_epi8(r0, r1);
    const __m256i high01 = _mm256_unpackhi_epi8(r0, r1);
    const __m256i low23 = _mm256_unpacklo_epi8(r2, r3);
    const __m256i high23 = _mm256_unpackhi_epi8(r2, r3);
    auto* to = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(to, _mm256_unpacklo_epi16(low01, low23));
    _mm256_storeu_si256(to + 1, _mm256_unpackhi_epi16(low01, low23));
    _mm256_storeu_si256(to + 2, _mm256_unpacklo_epi16(high01, high23));
    _mm256_storeu_si256(to + 3, _mm256_unpackhi_epi16(high01, high23));
  }
};
struct Panel16 {
  using Vector = __m128i;
  static Vector fill(int8_t value) { return _mm_set1_epi8(value); }
  static Vector load(__mmask32 mask, const int8_t* from) {
    return _mm_xor_si128(_mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), from), fill(-128));
  }
  static void interleave(Vector r0, Vector r1, Vector r2, Vector r3, uint8_t* out) {
    const __m128i low01 = _mm_unpacklo_epi8(r0, r1);
    const __m128i high01 = _mm_unpackhi_epi8(r0, r1);
    const __m128i low23 = _mm_unpacklo_epi8(r2, r3);
    const __m128i high23 = _mm_unpackhi_epi8(r2, r3);
    auto* to = reinterpret_cast<__m128i*>(out);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(low01, low23));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(low01, low23));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(high01, high23));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(high01, high23));
  }
};

// The strip under `columns` columns from input column `left` on, for the channels in `mask` from
// `channel` on: uint8 [columns][channels of the panel][4].
template <typename Panel>
void fill_strip(const DepthwiseConv2DInt8& conv, const InputRows& rows, int32_t left,
                int32_t columns, int32_t channel, __mmask32 mask, uint8_t* strip) {
  using Vector = typename Panel::Vector;
  constexpr ptrdiff_t kColumn = sizeof(Vector) * kRows;
  const WindowShape& s = conv.shape;
  const Vector outside = Panel::fill(static_cast<int8_t>(conv.input_zero_point ^ -128));
  const int32_t begin = left < 0 ? (-left < columns ? -left : columns) : 0;
  const int32_t inside = s.in_w - left < columns ? s.in_w - left : columns;
  const int32_t end = inside < begin ? begin : inside;
  for (int32_t i = 0; i < begin; ++i) {
    Panel::interleave(outside, outside, outside, outside, strip + i * kColumn);
  }
  const ptrdiff_t step = s.in_c;
  const ptrdiff_t at = ptrdiff_t{left + begin} * step + channel;
  uint8_t* out = strip + begin * kColumn;
  if (rows.row[0] != nullptr && rows.row[1] != nullptr && rows.row[2] != nullptr &&
      rows.row[3] != nullptr) {
    const int8_t* r0 = rows.row[0] + at;
    const int8_t* r1 = rows.row[1] + at;
    const int8_t* r2 = rows.row[2] + at;
    const int8_t* r3 = rows.row[3] + at;
    for (int32_t i = begin; i < end; ++i, out += kColumn) {
      Panel::interleave(Panel::load(mask, r0), Panel::load(mask, r1), Panel::load(mask, r2),
                        Panel::load(mask, r3), out);
      r0 += step;
      r1 += step;
      r2 += step;
      r3 += step;
    }
  } else {
    for (int32_t i = begin; i < end; ++i, out += kColumn) {
      Vector r[kRows];
      for (int32_t k = 0; k < kRows; ++k) {
        const int8_t* row = rows.row[k];
        r[k] = row != nullptr ? Panel::load(mask, row + at + (i - begin) * step) : outside;
      }
      Panel::interleave(r[0], r[1], r[2], r[3], out);
    }
  }
  for (int32_t i = end; i < columns; ++i) {
    Panel::interleave(outside, outside, outside, outside, strip + i * kColumn);
  }
}

// ---- Products.

struct Output {
  RequantizeAvx512 to;
  __m512i order;  // Puts the bytes of a panel's outputs into the channels' order.
};

Output make_output(const DepthwiseConv2DInt8& conv, int32_t vectors) {
  Output o;
  o.to = make_requantize(conv);
  o.order = vectors == 2 ? _mm512_setr_epi32(0, 8, 1, 9, 4, 12, 5, 13, 2, 10, 3, 11, 6, 14, 7, 15)
                         : bytes_in_order();
  return o;
}

// Outputs of one panel over a strip: of `Rows` output rows, `Columns` columns at a time, so that
// four vectors of sums become one of bytes. out[r]: the panel's first channel of output row r.
template <int Rows, int V, int Columns, bool HasExtra>
void multiply_strip(const DepthwiseConv2DInt8& conv, const Output& o, const std::byte* panel,
                    const uint8_t* strip, int32_t outputs, __mmask32 mask, int8_t* const* out) {
  static_assert(Rows * V * Columns == 4);
  constexpr ptrdiff_t kColumn = ptrdiff_t{V} * 64;
  const WindowShape& s = conv.shape;
  const auto* extra = reinterpret_cast<const Extra*>(panel);
  const auto* bias = reinterpret_cast<const int32_t*>(panel + kExtraBytes);
  const auto* scale = reinterpret_cast<const float*>(bias + V * kLanes);
  const auto* weights = reinterpret_cast<const int8_t*>(scale + V * kLanes);
  const int8_t* rests = weights + weights_bytes(V);
  const ptrdiff_t tap = s.dilation_w * kColumn;
  const ptrdiff_t out_c = s.out_c;
  __m512i w[Rows][kTaps][V];
  __m512 scales[V];
#pragma GCC unroll 2
  for (int v = 0; v < V; ++v) {
    scales[v] = _mm512_loadu_ps(scale + v * kLanes);
#pragma GCC unroll 2
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 3
      for (int kx = 0; kx < kTaps; ++kx) {
        w[r][kx][v] = _mm512_loadu_si512(weights + ((r * kTaps + kx) * V + v) * 64);
      }
    }
  }
  for (int32_t i = 0; i < outputs; i += Columns) {
    Sums512 acc[Rows][Columns][V];
    __m512i steps[Rows][Columns][V];
    ptrdiff_t column[Columns];
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      // The last group may have columns twice; they come out the same.
      column[c] = i + c < outputs ? i + c : outputs - 1;
      const uint8_t* u = strip + column[c] * s.stride_w * kColumn;
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
#pragma GCC unroll 2
        for (int r = 0; r < Rows; ++r) acc[r][c][v] = load_sums(bias + v * kLanes);
#pragma GCC unroll 3
        for (int kx = 0; kx < kTaps; ++kx) {
          const __m512i pixels = _mm512_loadu_si512(u + kx * tap + v * 64);
#pragma GCC unroll 2
          for (int r = 0; r < Rows; ++r) {
            acc[r][c][v] = add_products(acc[r][c][v], pixels, w[r][kx][v]);
          }
        }
        for (int32_t k = 0; HasExtra && k < extra->columns; ++k) {
          const ptrdiff_t kx = extra->column[k];
          const __m512i pixels = _mm512_loadu_si512(u + kx * tap + v * 64);
#pragma GCC unroll 2
          for (int r = 0; r < Rows; ++r) {
            const int8_t* rest = rests + ((r * kTaps + kx) * V + v) * 64;
            acc[r][c][v] = add_products(acc[r][c][v], pixels, _mm512_loadu_si512(rest));
          }
        }
#pragma GCC unroll 2
        for (int r = 0; r < Rows; ++r) {
          steps[r][c][v] = to_steps((__m512i)acc[r][c][v], scales[v]);
        }
      }
    }
    const __m512i* four = &steps[0][0][0];
    const __m512i bytes =
        _mm512_permutexvar_epi32(o.order, to_bytes(o.to, four[0], four[1], four[2], four[3]));
    const auto to = [&](int k) { return out[k / Columns] + column[k % Columns] * out_c; };
    if constexpr (V == 2) {
      _mm256_mask_storeu_epi8(to(0), mask, _mm512_castsi512_si256(bytes));
      _mm256_mask_storeu_epi8(to(1), mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      const auto half = static_cast<__mmask16>(mask);
      _mm_mask_storeu_epi8(to(0), half, _mm512_castsi512_si128(bytes));
      _mm_mask_storeu_epi8(to(1), half, _mm512_extracti32x4_epi32(bytes, 1));
      _mm_mask_storeu_epi8(to(2), half, _mm512_extracti32x4_epi32(bytes, 2));
      _mm_mask_storeu_epi8(to(3), half, _mm512_extracti32x4_epi32(bytes, 3));
    }
  }
}

// out[r]: output row r.
template <int Rows>
void run_rows(const DepthwiseConv2DInt8& conv, const std::byte* packed, const InputRows& rows,
              int8_t* const (&out)[2], uint8_t* strip) {
  const WindowShape& s = conv.shape;
  const Output wide = make_output(conv, 2);
  const Output narrow = make_output(conv, 1);
  const int32_t most = strip_outputs(s);
  for (int32_t first = 0; first < s.out_w; first += most) {
    const int32_t outputs = s.out_w - first < most ? s.out_w - first : most;
    const int32_t left = first * s.stride_w - s.pad_left;
    const auto columns = static_cast<int32_t>(strip_columns(s, outputs));
    const std::byte* panel = packed;
    for (int32_t c = 0, vectors; c < s.out_c; c += vectors * kLanes) {
      vectors = panel_vectors(s.out_c - c);
      const __mmask32 mask =
          first_lanes(s.out_c - c < vectors * kLanes ? s.out_c - c : vectors * kLanes);
      const ptrdiff_t at = ptrdiff_t{first} * s.out_c + c;
      int8_t* const to[2] = {out[0] + at, out[Rows - 1] + at};
      const bool extra = reinterpret_cast<const Extra*>(panel)->columns != 0;
      if (vectors == 2) {
        constexpr int kColumns = 2 / Rows;
        fill_strip<Panel32>(conv, rows, left, columns, c, mask, strip);
        extra
            ? multiply_strip<Rows, 2, kColumns, true>(conv, wide, panel, strip, outputs, mask, to)
            : multiply_strip<Rows, 2, kColumns, false>(conv, wide, panel, strip, outputs, mask, to);
      } else {
        constexpr int kColumns = 4 / Rows;
        fill_strip<Panel16>(conv, rows, left, columns, c, mask, strip);
        extra
            ? multiply_strip<Rows, 1, kColumns, true>(conv, narrow, panel, strip, outputs, mask, to)
            : multiply_strip<Rows, 1, kColumns, false>(conv, narrow, panel, strip, outputs, mask,
                                                       to);
      }
      panel += panel_bytes(vectors);
    }
  }
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  auto* strip = reinterpret_cast<uint8_t*>(scratch);
  const WindowShape& s = conv.shape;
  const auto row_of = [&](int32_t row) { return output + ptrdiff_t{row} * s.out_w * s.out_c; };
  for (int32_t row = row_begin; row < row_end; ++row) {
    InputRows rows;
    const int32_t count = rows_in_turn(s, input, row_begin, row_end, row, &rows);
    if (count == 2) {
      run_rows<2>(conv, packed, rows, {row_of(row), row_of(row + s.dilation_h)}, strip);
    } else if (count == 1) {
      run_rows<1>(conv, packed, rows, {row_of(row), nullptr}, strip);
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3Avx512Vnni = {
    "3x3/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
