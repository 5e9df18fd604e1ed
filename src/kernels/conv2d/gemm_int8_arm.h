// What the NEON and the dot product int8 kernels share. Both multiply signed bytes as they lie in
// memory, so that a 1x1 convolution reads its input in place; the zero points are taken back after:
//   sum (x - xz)(w - wz) = sum x w - wz sum x - xz sum (w - wz)
// The last term is constant for a channel and goes into the packed bias; the one before it is a
// sum per pixel, and only if wz != 0 (uint8 files). All of it is exact modulo 2^32.
// Static and C-like for the reason im2col.h gives.
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/im2col.h"
#include "kernels/copy_few.h"
#include "kernels/requantize_neon.h"

namespace deeplab::kernels {

static constexpr int32_t kArmLanes = 4;
static constexpr int32_t kArmPanel =
    4 * kArmLanes;  // Channels whose sums are in registers together.
static constexpr int32_t kArmDepthUnit = 4;

static inline int32_t arm_padded_depth(const Conv2DInt8& conv) {
  return round_up(gemm_depth(conv.shape), kArmDepthUnit);
}

// packed: a header; panels of 16 channels, the last one of as many times 4 as it takes. A panel of
// n: bias int32 [n], scale float [n], weights int8 [depth / 4][n / 4][16], whose 16 bytes (four
// channels, four taps) stand as `Place` says.
struct ArmHeader {
  int32_t
      lowest_pairs;  ///< Weights of -128 whose sum of two products leaves int16; see the NEON file.
  int32_t narrow;    ///< Whether all channels are; see requantize_neon.h.
  int32_t unused[2];
};

static inline ptrdiff_t arm_channel_bytes(const Conv2DInt8& conv) {
  return 8 + arm_padded_depth(conv);
}

static inline size_t arm_packed_bytes(const Conv2DInt8& conv) {
  return sizeof(ArmHeader) +
         static_cast<size_t>(round_up(conv.shape.out_c, kArmLanes) * arm_channel_bytes(conv));
}

/// `Place(channel, tap)`, both below 4, is a place in 16 bytes.
template <int32_t (*Place)(int32_t channel, int32_t tap)>
static inline void arm_pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias,
                            std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  memset(packed, 0, arm_packed_bytes(conv));
  ArmHeader header = {};
  header.narrow = may_be_narrow(conv);
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kArmPanel * kArmPanel;
    const int32_t left = round_up(conv.shape.out_c - first, kArmLanes);
    const int32_t width = left < kArmPanel ? left : kArmPanel;
    std::byte* panel = packed + sizeof header + first * arm_channel_bytes(conv);
    auto* panel_bias = reinterpret_cast<uint32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + width);
    auto* weights = reinterpret_cast<int8_t*>(panel_scale + width);
    const int8_t* row = filter + static_cast<ptrdiff_t>(n) * depth;
    int32_t sum = 0;
    int32_t size = 0;
    for (int32_t k = 0; k < depth; ++k) {
      const int32_t w = row[k] - conv.filter_zero_point;
      sum += w;
      size += w < 0 ? -w : w;
      weights[static_cast<ptrdiff_t>(k / 4) * width * 4 + (n - first) / 4 * 16 +
              Place(n % 4, k % 4)] = row[k];
      if (k % 4 >= 2 && row[k] == -128 && row[k - 2] == -128) ++header.lowest_pairs;
    }
    panel_bias[n - first] =
        static_cast<uint32_t>(bias != nullptr ? bias[n] : 0) -
        static_cast<uint32_t>(conv.input_zero_point) * static_cast<uint32_t>(sum);
    panel_scale[n - first] = conv.multipliers[n].scale;
    const auto packed_bias = static_cast<int32_t>(panel_bias[n - first]);
    if (!is_narrow(packed_bias, size, conv.multipliers[n].scale)) header.narrow = 0;
  }
  memcpy(packed, &header, sizeof header);
}

