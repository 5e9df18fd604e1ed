// int8 convolution as a matrix product on AVX-512 VNNI. VPDPBUSD multiplies unsigned by signed
// bytes, four deep, exactly, so pixels are shifted to u = x + 128 (a flipped top bit) and what
// that adds is taken back in the packed bias:
//   sum (x - xz)(w - wz) = sum u (w - wz) - (128 + xz) sum (w - wz)
// Weights are packed as w - wz. If wz != 0 (uint8 files) a few of these do not fit a signed
// byte, one to three in a layer of real models: what is left of them goes into extra lines of
// weights, which are multiplied with the same pixels once more. All of it is exact modulo 2^32.
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

// Lines of weights that the taps fill, and that there may be: any of them may need an extra one.
int32_t plain_lines(const Conv2DInt8& conv) { return padded_depth(conv) / kDepthUnit; }
int32_t most_lines(const Conv2DInt8& conv) {
  return plain_lines(conv) * (conv.filter_zero_point != 0 ? 2 : 1);
}

// packed: panels of 64 channels, the last one of as many times 16 as it takes. A panel of n:
// bias int32 [n], scale float [n], lines int32, offsets int32 [most lines], up to the next
// multiple of 64; weights int8 [most lines][n][4].
struct Panel {
  int32_t channels;  // That exist,
  int32_t width;     // and that there is room for.
  int32_t* bias;
  float* scale;
  int32_t* lines;
  int32_t* offsets;  // Where in a pixel's row the four values of each line are.
  int8_t* weights;
};

ptrdiff_t offsets_bytes(const Conv2DInt8& conv) { return round_up((1 + most_lines(conv)) * 4, 64); }
ptrdiff_t panel_bytes(const Conv2DInt8& conv, int32_t width) {
  return ptrdiff_t{width} * (8 + kDepthUnit * most_lines(conv)) + offsets_bytes(conv);
}

// The panel that begins with output channel `first`.
Panel panel_at(const Conv2DInt8& conv, std::byte* packed, int32_t first) {
  Panel p;
  const int32_t left = conv.shape.out_c - first;
  p.channels = left < kPanel ? left : kPanel;
  p.width = round_up(p.channels, kLanes);
  p.bias = reinterpret_cast<int32_t*>(packed + first / kPanel * panel_bytes(conv, kPanel));
  p.scale = reinterpret_cast<float*>(p.bias + p.width);
  p.lines = reinterpret_cast<int32_t*>(p.scale + p.width);
  p.offsets = p.lines + 1;
  p.weights = reinterpret_cast<int8_t*>(p.lines) + offsets_bytes(conv);
  return p;
}

size_t packed_bytes(const Conv2DInt8& conv) {
  const int32_t whole = conv.shape.out_c / kPanel;
  const int32_t last = round_up(conv.shape.out_c % kPanel, kLanes);
  return static_cast<size_t>(whole * panel_bytes(conv, kPanel) +
                             (last != 0 ? panel_bytes(conv, last) : 0));
}

