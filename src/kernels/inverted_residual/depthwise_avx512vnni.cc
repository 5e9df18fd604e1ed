// The depthwise convolution of 16 channels of a group at a time, with stride 1 or 2.
#include <immintrin.h>
#include <string.h>

#include "kernels/inverted_residual/depthwise_weights.h"
#include "kernels/inverted_residual/stages_avx512vnni.h"
#include "kernels/requantize_shifted_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {
namespace {

using Block = DepthwiseWeights<kLanes, int8_t>;
static_assert(sizeof(Block) % 64 == 0);

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
      w[r][kx] = _mm512_loadu_si512(block.weights + r * Stride * Block::kOrder + kx * kCell);
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
      for (int32_t i = 0; HasExtra && i < block.extra_columns; ++i) {
        const ptrdiff_t kx = block.extra[i];
        add_column(kx, [&](int r) {
          return _mm512_loadu_si512(block.rests + r * Stride * Block::kOrder + kx * kCell);
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
  block.extra_columns != 0 ? run_block<Stride, true, Relu>(to, block, at, next, columns, cells)
                           : run_block<Stride, false, Relu>(to, block, at, next, columns, cells);
}

}  // namespace

size_t depthwise_packed_bytes(const Ops& ops) {
  return sizeof(Block) * static_cast<size_t>(blocks_of(ops));
}

void depthwise_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed) {
  memset(packed, 0, depthwise_packed_bytes(ops));
  pack_depthwise(ops.depthwise, weights, reinterpret_cast<Block*>(packed));
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