static inline void arm_add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
  reinterpret_cast<ArmHeader*>(packed)->narrow = 0;
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const int32_t first = n / kArmPanel * kArmPanel;
    auto* bias =
        reinterpret_cast<uint32_t*>(packed + sizeof(ArmHeader) + first * arm_channel_bytes(conv));
    bias[n - first] += static_cast<uint32_t>(extra[n]);
  }
}

/// Whether the rows of the product can be read where they are.
static inline bool arm_in_place(const Conv2DInt8& conv) {
  return is_pointwise(conv.shape) && conv.shape.in_c % kArmDepthUnit == 0;
}

// scratch: corrections int32 [block], then rows int8 [block][depth'] if they are gathered.
static inline size_t arm_scratch_bytes(const Conv2DInt8& conv) {
  const int32_t depth = arm_padded_depth(conv);
  const auto block = static_cast<size_t>(gemm_block_pixels(depth));
  return block * sizeof(int32_t) + (arm_in_place(conv) ? 0 : block * static_cast<size_t>(depth));
}

static inline bool arm_supports(const Conv2DInt8& conv) {
  return gemm_supports(conv.shape) && scales_below_one(conv.multipliers, conv.shape.out_c);
}

/// Rows of pixels [pixel, pixel + count), filled up with zeros to `depth`.
static inline void arm_gather(const Conv2DInt8& conv, const int8_t* input, int32_t pixel,
                              int32_t count, int32_t depth, int8_t* rows) {
  const int32_t taps = gemm_depth(conv.shape);
  const bool matrix = is_pointwise(conv.shape);
  for (int32_t i = 0; i < count; ++i, rows += depth) {
    if (matrix) {
      copy_few(input + static_cast<ptrdiff_t>(pixel + i) * taps, rows, static_cast<size_t>(taps));
    } else {
      gather_taps(conv.shape, input, static_cast<int8_t>(conv.input_zero_point), pixel + i, rows);
    }
    for (int32_t k = taps; k < depth; ++k) rows[k] = 0;
  }
}

/// -wz times the sum of each row.
static inline void arm_corrections(const int8_t* rows, int32_t count, int32_t depth,
                                   int32_t filter_zero_point, int32_t* corrections) {
  for (int32_t i = 0; i < count; ++i, rows += depth) {
    int32x4_t sums = vdupq_n_s32(0);
    int32_t k = 0;
    for (; k + 16 <= depth; k += 16) {
      sums = vpadalq_s16(sums, vpaddlq_s8(vld1q_s8(rows + k)));
    }
    int32_t sum = vaddvq_s32(sums);
    for (; k < depth; ++k) sum += rows[k];
    corrections[i] = -filter_zero_point * sum;
  }
}

struct ArmTile {
  const int8_t* rows;
  const int32_t* corrections;  // Null: none.
  const std::byte* panel;
  int32_t depth;
  int32_t channels;  // Of the panel that exist.
  int8_t* out;
  int32_t out_stride;
};

static inline void arm_store(int8x16_t bytes, int32_t count, int8_t* out) {
  if (count == 16) {
    vst1q_s8(out, bytes);
  } else if (count == 8) {
    vst1_s8(out, vget_low_s8(bytes));
  } else if (count == 12) {
    const int32_t last = vgetq_lane_s32(vreinterpretq_s32_s8(bytes), 2);
    vst1_s8(out, vget_low_s8(bytes));
    memcpy(out + 8, &last, 4);
  } else {
    int8_t all[16];
    vst1q_s8(all, bytes);
    copy_at_most_16(all, out, static_cast<size_t>(count));
  }
}

