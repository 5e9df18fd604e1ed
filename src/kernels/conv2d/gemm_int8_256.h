// int8 convolution as a matrix product on 256-bit registers, over the Products of the file that
// includes this.
#pragma once

#include "kernels/conv2d/tile_int8_256.h"

namespace deeplab::kernels {

template <typename P>
struct Gemm256 {
  using Value = typename P::Value;

  // Whether products go in pairs: what that adds per pixel must be spread over many channels.
  static bool paired(const Conv2DInt8& conv) {
    return P::kPairs && conv.shape.out_c > kPanel256 && gemm_depth(conv.shape) >= 64;
  }
  static int32_t padded_depth(const Conv2DInt8& conv) {
    return round_up(gemm_depth(conv.shape), paired(conv) ? 4 : P::kDepth);
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
    if (paired(conv)) take_back_pairs(conv, filter, packed);
    if (!P::kFilterZeroInWeights) pad_weights(conv, packed);
  }
  // Weights of values beyond the depth, whatever these are, become 0 once the zero point is
  // subtracted.
  static void pad_weights(const Conv2DInt8& conv, std::byte* packed) {
    const int32_t depth = padded_depth(conv);
    for (int32_t n = 0; n < conv.shape.out_c; ++n) {
      const int32_t first = n / kPanel256 * kPanel256;
      const int32_t width = conv.shape.out_c - first > kLanes256 ? kPanel256 : kLanes256;
      auto* weights = reinterpret_cast<typename P::Weight*>(
          packed + first * panel_channel_bytes<P>(depth) + ptrdiff_t{width} * 8);
      for (int32_t k = gemm_depth(conv.shape); k < depth; ++k) {
        weights[(ptrdiff_t{k / P::kDepth} * width + n - first) * P::kDepth + k % P::kDepth] =
            static_cast<typename P::Weight>(conv.filter_zero_point);
      }
    }
  }
  // w0 w2 + w1 w3 of all fours of a channel.
  static void take_back_pairs(const Conv2DInt8& conv, const int8_t* filter, std::byte* packed) {
    const int32_t depth = gemm_depth(conv.shape);
    for (int32_t n = 0; n < conv.shape.out_c; ++n, filter += depth) {
      const auto weight = [&](int32_t k) {
        return k < depth ? filter[k] - conv.filter_zero_point : 0;
      };
      int32_t sum = 0;
      for (int32_t k = 0; k < depth; k += 4) {
        sum += weight(k) * weight(k + 2) + weight(k + 1) * weight(k + 3);
      }
      panel_bias<P>(n, padded_depth(conv), packed) -= static_cast<uint32_t>(sum);
    }
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

  // What is to be added to all sums of a pixel.
  static bool corrects(const Conv2DInt8& conv) {
    return paired(conv) || (!P::kFilterZeroInWeights && conv.filter_zero_point != 0);
  }
  static void correct_block(const Conv2DInt8& conv, const Value* rows, ptrdiff_t stride,
                            int32_t count, int32_t* corrections) {
    const int32_t depth = padded_depth(conv);
    const __m128i factor = _mm_set1_epi32(paired(conv) ? -1 : -conv.filter_zero_point);
    // Four rows at a time, of which the last ones may be one: their sums are one vector.
    for (int32_t i = 0; i < count; i += 4) {
      const Value* four[4];
      for (int32_t k = 0; k < 4; ++k) {
        four[k] = rows + ptrdiff_t{i + k < count ? i + k : count - 1} * stride;
      }
      __m128i parts[4];
      P::row_sums(four, depth, parts);
      const auto both = [](__m128i a, __m128i b) {
        return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0x88));
      };
      const __m128i sums = _mm_hadd_epi32(both(parts[0], parts[1]), both(parts[2], parts[3]));
      const __m128i products = _mm_mullo_epi32(sums, factor);
      const int32_t left = count - i;
      memcpy(corrections + i, &products, left < 4 ? static_cast<size_t>(left) * 4 : 16);
    }
  }

  struct Tile {
    const Value* rows;
    ptrdiff_t stride;            // Values from a row to the next.
    const int32_t* corrections;  // Null: none.
    const std::byte* panel;
    int32_t depth;
    int32_t channels;  // Of the panel that exist.
    int8_t* out;
    int32_t out_stride;
  };

