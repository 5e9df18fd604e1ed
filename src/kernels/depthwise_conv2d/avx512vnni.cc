// int8 depthwise convolution on AVX-512 VNNI: four filter rows are one VPDPBUSD. The strip holds
// for each column and channel the bytes of four input rows (those beyond the filter meet weights
// of zero), so a 3x3 filter takes three dot products. Pixels are shifted to u = x + 128; what
// that adds is taken back as gemm_int8_avx512vnni.cc explains.
#include <immintrin.h>
#include <string.h>

#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/strip.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kRows = 4;  // Filter rows in one dot product.

int32_t row_groups(const WindowShape& s) { return (s.filter_h + kRows - 1) / kRows; }

// Channels go in panels of V * 16: wide ones of 64, the last one masked, or narrow ones of 16
// if at most 32 are left.
int32_t panel_vectors(int32_t channels_left) { return channels_left > 32 ? 4 : 1; }

// Which channel of a panel lane `lane` of vector v holds. Interleaving a wide panel's bytes works
// within 128-bit lanes, and the packs at the end undo it.
int32_t channel_of(int32_t vectors, int32_t v, int32_t lane) {
  return vectors == 4 ? lane / 4 * 16 + v * 4 + lane % 4 : lane;
}

// packed: a panel of n: bias int32 [n], scale float [n], weights int8 [Kw][row groups][n][4].
ptrdiff_t panel_bytes(const WindowShape& s, int32_t vectors) {
  return ptrdiff_t{vectors} * kLanes * (8 + s.filter_w * row_groups(s) * kRows);
}

size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  ptrdiff_t bytes = 0;
  for (int32_t c = 0, v; c < conv.shape.out_c; c += v * kLanes) {
    v = panel_vectors(conv.shape.out_c - c);
    bytes += panel_bytes(conv.shape, v);
  }
  return static_cast<size_t>(bytes);
}

void pack_lane(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
               int32_t channel, std::byte* panel, int32_t width, int32_t lane) {
  const WindowShape& s = conv.shape;
  auto* panel_bias = reinterpret_cast<uint32_t*>(panel);
  auto* scale = reinterpret_cast<float*>(panel_bias + width);
  auto* weights = reinterpret_cast<int8_t*>(scale + width);
  int32_t sum = 0;
  for (int32_t ky = 0; ky < s.filter_h; ++ky) {
    for (int32_t kx = 0; kx < s.filter_w; ++kx) {
      const int8_t w = filter[(ptrdiff_t{ky} * s.filter_w + kx) * s.out_c + channel];
      sum += w - conv.filter_zero_point;
      const ptrdiff_t group = ptrdiff_t{kx} * row_groups(s) + ky / kRows;
      weights[(group * width + lane) * kRows + ky % kRows] = w;
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
    packed += panel_bytes(conv.shape, vectors);
  }
}

int64_t scratch_needed(const WindowShape& s) {
  return strip_bytes(s, int64_t{256} * row_groups(s));
}
size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(scratch_needed(conv.shape));
}
bool supports(const DepthwiseConv2DInt8& conv) {
  return conv.depth_multiplier == 1 && scratch_needed(conv.shape) <= kMaxStripBytes;
}

__mmask64 first_lanes(int32_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// ---- Interleaving.

// One column of a wide panel: 64 channels of four rows to 64 groups of four bytes.
void interleave(__m512i r0, __m512i r1, __m512i r2, __m512i r3, uint8_t* out) {
  const __m512i low01 = _mm512_unpacklo_epi8(r0, r1);
  const __m512i high01 = _mm512_unpackhi_epi8(r0, r1);
  const __m512i low23 = _mm512_unpacklo_epi8(r2, r3);
  const __m512i high23 = _mm512_unpackhi_epi8(r2, r3);
  _mm512_storeu_si512(out, _mm512_unpacklo_epi16(low01, low23));
  _mm512_storeu_si512(out + 64, _mm512_unpackhi_epi16(low01, low23));
  _mm512_storeu_si512(out + 128, _mm512_unpacklo_epi16(high01, high23));
  _mm512_storeu_si512(out + 192, _mm512_unpackhi_epi16(high01, high23));
}

void interleave(__m128i r0, __m128i r1, __m128i r2, __m128i r3, uint8_t* out) {
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

struct Wide {
  using Vector = __m512i;
  static constexpr int kVectors = 4;
  static Vector fill(int8_t value) { return _mm512_set1_epi8(value); }
  static Vector load(__mmask64 mask, const int8_t* from) {
    return _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from), fill(-128));
  }
};
struct Narrow {
  using Vector = __m128i;
  static constexpr int kVectors = 1;
  static Vector fill(int8_t value) { return _mm_set1_epi8(value); }
  static Vector load(__mmask64 mask, const int8_t* from) {
    return _mm_xor_si128(_mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), from), fill(-128));
  }
};

