// The first layer of MobileNets, 3x3 with stride 2 on three channels, on AVX-512 VNNI. The nine
// bytes of a filter row lie together in the picture: three dot products take them, and three bytes
// more whose weights are zero, straight from a line of shifted pixels (u = x + 128; see
// gemm_int8_avx512vnni.cc, also for the filter's zero point). No taps are gathered.
#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/kernel_list.h"
#include "kernels/requantize_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kTaps = 3;
constexpr int32_t kStride = 2;
constexpr int32_t kChannels = 3;
constexpr int32_t kPixelBytes = kStride * kChannels;  // From one output's window to the next one's.
constexpr int32_t kDots = 3;                          // Dot products per filter row.
constexpr int32_t kMaxOutputs = 32;

int32_t vectors(const Conv2DInt8& conv) { return conv.shape.out_c > kLanes ? 2 : 1; }

constexpr int32_t kLines = kTaps * kDots;  // Lines of weights.

// Lines with weights that do not fit a byte when less the filter's zero point.
struct Extra {
  int32_t lines;
  int32_t line[kLines];
};
constexpr ptrdiff_t kExtraBytes = 64;

// packed: with n = 16 or 32: Extra, bias int32 [n], scale float [n], weights int8 [9][n][4], and as
// many for what is left of them.
size_t packed_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(kExtraBytes) +
         static_cast<size_t>(vectors(conv)) * kLanes * (8 + 2 * kLines * 4);
}

void add_line(Extra& extra, int32_t line) {
  for (int32_t i = 0; i < extra.lines; ++i) {
    if (extra.line[i] == line) return;
  }
  extra.line[extra.lines++] = line;
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  constexpr int32_t kRow = kTaps * kChannels;
  const int32_t n = vectors(conv) * kLanes;
  memset(packed, 0, packed_bytes(conv));
  auto* extra = reinterpret_cast<Extra*>(packed);
  auto* packed_bias = reinterpret_cast<uint32_t*>(packed + kExtraBytes);
  auto* scale = reinterpret_cast<float*>(packed_bias + n);
  auto* weights = reinterpret_cast<int8_t*>(scale + n);
  int8_t* rests = weights + ptrdiff_t{kLines} * n * 4;
  for (int32_t c = 0; c < conv.shape.out_c; ++c) {
    int32_t sum = 0;
    for (int32_t k = 0; k < kTaps * kRow; ++k) {
      const int32_t w = filter[ptrdiff_t{c} * kTaps * kRow + k] - conv.filter_zero_point;
      const int32_t byte = nearest_byte(w);
      sum += w;
      const int32_t line = k / kRow * kDots + k % kRow / 4;
      const ptrdiff_t at = (ptrdiff_t{line} * n + c) * 4 + k % kRow % 4;
      weights[at] = static_cast<int8_t>(byte);
      rests[at] = static_cast<int8_t>(w - byte);
      if (w != byte) add_line(*extra, line);
    }
    packed_bias[c] =
        static_cast<uint32_t>(bias != nullptr ? bias[c] : 0) -
        static_cast<uint32_t>(128 + conv.input_zero_point) * static_cast<uint32_t>(sum);
    scale[c] = conv.multipliers[c].scale;
  }
}

// scratch: three lines, each under all windows of an output row, and what a dot product reads
// beyond the last window.
int64_t line_bytes(const WindowShape& s) {
  const int64_t bytes = int64_t{s.out_w - 1} * kPixelBytes + kDots * 4;
  return (bytes + 63) / 64 * 64;
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(kTaps * line_bytes(conv.shape));
}

// With a filter zero point of -128 a weight less it could need three bytes.
bool supports(const Conv2DInt8& conv) {
  const WindowShape& s = conv.shape;
  return s.in_c == kChannels && s.out_c <= kMaxOutputs && s.filter_h == kTaps &&
         s.filter_w == kTaps && s.stride_h == kStride && s.stride_w == kStride &&
         s.dilation_h == 1 && s.dilation_w == 1 && s.out_w < 1 << 20 &&
         conv.filter_zero_point != -128 && scales_below_one(conv.multipliers, s.out_c);
}

__m512i four_bytes(const uint8_t* from) {
  int32_t four;
  memcpy(&four, from, 4);
  return _mm512_set1_epi32(four);
}

struct Output {
  RequantizeAvx512 to;
  __m512i order;
  int32_t channels;
};

// M neighbouring outputs of V * 16 channels.
template <int M, int V>
void multiply(const Output& o, const std::byte* packed, const uint8_t* lines, ptrdiff_t line,
              int8_t* out) {
  const auto* extra = reinterpret_cast<const Extra*>(packed);
  const auto* bias = reinterpret_cast<const int32_t*>(packed + kExtraBytes);
  const auto* scale = reinterpret_cast<const float*>(bias + V * kLanes);
  const auto* weights = reinterpret_cast<const int8_t*>(scale + V * kLanes);
  const int8_t* rests = weights + kLines * V * 64;
  Sums512 acc[M][V];
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) acc[m][v] = load_sums(bias + v * kLanes);
  }
