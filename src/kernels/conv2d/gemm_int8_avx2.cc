// int8 convolution as a matrix product on AVX2: 16-bit differences and VPMADDWD, which is exact.
// (VPMADDUBSW would multiply bytes directly, but saturates: two products may reach 2 * 255 * 127.)
#include <immintrin.h>

#include "kernels/conv2d/gemm_int8_i16.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/copy_few.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 8;
constexpr int32_t kPanel = 2 * kLanes;
constexpr int32_t kDepthUnit = 2;

int32_t padded_depth(const Conv2DInt8& conv) {
  return round_up(gemm_depth(conv.shape), kDepthUnit);
}
int32_t row_bytes(const Conv2DInt8& conv) {
  return padded_depth(conv) * static_cast<int32_t>(sizeof(int16_t));
}

// packed: panels of 16 channels, the last one of 8 where that is enough. A panel of n: bias
// int32 [n], scale float [n], weights int16 [depth / 2][n][2].
ptrdiff_t channel_bytes(const Conv2DInt8& conv) { return 8 + row_bytes(conv); }

size_t packed_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(round_up(conv.shape.out_c, kLanes) * channel_bytes(conv));
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  memset(packed, 0, packed_bytes(conv));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kPanel * kPanel;
    const int32_t width = conv.shape.out_c - first > kLanes ? kPanel : kLanes;
    std::byte* panel = packed + first * channel_bytes(conv);
    auto* panel_bias = reinterpret_cast<int32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + width);
    auto* weights = reinterpret_cast<int16_t*>(panel_scale + width);
    panel_bias[n - first] = bias != nullptr ? bias[n] : 0;
    panel_scale[n - first] = conv.multipliers[n].scale;
    for (int32_t k = 0; k < depth; ++k) {
      weights[(static_cast<ptrdiff_t>(k / 2) * width + n - first) * 2 + k % 2] =
          static_cast<int16_t>(filter[static_cast<ptrdiff_t>(n) * depth + k] -
                               conv.filter_zero_point);
    }
  }
}

void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kPanel * kPanel;
    auto* bias = reinterpret_cast<uint32_t*>(packed + first * channel_bytes(conv));
    bias[n - first] += static_cast<uint32_t>(extra[n]);
  }
}

// scratch: 16-bit rows of one block, one row of taps.
size_t rows_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(gemm_block_pixels(row_bytes(conv))) *
         static_cast<size_t>(row_bytes(conv));
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return rows_bytes(conv) + static_cast<size_t>(gemm_depth(conv.shape));
}

struct Requantizer {
  __m256 high;  // (output_max - zero point): keeps the conversion to int32 in range.
  __m128i zero_point;
  __m128i min;
};

Requantizer make_requantizer(const Conv2DInt8& conv) {
  Requantizer r;
  r.high = _mm256_set1_ps(static_cast<float>(conv.output_max - conv.output_zero_point));
  r.zero_point = _mm_set1_epi16(static_cast<int16_t>(conv.output_zero_point));
  r.min = _mm_set1_epi8(static_cast<int8_t>(conv.output_min));
  return r;
}

// Eight sums to 16-bit output values. What is too small saturates: to -32768 here (the
// conversion gives INT_MIN), to -128 in the pack to bytes.
__m128i to_words(const Requantizer& r, __m256i acc, const float* scale) {
  const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(scale));
  const __m256i steps = _mm256_cvtps_epi32(_mm256_min_ps(value, r.high));
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(steps), _mm256_extracti128_si256(steps, 1));
  return _mm_adds_epi16(words, r.zero_point);
}

void store_bytes(__m128i bytes, int32_t count, int8_t* out) {
  if (count == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  } else if (count == 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
  } else {
    alignas(16) int8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    copy_at_most_16(all, out, static_cast<size_t>(count));
  }
}

struct Tile {
  const int16_t* rows;
  const std::byte* panel;
  int32_t depth;
  int32_t channels;  // Of the panel that exist.
  int8_t* out;
  int32_t out_stride;
};

// M pixels by V vectors of 8 channels.
template <int M, int V>
void multiply(const Tile& t, const Requantizer& r) {
  const auto* bias = reinterpret_cast<const int32_t*>(t.panel);
  const auto* scale = reinterpret_cast<const float*>(bias + V * kLanes);
  const auto* weights = reinterpret_cast<const __m256i*>(scale + V * kLanes);
  __m256i acc[M][V];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      acc[m][v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bias) + v);
    }
  }
  const int16_t* a = t.rows;
  for (int32_t k = 0; k < t.depth; k += 2, a += 2, weights += V) {
    __m256i w[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) w[v] = _mm256_loadu_si256(weights + v);
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
      int32_t pair;
      memcpy(&pair, a + m * static_cast<ptrdiff_t>(t.depth), 4);
      const __m256i x = _mm256_set1_epi32(pair);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        acc[m][v] = _mm256_add_epi32(acc[m][v], _mm256_madd_epi16(x, w[v]));
      }
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
    const __m128i low = to_words(r, acc[m][0], scale);
    const __m128i high = V == 1 ? low : to_words(r, acc[m][V - 1], scale + kLanes);
    store_bytes(_mm_max_epi8(_mm_packs_epi16(low, high), r.min), t.channels,
                t.out + static_cast<ptrdiff_t>(m) * t.out_stride);
  }
}

// All pixels of a block. The last tile is moved back to be whole: what it computes twice comes
// out the same.
template <int M, int V>
void multiply_block(const Tile& block, const Requantizer& r, int32_t count) {
  const auto at = [&](int32_t m) {
    Tile t = block;
    t.rows += static_cast<ptrdiff_t>(m) * t.depth;
    t.out += static_cast<ptrdiff_t>(m) * t.out_stride;
    return t;
  };
  if (count < M) {
    for (int32_t m = 0; m < count; ++m) multiply<1, V>(at(m), r);
    return;
  }
  for (int32_t m = 0; m + M <= count; m += M) multiply<M, V>(at(m), r);
  if (count % M != 0) multiply<M, V>(at(count - M), r);
}

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const int32_t out_c = conv.shape.out_c;
  const int32_t block = gemm_block_pixels(row_bytes(conv));
  auto* rows = reinterpret_cast<int16_t*>(scratch);
  auto* taps = reinterpret_cast<int8_t*>(scratch + rows_bytes(conv));
  const Requantizer r = make_requantizer(conv);
  Tile t;
  t.rows = rows;
  t.depth = padded_depth(conv);
  t.out_stride = out_c;

  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    widen_block(conv, input, pixel, count, t.depth, taps, rows);
    for (int32_t n = 0; n < out_c; n += kPanel) {
      t.panel = packed + n * channel_bytes(conv);
      t.channels = out_c - n < kPanel ? out_c - n : kPanel;
      t.out = output + static_cast<ptrdiff_t>(pixel) * out_c + n;
      // Of 16 registers, 12 hold sums, two weights, and two a pixel and a product.
      if (t.channels > kLanes) {
        multiply_block<6, 2>(t, r, count);
      } else {
        multiply_block<12, 1>(t, r, count);
      }
    }
  }
}

bool supports(const Conv2DInt8& conv) { return gemm_supports(conv.shape); }

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmAvx2 = {"gemm/avx2", Isa::kAvx2,    supports, packed_bytes,
                                              pack,        scratch_bytes, run,      add_bias};

}  // namespace deeplab::kernels