  // M pixels by V vectors of 8 channels.
  template <int M, int V, bool Paired>
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
    if constexpr (Paired) {
      for (int32_t k = 0; k < t.depth; k += 4, a += 4, weights += 2 * V) {
        typename P::Four w[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) {
          w[v] = {_mm256_loadu_si256(weights + v), _mm256_loadu_si256(weights + V + v)};
        }
#pragma GCC unroll 12
        for (int m = 0; m < M; ++m) {
          const Value* four = a + m * t.stride;
          const typename P::Four x = {broadcast_group(four), broadcast_group(four + 2)};
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) {
            acc[m][v] = P::add_pairs(acc[m][v], x, w[v]);
          }
        }
      }
    } else {
      for (int32_t k = 0; k < t.depth; k += P::kDepth, a += P::kDepth, weights += V) {
        __m256i w[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) w[v] = _mm256_loadu_si256(weights + v);
#pragma GCC unroll 12
        for (int m = 0; m < M; ++m) {
          const __m256i x = broadcast_group(a + m * t.stride);
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) acc[m][v] = P::add(acc[m][v], x, w[v]);
        }
      }
    }
    if (Paired || t.corrections != nullptr) {
#pragma GCC unroll 12
      for (int m = 0; m < M; ++m) {
        const __m256i correction = _mm256_set1_epi32(t.corrections[m]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[m][v] = _mm256_add_epi32(acc[m][v], correction);
      }
    }
    store_tile(r, scale, acc, t.channels, t.out, t.out_stride);
  }

  // All pixels of a block. The last tile is moved back to be whole: what it computes twice comes
  // out the same.
  // Not inlined: GCC 12 then has registers for what the loops of a tile need.
  template <int M, int V, bool Paired>
  [[gnu::noinline]] static void multiply_block(const Tile& block, const RequantizeAvx2& r,
                                               int32_t count) {
    const auto at = [&](int32_t m) {
      Tile t = block;
      t.rows += m * t.stride;
      if (t.corrections != nullptr) t.corrections += m;
      t.out += ptrdiff_t{m} * t.out_stride;
      return t;
    };
    if (count < M) {
      for (int32_t m = 0; m < count; ++m) multiply<1, V, Paired>(at(m), r);
      return;
    }
    for (int32_t m = 0; m + M <= count; m += M) multiply<M, V, Paired>(at(m), r);
    if (count % M != 0) multiply<M, V, Paired>(at(count - M), r);
  }

  // Rows of pixels, `stride` values from one to the next, to all channels of `output`.
  // `corrections` has room for one of each.
  static void multiply_rows(const Conv2DInt8& conv, const std::byte* packed, const Value* rows,
                            ptrdiff_t stride, int32_t count, int32_t* corrections, int8_t* output) {
    const int32_t out_c = conv.shape.out_c;
    if (corrects(conv)) correct_block(conv, rows, stride, count, corrections);
    const RequantizeAvx2 r = make_requantize(conv);
    Tile t;
    t.rows = rows;
    t.stride = stride;
    t.corrections = corrects(conv) ? corrections : nullptr;
    t.depth = padded_depth(conv);
    t.out_stride = out_c;
    for (int32_t n = 0; n < out_c; n += kPanel256) {
      t.panel = packed + n * panel_channel_bytes<P>(t.depth);
      t.channels = out_c - n < kPanel256 ? out_c - n : kPanel256;
      t.out = output + n;
      const bool wide = t.channels > kLanes256;
      if constexpr (P::kPairs) {
        // 8 sums, four of weights, two of a pixel, two of products.
        if (paired(conv)) {
          wide ? multiply_block<4, 2, true>(t, r, count) : multiply_block<8, 1, true>(t, r, count);
          continue;
        }
      }
      // Of 16 registers, 12 hold sums, two hold weights, one pixels and one products. 12 sums
      // also cover a dot product's latency of five at two per cycle.
      wide ? multiply_block<6, 2, false>(t, r, count) : multiply_block<12, 1, false>(t, r, count);
    }
  }

  static void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input,
                  int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    const int32_t block = gemm_block_pixels(row_bytes(conv));
    auto* rows = reinterpret_cast<Value*>(scratch);
    auto* corrections = reinterpret_cast<int32_t*>(scratch + rows_bytes(conv));
    auto* taps = reinterpret_cast<int8_t*>(corrections + block);
    const int32_t end = row_end * conv.shape.out_w;
    for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
      const int32_t count = end - pixel < block ? end - pixel : block;
      convert_block(conv, input, pixel, count, taps, rows);
      multiply_rows(conv, packed, rows, padded_depth(conv), count, corrections,
                    output + ptrdiff_t{pixel} * conv.shape.out_c);
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
