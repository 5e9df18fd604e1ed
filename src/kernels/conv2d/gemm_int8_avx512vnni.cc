// int8 convolution as a matrix product on AVX-512 VNNI. VPDPBUSD multiplies unsigned by signed
// bytes, four deep, exactly, so pixels are shifted to u = x + 128 (a flipped top bit) and what
// that adds is taken back in the packed bias:
//   sum (x - xz)(w - wz) = sum u w - wz sum u - (128 + xz) sum w + depth (128 + xz) wz
// The first correction is a sum a pixel, and only where wz != 0 (uint8 files); the rest is
// constant for a channel. All of it is exact modulo 2^32.
#include <immintrin.h>

#include "kernels/conv2d/im2col.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/requantize_avx512.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kLanes = 16;
constexpr int32_t kPanel = 4 * kLanes;  // Channels whose sums are in registers together.
constexpr int32_t kDepthUnit = 4;

int32_t padded_depth(const Conv2DInt8& conv) {
  return round_up(gemm_depth(conv.shape), kDepthUnit);
}

// packed: panels of 64 channels, the last one of as many times 16 as it takes. A panel of n:
// bias int32 [n], scale float [n], weights int8 [depth / 4][n][4].
ptrdiff_t channel_bytes(const Conv2DInt8& conv) { return 8 + padded_depth(conv); }

