// The block on 256-bit registers, over the Products of the file that includes this. All stages take
// pixels as u = x + 128, and leave them so for the next one: what the depthwise convolution gives
// for a group are rows of the matrix product, [rows][columns][channels].
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/gemm_int8_256.h"
#include "kernels/inverted_residual/block.h"
#include "kernels/requantize_shifted_256.h"

namespace deeplab::kernels::inverted_residual {

template <typename P>
struct Block256 {
  using Value = typename P::Value;
  using Weight = typename P::Weight;
  using All = Block<Block256>;
  using Job = ExpandJob<Block256>;
  using Eight = DepthwiseWeights<Block256>;
  using Gemm = Gemm256<P>;

  static constexpr Isa kIsa = P::kIsa;
  static constexpr int32_t kShift = 128;
  static constexpr int32_t kDepth = P::kDepth;
  static constexpr int32_t kLowest = -128;
  static constexpr int32_t kLanes = kLanes256;
  static constexpr int32_t kBlock = kLanes256;
  static constexpr bool kBytes = sizeof(Value) == 1;
  static constexpr int32_t kVectors = P::kRowVectors;
  static constexpr ptrdiff_t kColumn = kVectors * 32;  // Eight channels of a column of a group.
  // Of 16 registers, four times as many hold sums; a product that is apart from its sum needs one,
  // too.
  static constexpr int32_t kMaxBlocks = kBytes ? 3 : 2;

  static constexpr int32_t place(int32_t channel, int32_t tap) { return channel * kDepth + tap; }

  // Fast: with kFloatBits in the biases.
  static constexpr int32_t kFastBias = kFloatBits;
  static bool may_be_fast(const Conv2DInt8& conv) { return is_relu(conv); }
  static bool is_fast(int32_t bias, int32_t negative, int32_t positive, float /*scale*/) {
    return fits_float_bits(bias, negative, positive);
  }

  struct Head {
    int32_t fast;
    // Filter columns with weights that do not fit less the filter's zero point.
    int32_t extra_columns;
    int32_t extra[kTaps];
    int32_t unused[kLanes - 2 - kTaps];
  };

  // ---- Expansion.

  using Requantize = RequantizeShifted256;
  static Requantize make_requantize(const Conv2DInt8& e) { return make_requantize_shifted(e); }

  static void fill_line(const Conv2DInt8& e, const int8_t* input, int32_t y, ptrdiff_t values,
                        Value* line) {
    kernels::fill_line<P>(e, input, y, values, line);
  }

