// int8 depthwise convolution on AVX2: two filter rows are one VPMADDWD. The strip holds for each
// column and channel the 16-bit values of two input rows (one beyond the filter meets a weight of
// zero). Weights are 16-bit differences w - wz; the input's zero point is taken back in the
// packed bias, since padding stands in the strip as the zero point.
#include <immintrin.h>
#include <string.h>

#include "kernels/copy_few.h"
#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/strip.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kPanel = 16;         // Channels at a time, in two vectors of eight.
constexpr int32_t kRows = 2;           // Filter rows in one multiply-add.
constexpr ptrdiff_t kGroupBytes = 64;  // kPanel * kRows 16-bit values.

int32_t row_groups(const WindowShape& s) { return (s.filter_h + kRows - 1) / kRows; }

// Which lane of a panel's 16 (two vectors) holds channel c: interleaving words works within
// 128-bit lanes, and the packs at the end undo it.
int32_t lane_of(int32_t c) { return c % 8 / 4 * 8 + c / 8 * 4 + c % 4; }

// packed: a panel: bias int32 [16], scale float [16], weights int16 [Kw][row groups][16][2].
ptrdiff_t panel_bytes(const WindowShape& s) {
  return kPanel * 8 + ptrdiff_t{s.filter_w} * row_groups(s) * kGroupBytes;
}

size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>((conv.shape.out_c + kPanel - 1) / kPanel * panel_bytes(conv.shape));
}

void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
          std::byte* packed) {
  const WindowShape& s = conv.shape;
  memset(packed, 0, packed_bytes(conv));
  for (int32_t c = 0; c < s.out_c; ++c) {
    std::byte* panel = packed + c / kPanel * panel_bytes(s);
    const int32_t lane = lane_of(c % kPanel);
    auto* panel_bias = reinterpret_cast<uint32_t*>(panel);
    auto* scale = reinterpret_cast<float*>(panel_bias + kPanel);
    auto* weights = reinterpret_cast<int16_t*>(scale + kPanel);
    int32_t sum = 0;
    for (int32_t ky = 0; ky < s.filter_h; ++ky) {
      for (int32_t kx = 0; kx < s.filter_w; ++kx) {
        const int32_t w = filter[(ptrdiff_t{ky} * s.filter_w + kx) * s.out_c + c];
        const ptrdiff_t group = ptrdiff_t{kx} * row_groups(s) + ky / kRows;
        weights[(group * kPanel + lane) * kRows + ky % kRows] =
            static_cast<int16_t>(w - conv.filter_zero_point);
        sum += w - conv.filter_zero_point;
      }
    }
    panel_bias[lane] = static_cast<uint32_t>(bias != nullptr ? bias[c] : 0) -
                       static_cast<uint32_t>(conv.input_zero_point) * static_cast<uint32_t>(sum);
    scale[lane] = conv.multipliers[c].scale;
  }
}

int64_t scratch_needed(const WindowShape& s) {
  return strip_bytes(s, int64_t{kGroupBytes} * row_groups(s));
}
size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(scratch_needed(conv.shape));
}
bool supports(const DepthwiseConv2DInt8& conv) {
  return conv.depth_multiplier == 1 && scratch_needed(conv.shape) <= kMaxStripBytes;
}

__m256i load_words(const int8_t* from, int32_t count) {
  __m128i bytes;
  if (count == kPanel) {
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  } else {
    alignas(16) int8_t all[kPanel] = {};
    copy_at_most_16(from, all, static_cast<size_t>(count));
    bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(all));
  }
  return _mm256_cvtepi8_epi16(bytes);
}

// The strip under `columns` columns from input column `left` on, for `count` channels from
// `channel` on: int16 [columns][row groups][16][2].
void fill_strip(const DepthwiseConv2DInt8& conv, const int8_t* input, int32_t row, int32_t left,
                int64_t columns, int32_t channel, int32_t count, std::byte* strip) {
  const WindowShape& s = conv.shape;
  const __m256i outside = _mm256_set1_epi16(static_cast<int16_t>(conv.input_zero_point));
  const int32_t groups = row_groups(s);
  for (int32_t g = 0; g < groups; ++g) {
    const int8_t* row0 = strip_row(s, input, row, g * kRows);
    const int8_t* row1 = strip_row(s, input, row, g * kRows + 1);
    std::byte* out = strip + g * kGroupBytes;
    for (int64_t i = 0; i < columns; ++i, out += groups * kGroupBytes) {
      const int64_t x = left + i;
      const bool inside = x >= 0 && x < s.in_w;
      const ptrdiff_t at = x * s.in_c + channel;
      const __m256i a = inside && row0 != nullptr ? load_words(row0 + at, count) : outside;
      const __m256i b = inside && row1 != nullptr ? load_words(row1 + at, count) : outside;
      auto* to = reinterpret_cast<__m256i*>(out);
      _mm256_storeu_si256(to, _mm256_unpacklo_epi16(a, b));
      _mm256_storeu_si256(to + 1, _mm256_unpackhi_epi16(a, b));
    }
  }
}