size_t packed_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(round_up(conv.shape.out_c, kLanes) * channel_bytes(conv));
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  const int32_t shifted_zero = 128 + conv.input_zero_point;
  memset(packed, 0, packed_bytes(conv));
  for (int32_t first = 0; first < conv.shape.out_c; first += kPanel) {
    const int32_t left = conv.shape.out_c - first;
    const int32_t channels = left < kPanel ? left : kPanel;
    const int32_t width = round_up(channels, kLanes);
    std::byte* panel = packed + first * channel_bytes(conv);
    auto* panel_bias = reinterpret_cast<uint32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + width);
    auto* weights = reinterpret_cast<int8_t*>(panel_scale + width);
    const int8_t* rows = filter + static_cast<ptrdiff_t>(first) * depth;
    for (int32_t n = 0; n < channels; ++n) {
      int32_t sum = -depth * conv.filter_zero_point;
      for (int32_t k = 0; k < depth; ++k) sum += rows[static_cast<ptrdiff_t>(n) * depth + k];
      panel_bias[n] = static_cast<uint32_t>(bias != nullptr ? bias[first + n] : 0) -
                      static_cast<uint32_t>(shifted_zero) * static_cast<uint32_t>(sum);
      panel_scale[n] = conv.multipliers[first + n].scale;
    }
    // Line by line as they are stored: reading from several places is cheaper than writing to them.
    for (int32_t k = 0; k < depth; k += kDepthUnit, weights += ptrdiff_t{4} * width) {
      const int32_t bytes = depth - k < kDepthUnit ? depth - k : kDepthUnit;
      for (int32_t n = 0; n < channels; ++n) {
        const int8_t* from = rows + static_cast<ptrdiff_t>(n) * depth + k;
        bytes == kDepthUnit ? memcpy(weights + n * 4, from, 4)
                            : memcpy(weights + n * 4, from, static_cast<size_t>(bytes));
      }
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

// scratch: shifted pixels uint8 [block][depth'], corrections int32 [block], one row of taps.
size_t rows_bytes(const Conv2DInt8& conv) {
  const int32_t depth = padded_depth(conv);
  return static_cast<size_t>(gemm_block_pixels(depth)) * static_cast<size_t>(depth);
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return rows_bytes(conv) +
         static_cast<size_t>(gemm_block_pixels(padded_depth(conv))) * sizeof(int32_t) +
         static_cast<size_t>(gemm_depth(conv.shape));
}

__mmask64 first_lanes(int32_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// row[k] + 128 for k < depth, then zeros to padded_depth.
void shift_row(const int8_t* row, int32_t depth, int32_t stored, uint8_t* out) {
  const __m512i flip = _mm512_set1_epi8(-128);
  for (int32_t k = 0; k < stored; k += 64) {
    const __mmask64 in = first_lanes(depth > k ? depth - k : 0);
    const __m512i x = _mm512_maskz_loadu_epi8(in, row + k);
    _mm512_mask_storeu_epi8(out + k, first_lanes(stored - k),
                            _mm512_xor_si512(x, _mm512_maskz_mov_epi8(in, flip)));
  }
}

// -wz times the sum of one shifted row.
int32_t row_correction(const uint8_t* row, int32_t depth, int32_t filter_zero_point) {
  __m512i sum = _mm512_setzero_si512();
  for (int32_t k = 0; k < depth; k += 64) {
    sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(first_lanes(depth - k), row + k),
                              _mm512_set1_epi8(1));
  }
  return -filter_zero_point * _mm512_reduce_add_epi32(sum);
}

void shift_block(const Conv2DInt8& conv, const int8_t* input, int32_t pixel, int32_t count,
                 uint8_t* rows, int32_t* corrections, int8_t* taps) {
  const int32_t depth = gemm_depth(conv.shape);
  const int32_t padded = padded_depth(conv);
  const bool direct = input_is_matrix(conv.shape);
  if (direct && depth == padded) {
    shift_row(input + static_cast<ptrdiff_t>(pixel) * depth, count * depth, count * depth, rows);
  } else {
    for (int32_t i = 0; i < count; ++i) {
      const int8_t* row = taps;
      if (direct) {
        row = input + static_cast<ptrdiff_t>(pixel + i) * depth;
      } else {
        gather_taps(conv.shape, input, static_cast<int8_t>(conv.input_zero_point), pixel + i, taps);
      }
      shift_row(row, depth, padded, rows + static_cast<ptrdiff_t>(i) * padded);
    }
  }
  for (int32_t i = 0; conv.filter_zero_point != 0 && i < count; ++i) {
    corrections[i] =
        row_correction(rows + static_cast<ptrdiff_t>(i) * padded, padded, conv.filter_zero_point);
  }
}

struct Requantizer {
  RequantizeAvx512 to;
  __m512i order;
};

struct Tile {
  const uint8_t* rows;
  const int32_t* corrections;  // Null: none.
  const std::byte* panel;
  int32_t depth;
  int32_t channels;  // Of the panel that exist.
  int8_t* out;
  int32_t out_stride;
};

// Bytes of Pixels pixels of V * 16 channels each, of which only the channels in `mask` exist.
template <int V, int Pixels>
void store_pixels(const Tile& t, int m, __mmask64 mask, __m512i bytes) {
  int8_t* out = t.out + static_cast<ptrdiff_t>(m) * t.out_stride;
  if constexpr (Pixels == 1) {
    _mm512_mask_storeu_epi8(out, mask, bytes);
  } else if constexpr (V == 2) {
    const auto half = static_cast<__mmask32>(mask);
    _mm256_mask_storeu_epi8(out, half, _mm512_castsi512_si256(bytes));
    _mm256_mask_storeu_epi8(out + t.out_stride, half, _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    const auto quarter = static_cast<__mmask16>(mask);
    const ptrdiff_t stride = t.out_stride;
    _mm_mask_storeu_epi8(out, quarter, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi8(out + stride, quarter, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi8(out + 2 * stride, quarter, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi8(out + 3 * stride, quarter, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

// M pixels by V vectors of 16 channels.
template <int M, int V>
void multiply(const Tile& t, const Requantizer& r) {
  const auto* bias = reinterpret_cast<const int32_t*>(t.panel);
  const auto* scale = reinterpret_cast<const float*>(bias + V * kLanes);
  const auto* weights = reinterpret_cast<const int8_t*>(scale + V * kLanes);
  __m512i acc[M][V];
#pragma GCC unroll 24
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[m][v] = _mm512_loadu_si512(bias + v * kLanes);
  }
  const uint8_t* a = t.rows;
  for (int32_t k = 0; k < t.depth; k += 4, a += 4, weights += V * 64) {
    __m512i w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(weights + v * 64);
#pragma GCC unroll 24
    for (int m = 0; m < M; ++m) {
      int32_t four;
      memcpy(&four, a + m * static_cast<ptrdiff_t>(t.depth), 4);
      const __m512i u = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[m][v] = _mm512_dpbusd_epi32(acc[m][v], u, w[v]);
    }
  }
  if (t.corrections != nullptr) {
#pragma GCC unroll 24
    for (int m = 0; m < M; ++m) {
      const __m512i correction = _mm512_set1_epi32(t.corrections[m]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[m][v] = _mm512_add_epi32(acc[m][v], correction);
    }
  }
#pragma GCC unroll 24
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      acc[m][v] = to_steps(acc[m][v], _mm512_loadu_ps(scale + v * kLanes));
    }
  }
  const __mmask64 mask = first_lanes(t.channels);
  // Narrow panels: several pixels share a pack.
  constexpr int kShare = V >= 3 || M == 1 ? 1 : 4 / V;
#pragma GCC unroll 24
  for (int m = 0; m < M; m += kShare) {
    const auto at = [&](int i) { return V >= 3 ? acc[m][i % V] : acc[m + i / V % kShare][i % V]; };
    const __m512i bytes = to_bytes(r.to, at(0), at(1), at(2), at(3));
    store_pixels<V, kShare>(t, m, mask, _mm512_permutexvar_epi32(r.order, bytes));
  }
}

// All pixels of a block. The last tile is moved back to be whole: what it computes twice comes
// out the same.
template <int M, int V>
void multiply_block(const Tile& block, const Requantizer& r, int32_t count) {
  const auto at = [&](int32_t m) {
    Tile t = block;
    t.rows += static_cast<ptrdiff_t>(m) * t.depth;
    if (t.corrections != nullptr) t.corrections += m;
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
  const int32_t depth = padded_depth(conv);
  const int32_t out_c = conv.shape.out_c;
  const int32_t block = gemm_block_pixels(depth);
  auto* rows = reinterpret_cast<uint8_t*>(scratch);
  auto* corrections = reinterpret_cast<int32_t*>(scratch + rows_bytes(conv));
  auto* taps = reinterpret_cast<int8_t*>(corrections + block);
  const Requantizer r = {make_requantize(conv), bytes_in_order()};
  Tile t;
  t.rows = rows;
  t.corrections = conv.filter_zero_point != 0 ? corrections : nullptr;
  t.depth = depth;
  t.out_stride = out_c;

  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    shift_block(conv, input, pixel, count, rows, corrections, taps);
    for (int32_t n = 0; n < out_c; n += kPanel) {
      t.panel = packed + n * channel_bytes(conv);
      t.channels = out_c - n < kPanel ? out_c - n : kPanel;
      t.out = output + static_cast<ptrdiff_t>(pixel) * out_c + n;
      // Tile heights: as many accumulators as leave registers for a pixel and the weights, and
      // 12 at least, to cover the latency of five at two a cycle.
      switch ((t.channels + kLanes - 1) / kLanes) {
        case 1:
          multiply_block<12, 1>(t, r, count);
          break;
        case 2:
          multiply_block<12, 2>(t, r, count);
          break;
        case 3:
          multiply_block<8, 3>(t, r, count);
          break;
        default:
          multiply_block<6, 4>(t, r, count);
      }
    }
  }
}

bool supports(const Conv2DInt8& conv) {
  return gemm_supports(conv.shape) && scales_below_one(conv.multipliers, conv.shape.out_c);
}

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmAvx512Vnni = {
    "gemm/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, scratch_bytes, run,
    add_bias};

}  // namespace deeplab::kernels