#pragma GCC unroll 3
  for (int ky = 0; ky < kTaps; ++ky) {
#pragma GCC unroll 3
    for (int dot = 0; dot < kDots; ++dot) {
      const uint8_t* u = lines + ky * line + dot * 4;
      const int8_t* w = weights + (ky * kDots + dot) * V * 64;
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) {
        const __m512i pixels = four_bytes(u + m * kPixelBytes);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) {
          acc[m][v] = add_products(acc[m][v], pixels, _mm512_loadu_si512(w + v * 64));
        }
      }
    }
  }
  for (int32_t i = 0; i < extra->lines; ++i) {
    const int32_t k = extra->line[i];
    const uint8_t* u = lines + k / kDots * line + k % kDots * 4;
    const int8_t* w = rests + ptrdiff_t{k} * V * 64;
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      const __m512i pixels = four_bytes(u + m * kPixelBytes);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        acc[m][v] = add_products(acc[m][v], pixels, _mm512_loadu_si512(w + v * 64));
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      acc[m][v] = (Sums512)to_steps((__m512i)acc[m][v], _mm512_loadu_ps(scale + v * kLanes));
    }
  }
  constexpr int kShare = 4 / V;  // Pixels in one pack.
  const auto mask = static_cast<__mmask32>((uint64_t{1} << o.channels) - 1);
#pragma GCC unroll 16
  for (int m = 0; m < M; m += kShare) {
    const auto at = [&](int i) { return (__m512i)acc[m + i / V][i % V]; };
    const __m512i bytes =
        _mm512_permutexvar_epi32(o.order, to_bytes(o.to, at(0), at(1), at(2), at(3)));
    int8_t* to = out + ptrdiff_t{m} * o.channels;
    if constexpr (V == 2) {
      _mm256_mask_storeu_epi8(to, mask, _mm512_castsi512_si256(bytes));
      _mm256_mask_storeu_epi8(to + o.channels, mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else if (o.channels == kLanes) {
      _mm512_storeu_si512(to, bytes);
    } else {
      const auto half = static_cast<__mmask16>(mask);
      _mm_mask_storeu_epi8(to, half, _mm512_castsi512_si128(bytes));
      _mm_mask_storeu_epi8(to + o.channels, half, _mm512_extracti32x4_epi32(bytes, 1));
      _mm_mask_storeu_epi8(to + 2 * o.channels, half, _mm512_extracti32x4_epi32(bytes, 2));
      _mm_mask_storeu_epi8(to + 3 * o.channels, half, _mm512_extracti32x4_epi32(bytes, 3));
    }
  }
}

// A row of outputs. The last ones are computed with those before them again, which come out the
// same; a row of fewer is computed in a place of its own.
template <int M, int V>
void multiply_row(const Output& o, const std::byte* packed, const uint8_t* lines, ptrdiff_t line,
                  int32_t outputs, int8_t* out) {
  if (outputs < M) {
    // Lines have room for the windows that exist only: one output at a time, four times over.
    constexpr int kShare = 4 / V;
    for (int32_t x = 0; x < outputs; ++x) {
      alignas(64) uint8_t own[kTaps][(kShare - 1) * kPixelBytes + kDots * 4] = {};
      for (int ky = 0; ky < kTaps; ++ky) {
        memcpy(own[ky], lines + ky * line + ptrdiff_t{x} * kPixelBytes, kDots * 4);
      }
      int8_t results[kShare * kMaxOutputs];
      multiply<kShare, V>(o, packed, own[0], sizeof(own[0]), results);
      memcpy(out + ptrdiff_t{x} * o.channels, results, static_cast<size_t>(o.channels));
    }
    return;
  }
  for (int32_t x = 0; x < outputs; x += M) {
    const ptrdiff_t first = x + M <= outputs ? x : outputs - M;
    multiply<M, V>(o, packed, lines + first * kPixelBytes, line, out + first * o.channels);
  }
}

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  const auto line = static_cast<ptrdiff_t>(line_bytes(s));
  auto* lines = reinterpret_cast<uint8_t*>(scratch);
  const Output o = {make_requantize(conv), bytes_in_order(), s.out_c};
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int8_t* picture = input + ptrdiff_t{row / s.out_h} * s.in_h * s.in_w * kChannels;
    for (int32_t ky = 0; ky < kTaps; ++ky) {
      fill_shifted_line(conv, picture, row % s.out_h * kStride - s.pad_top + ky, line,
                        lines + ky * line);
    }
    int8_t* out = output + ptrdiff_t{row} * s.out_w * s.out_c;
    vectors(conv) == 1 ? multiply_row<12, 1>(o, packed, lines, line, s.out_w, out)
                       : multiply_row<8, 2>(o, packed, lines, line, s.out_w, out);
  }
}

}  // namespace

const Conv2DInt8Kernel kConv2DInt8StemAvx512Vnni = {
    "stem/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
