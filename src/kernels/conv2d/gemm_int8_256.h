// int8 convolution as a matrix product on 256-bit registers, over the Products of the file that
// includes this.
#pragma once

#include "kernels/conv2d/tile_int8_256.h"

namespace deeplab::kernels {

template <typename P>
struct Gemm256 {
  using Value = typename P::Value;

  static int32_t padded_depth(const Conv2DInt8& conv) {
    return round_up(gemm_depth(conv.shape), P::kDepth);
  }
  static int32_t row_bytes(const Conv2DInt8& conv) {
    return padded_depth(conv) * static_cast<int32_t>(sizeof(Value));
  }
  static size_t packed_bytes(const Conv2DInt8& conv) {
    return panels_bytes<P>(conv, padded_depth(conv));
  }
  static void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                   std::byte* packed) {
    const int32_t depth = padded_depth(conv);
    pack_panels<P>(conv, filter, bias, depth, depth, depth, packed);
  }
  static void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
    add_panel_bias<P>(conv, extra, padded_depth(conv), packed);
  }

  // scratch: the values of a block [pixels][padded depth], corrections int32 [pixels], one row of
  // taps.
  static size_t rows_bytes(const Conv2DInt8& conv) {
    const int32_t row = row_bytes(conv);
    return static_cast<size_t>(gemm_block_pixels(row)) * static_cast<size_t>(row);
  }
  static size_t scratch_bytes(const Conv2DInt8& conv) {
    return rows_bytes(conv) +
           static_cast<size_t>(gemm_block_pixels(row_bytes(conv))) * sizeof(int32_t) +
           static_cast<size_t>(gemm_depth(conv.shape));
  }

  static void convert(const int8_t* from, int32_t count, Value* to) {
    for (int32_t k = 0; k < count; ++k) to[k] = P::value(from[k]);
  }

  static void convert_block(const Conv2DInt8& conv, const int8_t* input, int32_t pixel,
                            int32_t count, int8_t* taps, Value* rows) {
    const int32_t depth = gemm_depth(conv.shape);
    const int32_t padded = padded_depth(conv);
    const bool direct = is_pointwise(conv.shape);
    if (direct && depth == padded) {
      convert(input + ptrdiff_t{pixel} * depth, count * depth, rows);
      return;
    }
    for (int32_t i = 0; i < count; ++i, rows += padded) {
      const int8_t* row = taps;
      if (direct) {
        row = input + ptrdiff_t{pixel + i} * depth;
      } else {
        gather_taps(conv.shape, input, static_cast<int8_t>(conv.input_zero_point), pixel + i, taps);
      }
      convert(row, depth, rows);
      for (int32_t k = depth; k < padded; ++k) rows[k] = 0;
    }
  }

  // Minus the filter's zero point times the sum of each row.
  static void correct_block(const Conv2DInt8& conv, const Value* rows, int32_t count,
                            int32_t* corrections) {
    const int32_t depth = padded_depth(conv);
    for (int32_t i = 0; i < count; ++i, rows += depth) {
      int32_t sum = 0;
      for (int32_t k = 0; k < depth; ++k) sum += rows[k];
      corrections[i] = -conv.filter_zero_point * sum;
    }
  }

  struct Tile {
    const Value* rows;
    const int32_t* corrections;  // Null: none.
    const std::byte* panel;
    int32_t depth;
    int32_t channels;  // Of the panel that exist.
    int8_t* out;
    int32_t out_stride;
  };

  // M pixels by V vectors of 8 channels.
  template <int M, int V>
  static void multiply(const Tile& t, const RequantizeAvx2& r) {
    const auto* bias = reinterpret_cast<const __m256i*>(t.panel);
    const auto* scale = reinterpret_cast<const float*>(bias + V);
    const auto* weights = reinterpret_cast<const __m256i*>(scale + V * kLanes256);
    __m256i acc[M][V];
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) acc[m][v] = _mm256_loadu_si256(bias + v);
    }
    const Value* a = t.rows;
    for (int32_t k = 0; k < t.depth; k += P::kDepth, a += P::kDepth, weights += V) {
      __m256i w[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) w[v] = _mm256_loadu_si256(weights + v);
#pragma GCC unroll 12
      for (int m = 0; m < M; ++m) {
        const __m256i x = broadcast_group(a + m * ptrdiff_t{t.depth});
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[m][v] = P::add(acc[m][v], x, w[v]);
      }
    }
    if constexpr (!P::kFilterZeroInWeights) {
      if (t.corrections != nullptr) {
#pragma GCC unroll 12
        for (int m = 0; m < M; ++m) {
          const __m256i correction = _mm256_set1_epi32(t.corrections[m]);
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) acc[m][v] = _mm256_add_epi32(acc[m][v], correction);
        }
      }
    }
    store_tile(r, scale, acc, t.channels, t.out, t.out_stride);
  }

  // All pixels of a block. The last tile is moved back to be whole: what it computes twice comes
  // out the same.
  template <int M, int V>
  static void multiply_block(const Tile& block, const RequantizeAvx2& r, int32_t count) {
    const auto at = [&](int32_t m) {
      Tile t = block;
      t.rows += ptrdiff_t{m} * t.depth;
      if (t.corrections != nullptr) t.corrections += m;
      t.out += ptrdiff_t{m} * t.out_stride;
      return t;
    };
    if (count < M) {
      for (int32_t m = 0; m < count; ++m) multiply<1, V>(at(m), r);
      return;
    }
    for (int32_t m = 0; m + M <= count; m += M) multiply<M, V>(at(m), r);
    if (count % M != 0) multiply<M, V>(at(count - M), r);
  }

  static void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input,
                  int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    const int32_t out_c = conv.shape.out_c;
    const int32_t block = gemm_block_pixels(row_bytes(conv));
    auto* rows = reinterpret_cast<Value*>(scratch);
    auto* corrections = reinterpret_cast<int32_t*>(scratch + rows_bytes(conv));
    auto* taps = reinterpret_cast<int8_t*>(corrections + block);
    const bool correct = !P::kFilterZeroInWeights && conv.filter_zero_point != 0;
    const RequantizeAvx2 r = make_requantize(conv);
    Tile t;
    t.rows = rows;
    t.corrections = correct ? corrections : nullptr;
    t.depth = padded_depth(conv);
    t.out_stride = out_c;

    const int32_t end = row_end * conv.shape.out_w;
    for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
      const int32_t count = end - pixel < block ? end - pixel : block;
      convert_block(conv, input, pixel, count, taps, rows);
      if (correct) correct_block(conv, rows, count, corrections);
      for (int32_t n = 0; n < out_c; n += kPanel256) {
        t.panel = packed + n * panel_channel_bytes<P>(t.depth);
        t.channels = out_c - n < kPanel256 ? out_c - n : kPanel256;
        t.out = output + ptrdiff_t{pixel} * out_c + n;
        // Of 16 registers, 12 hold sums, two hold weights, one pixels and one products. 12 sums
        // also cover a dot product's latency of five at two per cycle.
        if (t.channels > kLanes256) {
          multiply_block<6, 2>(t, r, count);
        } else {
          multiply_block<12, 1>(t, r, count);
        }
      }
    }
  }

  static bool supports(const Conv2DInt8& conv) {
    return gemm_supports(conv.shape) && scales_below_one(conv.multipliers, conv.shape.out_c);
  }

  static constexpr Conv2DInt8Kernel entry(const char* name) {
    return {name, P::kIsa, supports, packed_bytes, pack, scratch_bytes, run, add_bias};
  }
};

}  // namespace deeplab::kernels
