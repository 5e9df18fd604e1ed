// The depthwise convolution of 16 channels of a group at a time, with stride 1 or 2.
#include <immintrin.h>

#include "kernels/inverted_residual/stages_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {
namespace {

using Weights = DepthwiseWeights<Block512>;
static_assert(sizeof(Weights) % 64 == 0);

// All cells of 16 channels.
template <int Stride, bool HasExtra, bool Relu>
void run_block(const RequantizeShifted& to, const Weights& block, const std::byte* at,
               const std::byte* next, int32_t columns, uint8_t* cells) {
  constexpr int kRows = kGroupRows / Stride;  // Output rows.
  constexpr __mmask32 kFirstTwoRows = 0x55555555;
  __m512i w[kRows][kTaps];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int kx = 0; kx < kTaps; ++kx) {
      w[r][kx] = _mm512_loadu_si512(block.weights + r * Stride * Weights::kOrder + kx * kCell);
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
          return _mm512_loadu_si512(block.rests + r * Stride * Weights::kOrder + kx * kCell);
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
void run_block(const RequantizeShifted& to, const Weights& block, const std::byte* at,
               const std::byte* next, int32_t columns, uint8_t* cells) {
  block.extra_columns != 0 ? run_block<Stride, true, Relu>(to, block, at, next, columns, cells)
                           : run_block<Stride, false, Relu>(to, block, at, next, columns, cells);
}

}  // namespace

void Block512::depthwise(const Ops& ops, const std::byte* packed, const std::byte* at,
                         const std::byte* next, uint8_t* cells) {
  const DepthwiseConv2DInt8& d = ops.depthwise;
  const RequantizeShifted to = make_requantize_shifted(d);
  const Weights* block = All::depthwise_at(ops, packed);
  for (int32_t b = 0; b < All::blocks_of(ops); ++b, ++block) {
    if (d.shape.stride_h == 1) {
      block->fast != 0 ? run_block<1, true>(to, *block, at, next, d.shape.out_w, cells)
                       : run_block<1, false>(to, *block, at, next, d.shape.out_w, cells);
    } else {
      block->fast != 0 ? run_block<2, true>(to, *block, at, next, d.shape.out_w, cells)
                       : run_block<2, false>(to, *block, at, next, d.shape.out_w, cells);
    }
    at += All::block_bytes(ops);
    next += All::block_bytes(ops);
    cells += cell_block_bytes(ops);
  }
}

}  // namespace deeplab::kernels::inverted_residual
