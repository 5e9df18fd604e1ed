// The depthwise convolution of 16 channels of a group at a time, with stride 1 or 2. With stride 1
// two of a group's four windows lie in it and two end in the next group: for these the next group's
// first two rows take the places of the first two. The weights are there in all four orders.
#include <immintrin.h>
#include <string.h>

#include "kernels/inverted_residual/stages_avx512vnni.h"
#include "kernels/requantize_shifted_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {
namespace {

// Filter columns with weights that do not fit a byte less the filter's zero point.
struct Extra {
  int32_t columns;
  int32_t column[kTaps];
};

// Orders of a window's weights w0, w1, w2 in a dot product: for windows that begin in the first to
// the fourth row of a group.
constexpr int32_t kOrders = 4;
constexpr ptrdiff_t kOrderBytes = kTaps * kCell;

// Of 16 channels; weights int8 [order][kx][16][4], and as many for what is left of them.
struct Block {
  Extra extra;
  int32_t relu;  // Whether the biases have kFloatBits in them: in all blocks or in none.
  int32_t unused[kLanes - 2 - kTaps];
  int32_t bias[kLanes];
  float scale[kLanes];
  int8_t weights[kOrders * kOrderBytes];
  int8_t rests[kOrders * kOrderBytes];
};
static_assert(sizeof(Block) % 64 == 0);

void pack_channel(const DepthwiseConv2DInt8& d, const int8_t* filter, int32_t bias, int32_t c,
                  Block& b, int32_t* relu) {
  const int32_t lane = c % kLanes;
  int32_t negative = 0;
  int32_t positive = 0;
  for (int32_t kx = 0; kx < kTaps; ++kx) {
    bool any = false;
    for (int32_t ky = 0; ky < kTaps; ++ky) {
      const int32_t w =
          filter[(ptrdiff_t{ky} * kTaps + kx) * d.shape.out_c + c] - d.filter_zero_point;
      const int32_t byte = nearest_byte(w);
      (w < 0 ? negative : positive) += w;
      any = any || w != byte;
      for (int32_t order = 0; order < kOrders; ++order) {
        const ptrdiff_t at = order * kOrderBytes + kx * kCell + lane * 4 + (order + ky) % 4;
        b.weights[at] = static_cast<int8_t>(byte);
        b.rests[at] = static_cast<int8_t>(w - byte);
      }
    }
    bool known = false;
    for (int32_t i = 0; i < b.extra.columns; ++i) known = known || b.extra.column[i] == kx;
    if (any && !known) b.extra.column[b.extra.columns++] = kx;
  }
  b.bias[lane] = shifted_bias(d, bias, negative + positive);
  if (!fits_float_bits(b.bias[lane], negative, positive)) *relu = 0;
  b.scale[lane] = d.multipliers[c].scale;
}

// All cells of 16 channels.
template <int Stride, bool HasExtra, bool Relu>
void run_block(const RequantizeShifted& to, const Block& block, const uint8_t* at,
               const uint8_t* next, int32_t columns, uint8_t* cells) {
  constexpr int kRows = kGroupRows / Stride;  // Output rows.
  constexpr __mmask32 kFirstTwoRows = 0x55555555;
  __m512i w[kRows][kTaps];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int kx = 0; kx < kTaps; ++kx) {
      w[r][kx] = _mm512_loadu_si512(block.weights + r * Stride * kOrderBytes + kx * kCell);
    }
  }
  const Sums512 bias = load_sums(block.bias);
  const __m512 scale = _mm512_loadu_ps(block.scale);
  const __m512 minus_offset = minus_offset_of(scale);
  for (int32_t x = 0; x < columns; x += Stride, cells += kCell) {
    __m512i steps[Stride][kRows];
#pragma GCC unroll 2
    for (int c = 0; c < Stride; ++c) {
      // The last one may be computed twice.
      const ptrdiff_t from = ptrdiff_t{x + c < columns ? x + c : columns - 1} * Stride * kCell;
      Sums512 acc[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) acc[r] = bias;
      const auto add_column = [&](ptrdiff_t kx, const auto& weights) {
        const __m512i inside = _mm512_loadu_si512(at + from + kx * kCell);
        // The last two rows of this group and the first two of the next, in these places.
        const __m512i across =
            _mm512_mask_loadu_epi16(inside, kFirstTwoRows, next + from + kx * kCell);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
          acc[r] = add_products(acc[r], r < kRows / 2 ? inside : across, weights(r));
        }
      };
#pragma GCC unroll 3
      for (int kx = 0; kx < kTaps; ++kx) {
        add_column(kx, [&](int r) { return w[r][kx]; });
      }
      for (int32_t i = 0; HasExtra && i < block.extra.columns; ++i) {
        const ptrdiff_t kx = block.extra.column[i];
        add_column(kx, [&](int r) {
          return _mm512_loadu_si512(block.rests + r * Stride * kOrderBytes + kx * kCell);
        });
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        steps[c][r] = steps_of<Relu>(acc[r], scale, minus_offset);
      }
    }
    // The packs leave a cell as it should be.
    _mm512_storeu_si512(cells, to_shifted_bytes<Relu>(to, &steps[0][0]));
  }
}

template <int Stride, bool Relu>
void run_block(const RequantizeShifted& to, const Block& block, const uint8_t* at,
               const uint8_t* next, int32_t columns, uint8_t* cells) {
  block.extra.columns != 0 ? run_block<Stride, true, Relu>(to, block, at, next, columns, cells)
                           : run_block<Stride, false, Relu>(to, block, at, next, columns, cells);
}

}  // namespace

size_t depthwise_packed_bytes(const Ops& ops) {
  return sizeof(Block) * static_cast<size_t>(blocks_of(ops));
}

void depthwise_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
  const DepthwiseConv2DInt8& d = ops.depthwise;
  memset(packed, 0, depthwise_packed_bytes(ops));
  auto* blocks = reinterpret_cast<Block*>(packed);
  int32_t relu = is_relu(d);
  for (int32_t c = 0; c < d.shape.out_c; ++c) {
    const int32_t bias = weights.depthwise_bias != nullptr ? weights.depthwise_bias[c] : 0;
    pack_channel(d, weights.depthwise, bias, c, blocks[c / kLanes], &relu);
  }
  for (int32_t b = 0; relu != 0 && b < blocks_of(ops); ++b) {
    blocks[b].relu = 1;
    for (int32_t& bias : blocks[b].bias) bias += kFloatBits;
  }
}

void depthwise_run(const Ops& ops, const std::byte* packed, const uint8_t* at, const uint8_t* next,
                   uint8_t* cells) {
  const DepthwiseConv2DInt8& d = ops.depthwise;
  const RequantizeShifted to = make_requantize_shifted(d);
  const auto* block = reinterpret_cast<const Block*>(packed);
  for (int32_t b = 0; b < blocks_of(ops); ++b, ++block) {
    if (d.shape.stride_h == 1) {
      block->relu != 0 ? run_block<1, true>(to, *block, at, next, d.shape.out_w, cells)
                       : run_block<1, false>(to, *block, at, next, d.shape.out_w, cells);
    } else {
      block->relu != 0 ? run_block<2, true>(to, *block, at, next, d.shape.out_w, cells)
                       : run_block<2, false>(to, *block, at, next, d.shape.out_w, cells);
    }
    at += group_block_bytes(ops);
    next += group_block_bytes(ops);
    cells += cell_block_bytes(ops);
  }
}

}  // namespace deeplab::kernels::inverted_residual