/// The sums of V * 4 channels of one pixel to bytes in memory.
template <bool Narrow, int V>
static inline void arm_finish(const ArmTile& t, const RequantizeNeon& r, const float32x4_t* scale,
                              int m, const int32x4_t* acc) {
  constexpr int kSecond = V > 1 ? 1 : 0;
  constexpr int kThird = V > 2 ? 2 : 0;
  constexpr int kLast = V > 3 ? 3 : kThird;
  const int16x8_t low = to_words<Narrow>(r, acc[0], scale[0], acc[kSecond], scale[kSecond]);
  int16x8_t high = low;
  if constexpr (V > 2) {
    high = to_words<Narrow>(r, acc[kThird], scale[kThird], acc[kLast], scale[kLast]);
  }
  arm_store(to_bytes<Narrow>(r, low, high), t.channels,
            t.out + static_cast<ptrdiff_t>(m) * t.out_stride);
}

/// Bias and corrections: where the sums of M pixels by V vectors start.
template <int M, int V>
static inline void arm_start(const ArmTile& t, int32x4_t (&acc)[M][V]) {
  const auto* bias = reinterpret_cast<const int32_t*>(t.panel);
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const int32x4_t b = vld1q_s32(bias + v * kArmLanes);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) acc[m][v] = b;
  }
  if (t.corrections == nullptr) return;
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    const int32x4_t correction = vdupq_n_s32(t.corrections[m]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[m][v] = vaddq_s32(acc[m][v], correction);
  }
}

/// `Multiply` has a static run<M, V>(tile, requantize) for M pixels by V vectors of four channels.
template <typename Multiply, int V>
static inline void arm_block(const ArmTile& block, const RequantizeNeon& r, int32_t count) {
  constexpr int M = Multiply::kPixels;
  const auto at = [&](int32_t m) {
    ArmTile t = block;
    t.rows += static_cast<ptrdiff_t>(m) * t.depth;
    if (t.corrections != nullptr) t.corrections += m;
    t.out += static_cast<ptrdiff_t>(m) * t.out_stride;
    return t;
  };
  if (count < M) {
    for (int32_t m = 0; m < count; ++m) Multiply::template run<1, V>(at(m), r);
    return;
  }
  for (int32_t m = 0; m + M <= count; m += M) Multiply::template run<M, V>(at(m), r);
  // The last tile is moved back to be whole: what it computes twice comes out the same.
  if (count % M != 0) Multiply::template run<M, V>(at(count - M), r);
}

template <typename Multiply>
static inline void arm_run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input,
                           int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const int32_t depth = arm_padded_depth(conv);
  const int32_t out_c = conv.shape.out_c;
  const int32_t block = gemm_block_pixels(depth);
  const bool in_place = arm_in_place(conv);
  auto* corrections = reinterpret_cast<int32_t*>(scratch);
  auto* gathered = reinterpret_cast<int8_t*>(corrections + block);
  const RequantizeNeon r = make_requantize(conv);
  ArmTile t;
  t.corrections = conv.filter_zero_point != 0 ? corrections : nullptr;
  t.depth = depth;
  t.out_stride = out_c;

  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    t.rows = in_place ? input + static_cast<ptrdiff_t>(pixel) * depth : gathered;
    if (!in_place) arm_gather(conv, input, pixel, count, depth, gathered);
    if (t.corrections != nullptr) {
      arm_corrections(t.rows, count, depth, conv.filter_zero_point, corrections);
    }
    for (int32_t n = 0; n < out_c; n += kArmPanel) {
      t.panel = packed + sizeof(ArmHeader) + n * arm_channel_bytes(conv);
      t.channels = out_c - n < kArmPanel ? out_c - n : kArmPanel;
      t.out = output + static_cast<ptrdiff_t>(pixel) * out_c + n;
      switch ((t.channels + kArmLanes - 1) / kArmLanes) {
        case 1:
          arm_block<Multiply, 1>(t, r, count);
          break;
        case 2:
          arm_block<Multiply, 2>(t, r, count);
          break;
        case 3:
          arm_block<Multiply, 3>(t, r, count);
          break;
        default:
          arm_block<Multiply, 4>(t, r, count);
      }
    }
  }
}

}  // namespace deeplab::kernels