// Takes the filter's zero point off the weights of a panel. Zeros that fill up a panel may become
// something else: their pixels are zero, or nobody reads their sums.
void subtract_filter_zero(const Conv2DInt8& conv, const Panel& p) {
  const __m512i zero = _mm512_set1_epi8(static_cast<int8_t>(conv.filter_zero_point));
  const ptrdiff_t line = ptrdiff_t{p.width} * kDepthUnit;
  for (int32_t k = 0; k < plain_lines(conv); ++k) {
    int8_t* weights = p.weights + k * line;
    int8_t* extra = p.weights + *p.lines * line;
    __mmask64 any = 0;
    for (ptrdiff_t i = 0; i < line; i += 64) {
      const __m512i w = _mm512_loadu_si512(weights + i);
      const __m512i saturated = _mm512_subs_epi8(w, zero);
      const __m512i rest = _mm512_sub_epi8(_mm512_sub_epi8(w, zero), saturated);
      _mm512_storeu_si512(weights + i, saturated);
      _mm512_storeu_si512(extra + i, rest);
      any |= _mm512_test_epi8_mask(rest, rest);
    }
    if (any != 0) p.offsets[(*p.lines)++] = k * kDepthUnit;
  }
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  const int32_t shifted_zero = 128 + conv.input_zero_point;
  for (int32_t first = 0; first < conv.shape.out_c; first += kPanel) {
    const Panel p = panel_at(conv, packed, first);
    memset(p.bias, 0, static_cast<size_t>(p.width) * 8);
    memset(p.weights, 0, static_cast<size_t>(p.width * padded_depth(conv)));
    *p.lines = plain_lines(conv);
    for (int32_t k = 0; k < *p.lines; ++k) p.offsets[k] = k * kDepthUnit;
    const int8_t* rows = filter + static_cast<ptrdiff_t>(first) * depth;
    for (int32_t n = 0; n < p.channels; ++n) {
      int32_t sum = -depth * conv.filter_zero_point;
      for (int32_t k = 0; k < depth; ++k) sum += rows[static_cast<ptrdiff_t>(n) * depth + k];
      p.bias[n] =
          static_cast<int32_t>(static_cast<uint32_t>(bias != nullptr ? bias[first + n] : 0) -
                               static_cast<uint32_t>(shifted_zero) * static_cast<uint32_t>(sum));
      p.scale[n] = conv.multipliers[first + n].scale;
    }
    // Line by line as they are stored: reading from several places is cheaper than writing to them.
    int8_t* weights = p.weights;
    for (int32_t k = 0; k < depth; k += kDepthUnit, weights += ptrdiff_t{4} * p.width) {
      const int32_t bytes = depth - k < kDepthUnit ? depth - k : kDepthUnit;
      for (int32_t n = 0; n < p.channels; ++n) {
        const int8_t* from = rows + static_cast<ptrdiff_t>(n) * depth + k;
        bytes == kDepthUnit ? memcpy(weights + n * 4, from, 4)
                            : memcpy(weights + n * 4, from, static_cast<size_t>(bytes));
      }
    }
    if (conv.filter_zero_point != 0) subtract_filter_zero(conv, p);
  }
}

void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kPanel * kPanel;
    auto* bias = reinterpret_cast<uint32_t*>(panel_at(conv, packed, first).bias);
    bias[n - first] += static_cast<uint32_t>(extra[n]);
  }
}

