// The block on 256-bit registers, over the Products of the file that includes this. All stages take
// pixels as u = x + 128, and leave them so for the next one:
//
//   a group of the expanded tensor: [channels / 8][columns][P::kRowVectors][8 channels][P::kDepth
//   rows], which is how the products of the depthwise convolution take four rows of a channel;
//
//   what the depthwise convolution gives for a group: its pixels as rows of the matrix product,
//   [rows][columns][channels].
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/conv2d/gemm_int8_256.h"
#include "kernels/inverted_residual/depthwise_weights.h"
#include "kernels/requantize_shifted_256.h"

namespace deeplab::kernels {

template <typename P>
struct Block256 {
  using Ops = InvertedResidualInt8;
  using Value = typename P::Value;
  using Weight = typename P::Weight;
  using Gemm = Gemm256<P>;

  static constexpr int32_t kTaps = 3;
  static constexpr bool kBytes = sizeof(Value) == 1;
  static constexpr int32_t kVectors = P::kRowVectors;
  static constexpr ptrdiff_t kColumn = kVectors * 32;  // Eight channels of a column of a group.
  // Vectors of channels in a panel of the expansion. Of 16 registers, four times as many hold sums;
  // a product that is apart from its sum needs one, too.
  static constexpr int32_t kMaxVectors = kBytes ? 3 : 2;
  // Deeper products belong to the matrix product.
  static constexpr int32_t kMaxLines = 256 / P::kDepth;
  // What a group and the lines under it may take: real layers are far below.
  static constexpr int64_t kMaxBytes = int64_t{1} << 20;

  // Eights of channels of the expanded tensor.
  static int32_t eights_of(const Ops& ops) {
    return (ops.depthwise.shape.out_c + kLanes256 - 1) / kLanes256;
  }
  // Columns of the expanded tensor that the depthwise windows reach, padding included, and how
  // many of them are inside the picture, from pad_left on.
  static int32_t columns_of(const WindowShape& d) { return (d.out_w - 1) * d.stride_w + kTaps; }
  static int32_t columns_inside(const WindowShape& d) {
    const int32_t left = columns_of(d) - d.pad_left;
    return left < 0 ? 0 : left < d.in_w ? left : d.in_w;
  }
  static ptrdiff_t eight_bytes(const Ops& ops) { return columns_of(ops.depthwise.shape) * kColumn; }
  static size_t group_bytes(const Ops& ops) {
    return static_cast<size_t>((eights_of(ops) * eight_bytes(ops) + 63) / 64 * 64);
  }

  // ---- Expansion. The taps of a filter row lie together in the picture: a line of weights takes
  // P::kDepth of them, the last one some that meet zeros.

  static int32_t row_taps(const WindowShape& s) { return s.filter_w * s.in_c; }
  static int32_t row_lines(const WindowShape& s) {
    return (row_taps(s) + P::kDepth - 1) / P::kDepth;
  }
  static int32_t plain_lines(const WindowShape& s) { return s.filter_h * row_lines(s); }
  // If weights are bytes, any line may need another one for what does not fit less the zero point.
  static int32_t most_lines(const Conv2DInt8& e) {
    return plain_lines(e.shape) * (kBytes && e.filter_zero_point != 0 ? 2 : 1);
  }
  static int32_t input_lines(const WindowShape& s) {
    return (kGroupRows - 1) * s.stride_h + s.filter_h;
  }
  static ptrdiff_t line_values(const Ops& ops) {
    const WindowShape& s = ops.expand.shape;
    const int64_t last = int64_t{columns_inside(ops.depthwise.shape) - 1} * s.stride_w * s.in_c;
    return ((last < 0 ? 0 : last) + row_lines(s) * P::kDepth + 63) / 64 * 64;
  }

