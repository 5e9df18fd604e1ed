// What the float kernels share: packing, and the loop over blocks of pixels and tiles of channels.
// Products are added by fused multiply-adds in the reference's order (ky, kx, ci), and the bias
// comes last, so all kernels give the reference's bytes. Static and C-like for the reason im2col.h
// gives.
#pragma once

#include <string.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/im2col.h"

namespace deeplab::kernels {

/// packed: [Co / N] panels of what sums start from [N], bias [N], then weights [depth][N]; the
/// channels are filled up with zeros.
template <int N>
static inline size_t gemm_float_packed_bytes(const Conv2DFloat& conv) {
  return static_cast<size_t>(round_up(conv.shape.out_c, N)) *
         static_cast<size_t>(gemm_depth(conv.shape) + 2) * sizeof(float);
}

/// Where the panel of channel n has that channel.
template <int N>
static inline float* gemm_float_channel(const Conv2DFloat& conv, std::byte* packed, int32_t n) {
  return reinterpret_cast<float*>(packed) +
         static_cast<ptrdiff_t>(n / N) * N * (gemm_depth(conv.shape) + 2) + n % N;
}

template <int N>
static inline void gemm_float_start_from(const Conv2DFloat& conv, const float* sums,
                                         std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) *gemm_float_channel<N>(conv, packed, n) = sums[n];
}

template <int N>
static inline void gemm_float_pack(const Conv2DFloat& conv, const float* filter, const float* bias,
                                   std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  memset(packed, 0, gemm_float_packed_bytes<N>(conv));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    float* panel = gemm_float_channel<N>(conv, packed, n);
    if (bias != nullptr) panel[N] = bias[n] + 0.0f;
    for (int32_t k = 0; k < depth; ++k) {
      panel[(k + 2) * N] = filter[static_cast<ptrdiff_t>(n) * depth + k];
    }
  }
}

static inline size_t gemm_float_scratch_bytes(const Conv2DFloat& conv) {
  if (is_pointwise(conv.shape)) return 0;
  const int32_t row = gemm_depth(conv.shape) * static_cast<int32_t>(sizeof(float));
  return static_cast<size_t>(gemm_block_pixels(row)) * static_cast<size_t>(row);
}

static inline bool gemm_float_supports(const Conv2DFloat& conv) {
  return gemm_supports(conv.shape);
}

/// What one tile needs: `pixels` <= M rows of `depth` floats against one panel of N channels, of
/// which `channels` exist.
struct GemmFloatTile {
  const float* rows;
  const float* panel;
  int32_t depth;
  int32_t pixels;
  int32_t channels;
  float low;
  float high;
  float* out;
  int32_t out_stride;
};

/// Calls Multiply<pixels>::run(t), with pixels <= M known to the compiler.
template <template <int> class Multiply, int M>
static inline void multiply_pixels(const GemmFloatTile& t) {
  if constexpr (M > 1) {
    if (t.pixels < M) return multiply_pixels<Multiply, M - 1>(t);
  }
  Multiply<M>::run(t);
}

template <int M, int N, void (*Tile)(const GemmFloatTile&)>
static inline void gemm_float_run(const Conv2DFloat& conv, const std::byte* packed,
                                  const float* input, float* output, int32_t row_begin,
                                  int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  const int32_t depth = gemm_depth(s);
  const bool direct = is_pointwise(s);
  const int32_t block = gemm_block_pixels(depth * static_cast<int32_t>(sizeof(float)));
  const int32_t end = row_end * s.out_w;
  GemmFloatTile tile{};
  tile.depth = depth;
  tile.low = conv.output_min;
  tile.high = conv.output_max;
  tile.out_stride = s.out_c;
  for (int32_t pixel = row_begin * s.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    const float* rows = input + static_cast<ptrdiff_t>(pixel) * depth;
    if (!direct) {
      float* gathered = reinterpret_cast<float*>(scratch);
      for (int32_t i = 0; i < count; ++i) {
        gather_taps(s, input, 0.0f, pixel + i, gathered + static_cast<ptrdiff_t>(i) * depth);
      }
      rows = gathered;
    }
    for (int32_t n = 0; n < s.out_c; n += N) {
      tile.panel = reinterpret_cast<const float*>(packed) + static_cast<ptrdiff_t>(n) * (depth + 2);
      tile.channels = s.out_c - n < N ? s.out_c - n : N;
      for (int32_t m = 0; m < count; m += M) {
        tile.rows = rows + static_cast<ptrdiff_t>(m) * depth;
        tile.pixels = count - m < M ? count - m : M;
        tile.out = output + static_cast<ptrdiff_t>(pixel + m) * s.out_c + n;
        Tile(tile);
      }
    }
  }
}

}  // namespace deeplab::kernels