  // Four rows of eight channels, as the depthwise convolution takes them.
  template <bool Relu>
  static void store_rows(const RequantizeShifted256& to, const __m256i (&rows)[4], std::byte* out) {
    auto* at = reinterpret_cast<__m256i*>(out);
    if constexpr (kBytes) {
      const __m256i order = _mm256_broadcastsi128_si256(
          _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
      _mm256_storeu_si256(at, _mm256_shuffle_epi8(to_shifted_bytes<Relu>(to, rows), order));
    } else {
      const __m256i order = _mm256_broadcastsi128_si256(
          _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
      const __m256i first = to_shifted_words<Relu>(to, rows[0], rows[1]);
      const __m256i last = to_shifted_words<Relu>(to, rows[2], rows[3]);
      _mm256_storeu_si256(at, _mm256_shuffle_epi8(first, order));
      _mm256_storeu_si256(at + 1, _mm256_shuffle_epi8(last, order));
    }
  }

  // Four rows of C columns by V vectors of 8 channels.
  template <int C, int V, bool Relu>
  [[gnu::always_inline]] static void expand_tile(const Job& job, const std::byte* lines,
                                                 std::byte* out) {
    const Panel<Weight>& p = job.panel;
    __m256i acc[C][kGroupRows][V];
#pragma GCC unroll 3
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) acc[c][r][v] = load(p.bias + v * kLanes);
      }
    }
    const Weight* weights = p.weights;
    const int32_t* offset = p.offsets;
    const int32_t* const end = offset + *p.lines;
    for (; offset != end; ++offset, weights += V * kLanes * kDepth) {
      const std::byte* at = lines + *offset;
      __m256i w[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) w[v] = load(weights + v * kLanes * kDepth);
#pragma GCC unroll 3
      for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
        for (int r = 0; r < kGroupRows; ++r) {
          const __m256i x = broadcast_group(at + r * job.row + c * job.pixel);
#pragma GCC unroll 3
          for (int v = 0; v < V; ++v) {
            acc[c][r][v] = P::add(acc[c][r][v], x, w[v]);
            P::settle(acc[c][r][v]);
          }
        }
      }
    }
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      const __m256 scale = _mm256_loadu_ps(p.scale + v * kLanes);
      const __m256 minus_offset = minus_offset_of(scale);
#pragma GCC unroll 3
      for (int c = 0; c < C; ++c) {
        __m256i rows[kGroupRows];
#pragma GCC unroll 4
        for (int r = 0; r < kGroupRows; ++r) {
          rows[r] = steps_of<Relu>(acc[c][r][v], scale, minus_offset);
        }
        store_rows<Relu>(job.to, rows, out + v * job.block + c * kColumn);
      }
    }
  }

  template <typename T>
  static __m256i load(const T* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }

  // Not inlined, as Gemm256::multiply_block().
  template <int C, int V, bool Relu>
  [[gnu::noinline]] static void expand_panel(const Job& job, const std::byte* lines,
                                             int32_t columns, std::byte* out) {
    if (columns < C) {
      for (ptrdiff_t x = 0; x < columns; ++x) {
        expand_tile<1, V, Relu>(job, lines + x * job.pixel, out + x * kColumn);
      }
      return;
    }
    // The last tile is moved back to be whole.
    for (ptrdiff_t x = 0; x < columns; x += C) {
      const ptrdiff_t at = x + C <= columns ? x : columns - C;
      expand_tile<C, V, Relu>(job, lines + at * job.pixel, out + at * kColumn);
    }
  }
  template <bool Relu>
  static void expand_panel(const Job& job, int32_t vectors, const std::byte* lines, int32_t columns,
                           std::byte* out) {
    if (vectors == 1) return expand_panel<kMaxBlocks, 1, Relu>(job, lines, columns, out);
    if (vectors == 2) return expand_panel<1, 2, Relu>(job, lines, columns, out);
    if constexpr (kMaxBlocks == 3) expand_panel<1, 3, Relu>(job, lines, columns, out);
  }
  static void expand_panel(const Job& job, bool fast, int32_t blocks, const std::byte* lines,
                           int32_t columns, std::byte* out) {
    fast ? expand_panel<true>(job, blocks, lines, columns, out)
         : expand_panel<false>(job, blocks, lines, columns, out);
  }

  static auto fill_outside(int32_t zero_point, int32_t rows) {
    struct Fill {
      Value values[kColumn / sizeof(Value)];
      Value masks[kColumn / sizeof(Value)];
      void operator()(std::byte* column, bool beside) const {
        auto* at = reinterpret_cast<__m256i*>(column);
        for (int32_t v = 0; v < kVectors; ++v, ++at) {
          const __m256i outside = load(values);
          const __m256i mask = load(masks + v * kLanes * kDepth);
          _mm256_storeu_si256(at, beside ? outside : _mm256_blendv_epi8(load(at), outside, mask));
        }
      }
    };
    Fill fill;
    for (int32_t i = 0; i < kVectors * kLanes * kDepth; ++i) {
      const int32_t row = i / (kLanes * kDepth) * kDepth + i % kDepth;
      fill.values[i] = P::value(static_cast<int8_t>(zero_point));
      fill.masks[i] = static_cast<Value>((rows >> row & 1) != 0 ? -1 : 0);
    }
    return fill;
  }

  // ---- Depthwise convolution, of eight channels at a time.

  // Vector v of a column's rows. Across: the last two of this group, and the first two of the next
  // one in the places of the first two.
  template <bool Across>
  static __m256i rows_at(const std::byte* at, const std::byte* next, int v) {
    if constexpr (!Across) return load(at + v * 32);
    if constexpr (kBytes) return _mm256_blend_epi16(load(at), load(next), 0x55);
    return load((v == 0 ? next : at) + v * 32);
  }

  // Four vectors of steps of eight channels to four pixels, or to the first one.
  template <int C, bool Relu>
  static void store_pixels(const RequantizeShifted256& to, const __m256i (&steps)[1][4], Value* out,
                           ptrdiff_t stride) {
    if constexpr (kBytes) {
      const __m256i bytes = in_order(to_shifted_bytes<Relu>(to, steps[0]));
      const __m128i low = _mm256_castsi256_si128(bytes);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), low);
      if constexpr (C == 4) {
        __m128i high = _mm256_extracti128_si256(bytes, 1);
        asm("" : "+x"(high));  // GCC 12 would extract it once for each type that it is stored as.
        const auto store_high = [](__m128i two, Value* at) {
          _mm_storeh_pd(reinterpret_cast<double*>(at), _mm_castsi128_pd(two));
        };
        store_high(low, out + stride);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 2 * stride), high);
        store_high(high, out + 3 * stride);
      }
    } else {
#pragma GCC unroll 2
      for (int i = 0; i < C; i += 2) {
        const __m256i words = _mm256_permute4x64_epi64(
            to_shifted_words<Relu>(to, steps[0][i], steps[0][i + 1]), 0xD8);
        store_halves<C == 1 ? 1 : 2>(words, out + i * stride, stride);
      }
    }
  }
  // The same of 16 channels, as bytes.
  template <int C, bool Relu>
  static void store_pixels(const RequantizeShifted256& to, const __m256i (&steps)[2][4], Value* out,
                           ptrdiff_t stride) {
    const __m256i first = in_order(to_shifted_bytes<Relu>(to, steps[0]));
    const __m256i last = in_order(to_shifted_bytes<Relu>(to, steps[1]));
    store_halves<C == 1 ? 1 : 2>(_mm256_unpacklo_epi64(first, last), out, 2 * stride);
    if constexpr (C == 4) {
      store_halves<2>(_mm256_unpackhi_epi64(first, last), out + stride, 2 * stride);
    }
  }
  // What packs leave of four vectors, one vector after the other.
  static __m256i in_order(__m256i bytes) {
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  template <int Halves>
  static void store_halves(__m256i both, Value* out, ptrdiff_t stride) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(both));
    if constexpr (Halves == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + stride), _mm256_extracti128_si256(both, 1));
    }
  }

  // Eights of channels that depthwise_tile() takes at a time, if there are as many: of bytes, two
  // make a pixel's store 16 bytes long.
  static constexpr int kMaxEights = kBytes ? 2 : 1;

  // What depthwise_tile() works on: one row of outputs.
  struct Row {
    const std::byte* at;
    const std::byte* next;
    ptrdiff_t eight_bytes;  // From eight channels to the next in a group.
    const Eight* eights;
    int32_t order;
    Value* out;
    ptrdiff_t stride;  // Values from a pixel of the output to the next.
    RequantizeShifted256 to;
  };

  // What all tiles of a row of eight channels need in registers.
  struct RowWeights {
    __m256i w[kTaps][kVectors];
    __m256i bias;
    __m256 scale;
    __m256 minus_offset;
  };

  // C outputs of E eights from column x on. The windows see each column that they share as one
  // load: two loads for every product would take longer than the products.
  template <int C, int E, int Stride, bool Across, bool Relu, bool Extra>
  [[gnu::always_inline]] static void depthwise_tile(const Row& row, const RowWeights (&weights)[E],
                                                    ptrdiff_t x) {
    __m256i acc[E][4];
#pragma GCC unroll 2
    for (int e = 0; e < E; ++e) {
      const RowWeights& all = weights[e];
      const std::byte* at = row.at + e * row.eight_bytes + x * Stride * kColumn;
      const std::byte* next = row.next + e * row.eight_bytes + x * Stride * kColumn;
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) acc[e][c] = all.bias;
#pragma GCC unroll 9
      for (int i = 0; i < (C - 1) * Stride + kTaps; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const __m256i rows = rows_at<Across>(at + i * kColumn, next + i * kColumn, v);
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) {
            const int kx = i - c * Stride;
            if (kx < 0 || kx >= kTaps) continue;
            acc[e][c] = P::add(acc[e][c], rows, all.w[kx][v]);
            P::settle(acc[e][c]);
          }
        }
      }
      if constexpr (Extra) {
        const Eight& eight = row.eights[e];
        for (int32_t i = 0; i < eight.extra_columns; ++i) {
          const ptrdiff_t kx = eight.extra[i];
          const Weight* rests = eight.rests + row.order * Eight::kOrder;
          const __m256i w = load(rests + kx * kLanes * kDepth);
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) {
            const ptrdiff_t column = (c * Stride + kx) * kColumn;
            acc[e][c] = P::add(acc[e][c], rows_at<Across>(at + column, next + column, 0), w);
          }
        }
      }
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) {
        acc[e][c] =
            c < C ? steps_of<Relu>(acc[e][c], all.scale, all.minus_offset) : _mm256_setzero_si256();
      }
    }
    store_pixels<C, Relu>(row.to, acc, row.out + x * row.stride, row.stride);
  }

  template <int E, int Stride, bool Across, bool Relu, bool Extra>
  [[gnu::noinline]] static void depthwise_row(const Row& given, int32_t columns) {
    constexpr int32_t kColumns = 4;
    const Row row = given;
    RowWeights weights[E];
    for (int e = 0; e < E; ++e) {
      const Eight& eight = row.eights[e];
      for (int i = 0; i < kTaps * kVectors; ++i) {
        weights[e].w[i / kVectors][i % kVectors] =
            load(eight.weights + row.order * Eight::kOrder + i * kLanes * kDepth);
      }
      weights[e].bias = load(eight.bias);
      weights[e].scale = _mm256_loadu_ps(eight.scale);
      weights[e].minus_offset = minus_offset_of(weights[e].scale);
    }
    if (columns < kColumns) {
      for (ptrdiff_t x = 0; x < columns; ++x) {
        depthwise_tile<1, E, Stride, Across, Relu, Extra>(row, weights, x);
      }
      return;
    }
    // The last tile is moved back to be whole.
    for (ptrdiff_t x = 0; x < columns; x += kColumns) {
      depthwise_tile<kColumns, E, Stride, Across, Relu, Extra>(
          row, weights, x + kColumns <= columns ? x : columns - kColumns);
    }
  }
  template <int E, int Stride, bool Across, bool Relu>
  static void depthwise_row(const Row& row, int32_t columns) {
    if constexpr (kBytes) {
      if (row.eights[0].extra_columns != 0 || row.eights[E - 1].extra_columns != 0) {
        return depthwise_row<E, Stride, Across, Relu, true>(row, columns);
      }
    }
    depthwise_row<E, Stride, Across, Relu, false>(row, columns);
  }
  template <int E, int Stride>
  static void depthwise_row(const Row& row, int32_t columns) {
    const bool relu = row.eights->fast != 0;
    if (row.order < 2) {
      relu ? depthwise_row<E, Stride, false, true>(row, columns)
           : depthwise_row<E, Stride, false, false>(row, columns);
    } else {
      relu ? depthwise_row<E, Stride, true, true>(row, columns)
           : depthwise_row<E, Stride, true, false>(row, columns);
    }
  }
  template <int E>
  static void depthwise_row(const Row& row, const WindowShape& s) {
    s.stride_h == 1 ? depthwise_row<E, 1>(row, s.out_w) : depthwise_row<E, 2>(row, s.out_w);
  }

  // ---- Depthwise convolution and projection. scratch: the pixels of up to four rows, and a
  // correction for each.

  static int32_t pixel_values(const Ops& ops) { return All::blocks_of(ops) * kBlock; }
  static size_t pixels_bytes(const Ops& ops) {
    const WindowShape& d = ops.depthwise.shape;
    const auto pixels = static_cast<size_t>(ptrdiff_t{kGroupRows / d.stride_h} * d.out_w);
    return (pixels * static_cast<size_t>(pixel_values(ops)) * sizeof(Value) + 63) / 64 * 64;
  }

  static void project(const Ops& ops, const std::byte* packed, int32_t group, const std::byte* at,
                      const std::byte* next, int8_t* output, std::byte* scratch) {
    const WindowShape& s = ops.depthwise.shape;
    const int32_t rows = rows_of(ops, group);
    auto* pixels = reinterpret_cast<Value*>(scratch);
    Row row;
    row.to = make_requantize_shifted(ops.depthwise);
    row.stride = pixel_values(ops);
    row.eight_bytes = All::block_bytes(ops);
    const Eight* eights = All::depthwise_at(ops, packed);
    for (int32_t e = 0, n; e < All::blocks_of(ops); e += n) {
      n = All::blocks_of(ops) - e < kMaxEights ? 1 : kMaxEights;
      row.at = at + e * row.eight_bytes;
      row.next = next + e * row.eight_bytes;
      row.eights = eights + e;
      for (int32_t r = 0; r < rows; ++r) {
        row.order = r * s.stride_h;
        row.out = pixels + ptrdiff_t{r} * s.out_w * row.stride + e * kLanes;
        n == 1 ? depthwise_row<1>(row, s) : depthwise_row<kMaxEights>(row, s);
      }
    }
    Gemm::multiply_rows(ops.project, All::project_at(ops, packed), pixels, row.stride,
                        rows * s.out_w, reinterpret_cast<int32_t*>(scratch + pixels_bytes(ops)),
                        output);
  }
  static bool project_supports(const Ops& ops) { return Gemm::supports(ops.project); }
  static size_t project_packed_bytes(const Ops& ops) { return Gemm::packed_bytes(ops.project); }
  static void project_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* to) {
    Gemm::pack(ops.project, weights.project, weights.project_bias, to);
  }
  static size_t project_scratch_bytes(const Ops& ops) {
    const auto pixels = static_cast<size_t>(ptrdiff_t{kGroupRows} * ops.depthwise.shape.out_w);
    return pixels_bytes(ops) + pixels * sizeof(int32_t);
  }
};

}  // namespace deeplab::kernels::inverted_residual