  // Of V vectors of channels: bias int32 [V][8], scale float [V][8], lines int32, offsets int32
  // [most lines], up to a multiple of 32, weights [most lines][V][8][P::kDepth].
  struct Panel {
    int32_t* bias;
    float* scale;
    int32_t* lines;    // That there are,
    int32_t* offsets;  // and where the values of each are, in the lines of input.
    Weight* weights;
  };
  static ptrdiff_t panel_offsets_bytes(int32_t lines) { return round_up((1 + lines) * 4, 32); }
  static ptrdiff_t panel_bytes(int32_t vectors, int32_t lines) {
    return panel_offsets_bytes(lines) + ptrdiff_t{vectors} * 32 * (2 + lines);
  }
  static Panel panel_at(std::byte* at, int32_t vectors, int32_t lines) {
    Panel p;
    p.bias = reinterpret_cast<int32_t*>(at);
    p.scale = reinterpret_cast<float*>(p.bias + ptrdiff_t{vectors} * kLanes256);
    p.lines = reinterpret_cast<int32_t*>(p.scale + ptrdiff_t{vectors} * kLanes256);
    p.offsets = p.lines + 1;
    p.weights = reinterpret_cast<Weight*>(reinterpret_cast<std::byte*>(p.lines) +
                                          panel_offsets_bytes(lines));
    return p;
  }
  static int32_t panel_vectors(int32_t eights_left) {
    return eights_left < kMaxVectors ? eights_left : kMaxVectors;
  }

  // packed, expansion: whether the biases have kFloatBits in them, up to 64 bytes, then the panels.
  static constexpr ptrdiff_t kHeaderBytes = 64;

  static bool expand_supports(const Ops& ops) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const WindowShape& d = ops.depthwise.shape;
    const int64_t columns = int64_t{d.out_w} * d.stride_w + kTaps;
    const int64_t group = columns * kColumn * eights_of(ops);
    const int64_t line = columns * s.stride_w * s.in_c + int64_t{row_taps(s)} + 64;
    return s.batch == 1 && s.dilation_h == 1 && s.dilation_w == 1 && gemm_supports(s) &&
           plain_lines(s) <= kMaxLines && group <= kMaxBytes &&
           line * input_lines(s) <= kMaxBytes && scales_below_one(e.multipliers, s.out_c);
  }

  // body(first channel, vectors, where it is packed) for each panel.
  template <typename Byte, typename Body>
  static Byte* for_panels(const Ops& ops, Byte* at, const Body& body) {
    at += kHeaderBytes;
    for (int32_t e = 0, v; e < eights_of(ops); e += v) {
      v = panel_vectors(eights_of(ops) - e);
      body(e * kLanes256, v, at);
      at += panel_bytes(v, most_lines(ops.expand));
    }
    return at;
  }
  static size_t expand_packed_bytes(const Ops& ops) {
    ptrdiff_t bytes = kHeaderBytes;
    for (int32_t left = eights_of(ops), v; left > 0; left -= v) {
      v = panel_vectors(left);
      bytes += panel_bytes(v, most_lines(ops.expand));
    }
    return static_cast<size_t>((bytes + 63) / 64 * 64);
  }