// The strip under `columns` columns from input column `left` on, for the channels in `mask` from
// `channel` on: uint8 [columns][row groups][channels of the panel][4].
template <typename Panel>
void fill_strip(const DepthwiseConv2DInt8& conv, const int8_t* input, int32_t row, int32_t left,
                int64_t columns, int32_t channel, __mmask64 mask, uint8_t* strip) {
  const WindowShape& s = conv.shape;
  const typename Panel::Vector outside =
      Panel::fill(static_cast<int8_t>(conv.input_zero_point ^ -128));
  const int32_t groups = row_groups(s);
  for (int32_t g = 0; g < groups; ++g) {
    const int8_t* rows[kRows];
    for (int32_t i = 0; i < kRows; ++i) rows[i] = strip_row(s, input, row, g * kRows + i);
    uint8_t* out = strip + ptrdiff_t{g} * Panel::kVectors * 64;
    for (int64_t i = 0; i < columns; ++i, out += ptrdiff_t{groups} * Panel::kVectors * 64) {
      const int64_t x = left + i;
      const bool inside = x >= 0 && x < s.in_w;
      const ptrdiff_t at = x * s.in_c + channel;
      typename Panel::Vector r[kRows];
      for (int32_t k = 0; k < kRows; ++k) {
        r[k] = inside && rows[k] != nullptr ? Panel::load(mask, rows[k] + at) : outside;
      }
      interleave(r[0], r[1], r[2], r[3], out);
    }
  }
}

// ---- Products.

struct Output {
  __m512 low;
  __m512 high;  // Both less the zero point.
  __m512i zero_point;
  __m512i filter_zero_point;
  bool correct;  // filter_zero_point != 0
};

Output make_output(const DepthwiseConv2DInt8& conv) {
  Output o;
  o.low = _mm512_set1_ps(static_cast<float>(conv.output_min - conv.output_zero_point));
  o.high = _mm512_set1_ps(static_cast<float>(conv.output_max - conv.output_zero_point));
  o.zero_point = _mm512_set1_epi32(conv.output_zero_point);
  o.filter_zero_point = _mm512_set1_epi32(conv.filter_zero_point);
  o.correct = conv.filter_zero_point != 0;
  return o;
}

// 1 in every byte that a filter row stands for.
__m512i rows_of_group(const WindowShape& s, int32_t group) {
  const int32_t rows = s.filter_h - group * kRows;
  return _mm512_set1_epi32(rows >= 4 ? 0x01010101 : 0x01010101 & ((1 << 8 * rows) - 1));
}

__m512i requantize(const Output& o, __m512i acc, __m512 scale) {
  const __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
  const __m512 clamped = _mm512_min_ps(_mm512_max_ps(value, o.low), o.high);
  return _mm512_add_epi32(_mm512_cvtps_epi32(clamped), o.zero_point);
}