struct Output {
  __m256 low;
  __m256 high;  // Both less the zero point.
  __m256i zero_point;
};

__m256i requantize(const Output& o, __m256i acc, const float* scale) {
  const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(scale));
  const __m256 clamped = _mm256_min_ps(_mm256_max_ps(value, o.low), o.high);
  return _mm256_add_epi32(_mm256_cvtps_epi32(clamped), o.zero_point);
}

void store_bytes(__m256i first, __m256i second, int32_t count, int8_t* out) {
  const __m256i words = _mm256_packs_epi32(first, second);
  const __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  if (count == kPanel) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  } else {
    alignas(16) int8_t all[kPanel];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    copy_at_most_16(all, out, static_cast<size_t>(count));
  }
}

// Outputs of one panel over a strip. FilterW and Groups are 0 for any number.
template <int FilterW, int Groups>
void multiply_strip(const WindowShape& s, const Output& o, const std::byte* panel,
                    const std::byte* strip, int32_t outputs, int32_t count, int8_t* out) {
  const int32_t filter_w = FilterW != 0 ? FilterW : s.filter_w;
  const int32_t groups = Groups != 0 ? Groups : row_groups(s);
  const auto* bias = reinterpret_cast<const __m256i*>(panel);
  const auto* scale = reinterpret_cast<const float*>(bias + 2);
  const auto* weights = reinterpret_cast<const __m256i*>(scale + kPanel);
  const ptrdiff_t column = groups * kGroupBytes;
  const ptrdiff_t out_c = s.out_c;
  const ptrdiff_t step = s.stride_w * column;
  for (int32_t i = 0; i < outputs; ++i, strip += step, out += out_c) {
    __m256i acc0 = _mm256_loadu_si256(bias);
    __m256i acc1 = _mm256_loadu_si256(bias + 1);
#pragma GCC unroll 3
    for (int32_t kx = 0; kx < filter_w; ++kx) {
      const auto* x = reinterpret_cast<const __m256i*>(strip + kx * s.dilation_w * column);
#pragma GCC unroll 2
      for (int32_t g = 0; g < groups; ++g) {
        const __m256i* w = weights + (ptrdiff_t{kx} * groups + g) * 2;
        acc0 = _mm256_add_epi32(
            acc0, _mm256_madd_epi16(_mm256_loadu_si256(x + g * 2), _mm256_loadu_si256(w)));
        acc1 = _mm256_add_epi32(
            acc1, _mm256_madd_epi16(_mm256_loadu_si256(x + g * 2 + 1), _mm256_loadu_si256(w + 1)));
      }
    }
    store_bytes(requantize(o, acc0, scale), requantize(o, acc1, scale + 8), count, out);
  }
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  Output o;
  o.low = _mm256_set1_ps(static_cast<float>(conv.output_min - conv.output_zero_point));
  o.high = _mm256_set1_ps(static_cast<float>(conv.output_max - conv.output_zero_point));
  o.zero_point = _mm256_set1_epi32(conv.output_zero_point);
  const bool usual = s.filter_w == 3 && row_groups(s) == 2;
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t most = strip_outputs(s);
    for (int32_t first = 0; first < s.out_w; first += most) {
      const int32_t outputs = s.out_w - first < most ? s.out_w - first : most;
      int8_t* out = output + (ptrdiff_t{row} * s.out_w + first) * s.out_c;
      for (int32_t c = 0; c < s.out_c; c += kPanel) {
        const int32_t count = s.out_c - c < kPanel ? s.out_c - c : kPanel;
        const std::byte* panel = packed + c / kPanel * panel_bytes(s);
        fill_strip(conv, input, row, first * s.stride_w - s.pad_left, strip_columns(s, outputs), c,
                   count, scratch);
        if (usual) {
          multiply_strip<3, 2>(s, o, panel, scratch, outputs, count, out + c);
        } else {
          multiply_strip<0, 0>(s, o, panel, scratch, outputs, count, out + c);
        }
      }
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Avx2 = {
    "strip/avx2", Isa::kAvx2, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