  static void pack_panel(const Ops& ops, const InvertedResidualWeights& weights, int32_t first,
                         int32_t vectors, const Panel& p, int32_t* relu) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const int32_t taps = gemm_depth(s);
    const int32_t n = vectors * kLanes256;
    const int32_t channels = s.out_c - first < n ? s.out_c - first : n;
    const int8_t* filter = weights.expand + ptrdiff_t{first} * taps;
    for (int32_t c = 0; c < channels; ++c) {
      int32_t negative = 0;
      int32_t positive = 0;
      for (int32_t k = 0; k < taps; ++k) {
        const int32_t w = filter[ptrdiff_t{c} * taps + k] - e.filter_zero_point;
        (w < 0 ? negative : positive) += w;
      }
      const int32_t bias = weights.expand_bias != nullptr ? weights.expand_bias[first + c] : 0;
      p.bias[c] = shifted_bias(e, bias, negative + positive);
      if (!fits_float_bits(p.bias[c], negative, positive)) *relu = 0;
      p.scale[c] = e.multipliers[first + c].scale;
    }
    *p.lines = plain_lines(s);
    for (int32_t line = 0; line < plain_lines(s); ++line) {
      const int32_t ky = line / row_lines(s);
      const int32_t k = line % row_lines(s) * P::kDepth;
      Weight* plain = p.weights + ptrdiff_t{line} * n * P::kDepth;
      Weight* rests = p.weights + ptrdiff_t{*p.lines} * n * P::kDepth;
      bool any = false;
      p.offsets[line] =
          static_cast<int32_t>((ky * line_values(ops) + k) * static_cast<ptrdiff_t>(sizeof(Value)));
      for (int32_t c = 0; c < channels; ++c) {
        const int8_t* row = filter + ptrdiff_t{c} * taps + ky * row_taps(s);
        for (int32_t i = 0; i < P::kDepth && k + i < row_taps(s); ++i) {
          const int32_t w = row[k + i] - e.filter_zero_point;
          const int32_t near = kBytes ? nearest_byte(w) : w;
          plain[c * P::kDepth + i] = static_cast<Weight>(near);
          if (w == near) continue;
          rests[c * P::kDepth + i] = static_cast<Weight>(w - near);
          any = true;
        }
      }
      if (any) p.offsets[(*p.lines)++] = p.offsets[line];
    }
  }

  static void expand_pack(const Ops& ops, const InvertedResidualWeights& weights,
                          std::byte* packed) {
    const int32_t lines = most_lines(ops.expand);
    auto* relu = reinterpret_cast<int32_t*>(packed);
    *relu = is_relu(ops.expand);
    for_panels(ops, packed, [&](int32_t first, int32_t vectors, std::byte* at) {
      pack_panel(ops, weights, first, vectors, panel_at(at, vectors, lines), relu);
    });
    if (*relu == 0) return;
    for_panels(ops, packed, [&](int32_t /*first*/, int32_t vectors, std::byte* at) {
      int32_t* bias = panel_at(at, vectors, lines).bias;
      for (int32_t c = 0; c < vectors * kLanes256; ++c) bias[c] += kFloatBits;
    });
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

  struct Job {
    Panel panel;
    ptrdiff_t row;    // Bytes from a pixel to the one below,
    ptrdiff_t pixel;  // and to the next one, in the lines.
    ptrdiff_t eight;  // Bytes from eight channels to the next in a group.
    RequantizeShifted256 to;
  };

  // Four rows of C columns by V vectors of 8 channels.
  template <int C, int V, bool Relu>
  [[gnu::always_inline]] static void expand_tile(const Job& job, const std::byte* lines,
                                                 std::byte* out) {
    const Panel& p = job.panel;
    __m256i acc[C][kGroupRows][V];
#pragma GCC unroll 3
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) acc[c][r][v] = load(p.bias + v * kLanes256);
      }
    }
    const Weight* weights = p.weights;
    const int32_t* offset = p.offsets;
    const int32_t* const end = offset + *p.lines;
    for (; offset != end; ++offset, weights += V * kLanes256 * P::kDepth) {
      const std::byte* at = lines + *offset;
      __m256i w[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) w[v] = load(weights + v * kLanes256 * P::kDepth);
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
      const __m256 scale = _mm256_loadu_ps(p.scale + v * kLanes256);
      const __m256 minus_offset = minus_offset_of(scale);
#pragma GCC unroll 3
      for (int c = 0; c < C; ++c) {
        __m256i rows[kGroupRows];
#pragma GCC unroll 4
        for (int r = 0; r < kGroupRows; ++r) {
          rows[r] = steps_of<Relu>(acc[c][r][v], scale, minus_offset);
        }
        store_rows<Relu>(job.to, rows, out + v * job.eight + c * kColumn);
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
    if (vectors == 1) return expand_panel<kMaxVectors, 1, Relu>(job, lines, columns, out);
    if (vectors == 2) return expand_panel<1, 2, Relu>(job, lines, columns, out);
    if constexpr (kMaxVectors == 3) expand_panel<1, 3, Relu>(job, lines, columns, out);
  }

  // The places in which `rows` of the group (4 bits) are outside the picture, and the columns
  // beside.
  static void fill_outside(const Ops& ops, int32_t rows, std::byte* group) {
    const WindowShape& d = ops.depthwise.shape;
    const int32_t columns = columns_of(d);
    const int32_t end = d.pad_left + columns_inside(d);
    Value values[kColumn / sizeof(Value)];
    Value masks[kColumn / sizeof(Value)];
    for (int32_t i = 0; i < kVectors * kLanes256 * P::kDepth; ++i) {
      const int32_t row = i / (kLanes256 * P::kDepth) * P::kDepth + i % P::kDepth;
      values[i] = P::value(static_cast<int8_t>(ops.depthwise.input_zero_point));
      masks[i] = static_cast<Value>((rows >> row & 1) != 0 ? -1 : 0);
    }
    for (int32_t e = 0; e < eights_of(ops); ++e, group += eight_bytes(ops)) {
      for (int32_t x = 0; x < columns; ++x) {
        const bool beside = x < d.pad_left || x >= end;
        if (!beside && rows == 0) {
          x = end - 1;
          continue;
        }
        auto* at = reinterpret_cast<__m256i*>(group + x * kColumn);
        for (int32_t v = 0; v < kVectors; ++v, ++at) {
          const __m256i outside = load(values);
          const __m256i mask = load(masks + v * kLanes256 * P::kDepth);
          _mm256_storeu_si256(at, beside ? outside : _mm256_blendv_epi8(load(at), outside, mask));
        }
      }
    }
  }

  static void expand(const Ops& ops, const std::byte* packed, const int8_t* input, int32_t group,
                     std::byte* to, std::byte* scratch) {
    const Conv2DInt8& e = ops.expand;
    const WindowShape& s = e.shape;
    const WindowShape& d = ops.depthwise.shape;
    const int32_t first = group * kGroupRows - d.pad_top;
    int32_t outside = 0;
    for (int32_t r = 0; r < kGroupRows; ++r) {
      if (first + r < 0 || first + r >= s.out_h) outside |= 1 << r;
    }
    if (outside != 15) {
      const ptrdiff_t values = line_values(ops);
      auto* lines = reinterpret_cast<Value*>(scratch);
      for (int32_t i = 0; i < input_lines(s); ++i) {
        fill_line<P>(e, input, first * s.stride_h - s.pad_top + i, values, lines + i * values);
      }
      Job job;
      job.row = s.stride_h * values * static_cast<ptrdiff_t>(sizeof(Value));
      job.pixel = ptrdiff_t{s.stride_w} * s.in_c * static_cast<ptrdiff_t>(sizeof(Value));
      job.eight = eight_bytes(ops);
      job.to = make_requantize_shifted(e);
      const bool relu = *reinterpret_cast<const int32_t*>(packed) != 0;
      std::byte* out = to + d.pad_left * kColumn;
      for_panels(ops, const_cast<std::byte*>(packed),
                 [&](int32_t channel, int32_t vectors, std::byte* at) {
                   job.panel = panel_at(at, vectors, most_lines(e));
                   std::byte* eights = out + channel / kLanes256 * job.eight;
                   relu ? expand_panel<true>(job, vectors, scratch, columns_inside(d), eights)
                        : expand_panel<false>(job, vectors, scratch, columns_inside(d), eights);
                 });
    }
    fill_outside(ops, outside, to);
  }

  // ---- Depthwise convolution, of eight channels at a time.

  using Eight = DepthwiseWeights<kLanes256, Weight>;

  static size_t depthwise_packed_bytes(const Ops& ops) {
    return (sizeof(Eight) * static_cast<size_t>(eights_of(ops)) + 63) / 64 * 64;
  }

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
          const __m256i w = load(rests + kx * kLanes256 * P::kDepth);
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
            load(eight.weights + row.order * Eight::kOrder + i * kLanes256 * P::kDepth);
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
    const bool relu = row.eights->relu != 0;
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

  static int32_t pixel_values(const Ops& ops) { return eights_of(ops) * kLanes256; }
  static size_t pixels_bytes(const Ops& ops) {
    const WindowShape& d = ops.depthwise.shape;
    const auto pixels = static_cast<size_t>(kGroupRows / d.stride_h * d.out_w);
    return (pixels * static_cast<size_t>(pixel_values(ops)) * sizeof(Value) + 63) / 64 * 64;
  }

  static void project(const Ops& ops, const std::byte* packed, int32_t group, const std::byte* at,
                      const std::byte* next, int8_t* output, std::byte* scratch) {
    const DepthwiseConv2DInt8& d = ops.depthwise;
    const WindowShape& s = d.shape;
    const int32_t most = kGroupRows / s.stride_h;
    const int32_t left = s.out_h - group * most;
    const int32_t rows = left < most ? left : most;
    packed += expand_packed_bytes(ops);
    auto* pixels = reinterpret_cast<Value*>(scratch);
    Row row;
    row.to = make_requantize_shifted(d);
    row.stride = pixel_values(ops);
    row.eight_bytes = eight_bytes(ops);
    for (int32_t e = 0, n; e < eights_of(ops); e += n) {
      n = eights_of(ops) - e < kMaxEights ? 1 : kMaxEights;
      row.at = at + e * row.eight_bytes;
      row.next = next + e * row.eight_bytes;
      row.eights = reinterpret_cast<const Eight*>(packed) + e;
      for (int32_t r = 0; r < rows; ++r) {
        row.order = r * s.stride_h;
        row.out = pixels + ptrdiff_t{r} * s.out_w * row.stride + e * kLanes256;
        n == 1 ? depthwise_row<1>(row, s) : depthwise_row<kMaxEights>(row, s);
      }
    }
    packed += depthwise_packed_bytes(ops);
    Gemm::multiply_rows(ops.project, packed, pixels, row.stride, rows * s.out_w,
                        reinterpret_cast<int32_t*>(scratch + pixels_bytes(ops)), output);
  }

  // ---- The whole.

  static bool supports(const Ops& ops) {
    const DepthwiseConv2DInt8& d = ops.depthwise;
    const WindowShape& w = d.shape;
    const WindowShape& p = ops.project.shape;
    // What is left of a weight must fit a byte, too.
    const bool weights_fit =
        !kBytes || (ops.expand.filter_zero_point != -128 && d.filter_zero_point != -128);
    return d.depth_multiplier == 1 && w.filter_h == kTaps && w.filter_w == kTaps &&
           w.dilation_h == 1 && w.dilation_w == 1 && (w.stride_h == 1 || w.stride_h == 2) &&
           w.stride_w == w.stride_h && weights_fit && scales_below_one(d.multipliers, w.out_c) &&
           expand_supports(ops) && p.batch == 1 && is_pointwise(p) && Gemm::supports(ops.project);
  }
  static size_t packed_bytes(const Ops& ops) {
    return expand_packed_bytes(ops) + depthwise_packed_bytes(ops) + Gemm::packed_bytes(ops.project);
  }
  static void pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
    memset(packed, 0, packed_bytes(ops));
    expand_pack(ops, weights, packed);
    packed += expand_packed_bytes(ops);
    pack_depthwise(ops.depthwise, weights, reinterpret_cast<Eight*>(packed));
    packed += depthwise_packed_bytes(ops);
    Gemm::pack(ops.project, weights.project, weights.project_bias, packed);
  }
  static size_t scratch_bytes(const Ops& ops) {
    const WindowShape& d = ops.depthwise.shape;
    const size_t lines =
        static_cast<size_t>(input_lines(ops.expand.shape) * line_values(ops)) * sizeof(Value);
    const size_t pixels =
        pixels_bytes(ops) + static_cast<size_t>(kGroupRows * d.out_w) * sizeof(int32_t);
    return ((lines > pixels ? lines : pixels) + 63) / 64 * 64;
  }

  static constexpr InvertedResidualInt8Kernel entry(const char* name) {
    return {name,        P::kIsa,       supports, packed_bytes, pack,
            group_bytes, scratch_bytes, expand,   project};
  }
};

}  // namespace deeplab::kernels