// scratch: shifted pixels uint8 [block][depth'], one row of taps.
size_t rows_bytes(const Conv2DInt8& conv) {
  const int32_t depth = padded_depth(conv);
  return static_cast<size_t>(gemm_block_pixels(depth)) * static_cast<size_t>(depth);
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return rows_bytes(conv) + static_cast<size_t>(gemm_depth(conv.shape));
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

void shift_block(const Conv2DInt8& conv, const int8_t* input, int32_t pixel, int32_t count,
                 uint8_t* rows, int8_t* taps) {
  const int32_t depth = gemm_depth(conv.shape);
  const int32_t padded = padded_depth(conv);
  const bool direct = is_pointwise(conv.shape);
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
}

// What all tiles of a panel share. They get their rows and their output as arguments: a struct with
// these, copied for each tile, costs as much as a short product, since wide loads of what was just
// written in pieces wait for it.
struct Job {
  Panel panel;
  ptrdiff_t depth;
  ptrdiff_t out_stride;
  RequantizeAvx512 to;
  __m512i order;
};

// Bytes of Pixels pixels of V * 16 channels each, of which only the channels in `mask` exist.
template <int V, int Pixels>
void store_pixels(int8_t* out, ptrdiff_t stride, __mmask64 mask, __m512i bytes) {
  if constexpr (Pixels == 1) {
    _mm512_mask_storeu_epi8(out, mask, bytes);
  } else if constexpr (V == 2) {
    const auto half = static_cast<__mmask32>(mask);
    _mm256_mask_storeu_epi8(out, half, _mm512_castsi512_si256(bytes));
    _mm256_mask_storeu_epi8(out + stride, half, _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    const auto quarter = static_cast<__mmask16>(mask);
    _mm_mask_storeu_epi8(out, quarter, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi8(out + stride, quarter, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi8(out + 2 * stride, quarter, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi8(out + 3 * stride, quarter, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

// M pixels by V vectors of 16 channels.
template <int M, int V>
void multiply(const Job& job, const uint8_t* rows, int8_t* out) {
  const Panel& p = job.panel;
  Sums512 acc[M][V];
#pragma GCC unroll 24
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[m][v] = load_sums(p.bias + v * kLanes);
  }
  const int8_t* weights = p.weights;
  const int32_t* offset = p.offsets;
  const int32_t* const end = offset + *p.lines;
  for (; offset != end; ++offset, weights += V * 64) {
    const uint8_t* a = rows + *offset;
    __m512i w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(weights + v * 64);
#pragma GCC unroll 24
    for (int m = 0; m < M; ++m) {
      int32_t four;
      memcpy(&four, a + m * job.depth, 4);
      const __m512i u = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[m][v] = add_products(acc[m][v], u, w[v]);
    }
  }
#pragma GCC unroll 24
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      acc[m][v] = (Sums512)to_steps((__m512i)acc[m][v], _mm512_loadu_ps(p.scale + v * kLanes));
    }
  }
  const __mmask64 mask = first_lanes(p.channels);
  // Narrow panels: several pixels share a pack.
  constexpr int kShare = V >= 3 || M == 1 ? 1 : 4 / V;
#pragma GCC unroll 24
  for (int m = 0; m < M; m += kShare) {
    const auto at = [&](int i) { return (__m512i)acc[m + i / V % kShare][i % V]; };
    const __m512i bytes = to_bytes(job.to, at(0), at(1), at(2), at(3));
    store_pixels<V, kShare>(out + m * job.out_stride, job.out_stride, mask,
                            _mm512_permutexvar_epi32(job.order, bytes));
  }
}

// All pixels of a block. The last tile is moved back to be whole: what it computes twice comes
// out the same.
template <int M, int V>
void multiply_block(const Job& job, const uint8_t* rows, int8_t* out, int32_t count) {
  if (count < M) {
    for (ptrdiff_t m = 0; m < count; ++m) {
      multiply<1, V>(job, rows + m * job.depth, out + m * job.out_stride);
    }
    return;
  }
  for (ptrdiff_t m = 0; m < count; m += M) {
    const ptrdiff_t at = m + M <= count ? m : count - M;
    multiply<M, V>(job, rows + at * job.depth, out + at * job.out_stride);
  }
}

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const int32_t out_c = conv.shape.out_c;
  Job job;
  job.depth = padded_depth(conv);
  job.out_stride = out_c;
  job.to = make_requantize(conv);
  job.order = bytes_in_order();
  const int32_t block = gemm_block_pixels(padded_depth(conv));
  auto* rows = reinterpret_cast<uint8_t*>(scratch);
  auto* taps = reinterpret_cast<int8_t*>(scratch + rows_bytes(conv));

  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    shift_block(conv, input, pixel, count, rows, taps);
    for (int32_t n = 0; n < out_c; n += kPanel) {
      job.panel = panel_at(conv, const_cast<std::byte*>(packed), n);
      int8_t* out = output + static_cast<ptrdiff_t>(pixel) * out_c + n;
      // Tile heights: as many accumulators as leave registers for a pixel and the weights, and
      // 12 at least, to cover the latency of five at two per cycle.
      switch (job.panel.width / kLanes) {
        case 1:
          multiply_block<12, 1>(job, rows, out, count);
          break;
        case 2:
          multiply_block<12, 2>(job, rows, out, count);
          break;
        case 3:
          multiply_block<8, 3>(job, rows, out, count);
          break;
        default:
          multiply_block<6, 4>(job, rows, out, count);
      }
    }
  }
}

// With a zero point of -128 a weight less it could need three bytes.
bool supports(const Conv2DInt8& conv) {
  return gemm_supports(conv.shape) && conv.filter_zero_point != -128 &&
         scales_below_one(conv.multipliers, conv.shape.out_c);
}

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmAvx512Vnni = {
    "gemm/avx512vnni", Isa::kAvx512Vnni, supports, packed_bytes, pack, scratch_bytes, run,
    add_bias};

}  // namespace deeplab::kernels