// Outputs of one panel over a strip. Groups: row groups, or 0 for any number; with one group and
// three columns all weights stay in registers.
template <int V, int FilterW, int Groups>
void multiply_strip(const DepthwiseConv2DInt8& conv, const Output& o, const std::byte* panel,
                    const uint8_t* strip, int32_t outputs, __mmask64 mask, int8_t* out) {
  const WindowShape& s = conv.shape;
  const int32_t filter_w = FilterW != 0 ? FilterW : s.filter_w;
  const int32_t groups = Groups != 0 ? Groups : row_groups(s);
  const auto* bias = reinterpret_cast<const int32_t*>(panel);
  const auto* scale = reinterpret_cast<const float*>(bias + V * kLanes);
  const auto* weights = reinterpret_cast<const int8_t*>(scale + V * kLanes);
  const ptrdiff_t column = ptrdiff_t{groups} * V * 64;
  const ptrdiff_t out_c = s.out_c;
  for (int32_t i = 0; i < outputs; ++i, strip += s.stride_w * column, out += out_c) {
    __m512i acc[V];
    __m512i sums[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      acc[v] = _mm512_loadu_si512(bias + v * kLanes);
      sums[v] = _mm512_setzero_si512();
    }
#pragma GCC unroll 3
    for (int32_t kx = 0; kx < filter_w; ++kx) {
#pragma GCC unroll 1
      for (int32_t g = 0; g < groups; ++g) {
        const uint8_t* u = strip + kx * s.dilation_w * column + ptrdiff_t{g} * V * 64;
        const int8_t* w = weights + (ptrdiff_t{kx} * groups + g) * V * 64;
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const __m512i pixels = _mm512_loadu_si512(u + v * 64);
          acc[v] = _mm512_dpbusd_epi32(acc[v], pixels, _mm512_loadu_si512(w + v * 64));
          if (o.correct) sums[v] = _mm512_dpbusd_epi32(sums[v], pixels, rows_of_group(s, g));
        }
      }
    }
    if (o.correct) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        acc[v] = _mm512_sub_epi32(acc[v], _mm512_mullo_epi32(sums[v], o.filter_zero_point));
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      acc[v] = requantize(o, acc[v], _mm512_loadu_ps(scale + v * kLanes));
    }
    if constexpr (V == 4) {
      const __m512i low = _mm512_packs_epi32(acc[0], acc[1]);
      const __m512i high = _mm512_packs_epi32(acc[2], acc[3]);
      _mm512_mask_storeu_epi8(out, mask, _mm512_packs_epi16(low, high));
    } else {
      _mm_mask_storeu_epi8(out, static_cast<__mmask16>(mask), _mm512_cvtepi32_epi8(acc[0]));
    }
  }
}

template <typename Panel>
void run_panel(const DepthwiseConv2DInt8& conv, const Output& o, const std::byte* panel,
               const int8_t* input, int32_t row, int32_t first, int32_t outputs, int32_t channel,
               int8_t* out, uint8_t* strip) {
  const WindowShape& s = conv.shape;
  const __mmask64 mask = first_lanes(
      s.out_c - channel < Panel::kVectors * kLanes ? s.out_c - channel : Panel::kVectors * kLanes);
  fill_strip<Panel>(conv, input, row, first * s.stride_w - s.pad_left, strip_columns(s, outputs),
                    channel, mask, strip);
  if (s.filter_h <= kRows && s.filter_w == 3) {
    multiply_strip<Panel::kVectors, 3, 1>(conv, o, panel, strip, outputs, mask, out + channel);
  } else {
    multiply_strip<Panel::kVectors, 0, 0>(conv, o, panel, strip, outputs, mask, out + channel);
  }
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  auto* strip = reinterpret_cast<uint8_t*>(scratch);
  const Output o = make_output(conv);
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t most = strip_outputs(s);
    for (int32_t first = 0; first < s.out_w; first += most) {
      const int32_t outputs = s.out_w - first < most ? s.out_w - first : most;
      int8_t* out = output + (ptrdiff_t{row} * s.out_w + first) * s.out_c;
      const std::byte* panel = packed;
      for (int32_t c = 0, vectors; c < s.out_c; c += vectors * kLanes) {
        vectors = panel_vectors(s.out_c - c);
        if (vectors == 4) {
          run_panel<Wide>(conv, o, panel, input, row, first, outputs, c, out, strip);
        } else {
          run_panel<Narrow>(conv, o, panel, input, row, first, outputs, c, out, strip);
        }
        panel += panel_bytes(s, vectors);
      }
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Avx512Vnni = {
    "strip/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
