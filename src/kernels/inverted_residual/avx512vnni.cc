// On AVX-512 VNNI: stages_avx512vnni.h says how the three ops hand on their rows. Here is the
// expansion: four rows of one or more columns by up to 48 channels at a time.
#include <immintrin.h>
#include <string.h>

#include "kernels/inverted_residual/kernel_list.h"
#include "kernels/inverted_residual/stages_avx512vnni.h"

namespace deeplab::kernels {
namespace inverted_residual {
namespace {

using Job = ExpandJob<Block512>;
constexpr int32_t kLanes = Block512::kLanes;

// Four rows of C columns by V vectors of 16 channels.
template <int C, int V, bool Relu>
void tile(const Job& job, const uint8_t* lines, uint8_t* out) {
  const Panel<int8_t>& p = job.panel;
  Sums512 acc[C][kGroupRows][V];
#pragma GCC unroll 6
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int r = 0; r < kGroupRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) acc[c][r][v] = load_sums(p.bias + v * kLanes);
    }
  }
  const int8_t* weights = p.weights;
  const int32_t* offset = p.offsets;
  const int32_t* const end = offset + *p.lines;
  for (; offset != end; ++offset, weights += V * 64) {
    const uint8_t* at = lines + *offset;
    __m512i w[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(weights + v * 64);
#pragma GCC unroll 6
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
        int32_t four;
        memcpy(&four, at + r * job.row + c * job.pixel, 4);
        const __m512i u = _mm512_set1_epi32(four);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) acc[c][r][v] = add_products(acc[c][r][v], u, w[v]);
      }
    }
  }
  // The packs leave in each 128-bit lane four channels of the first row, then of the second, ...
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
#pragma GCC unroll 3
  for (int v = 0; v < V; ++v) {
    const __m512 scale = _mm512_loadu_ps(p.scale + v * kLanes);
    const __m512 minus_offset = minus_offset_of(scale);
#pragma GCC unroll 6
    for (int c = 0; c < C; ++c) {
      __m512i steps[kGroupRows];
#pragma GCC unroll 4
      for (int r = 0; r < kGroupRows; ++r) {
        steps[r] = steps_of<Relu>(acc[c][r][v], scale, minus_offset);
      }
      const __m512i bytes = to_shifted_bytes<Relu>(job.to, steps);
      _mm512_storeu_si512(out + v * job.block + c * kCell, _mm512_shuffle_epi8(bytes, order));
    }
  }
}

template <int C, int V, bool Relu>
void run_panel(const Job& job, const uint8_t* lines, int32_t columns, uint8_t* out) {
  if (columns < C) {
    for (ptrdiff_t x = 0; x < columns; ++x) {
      tile<1, V, Relu>(job, lines + x * job.pixel, out + x * kCell);
    }
    return;
  }
  // The last tile is moved back to be whole.
  for (ptrdiff_t x = 0; x < columns; x += C) {
    const ptrdiff_t at = x + C <= columns ? x : columns - C;
    tile<C, V, Relu>(job, lines + at * job.pixel, out + at * kCell);
  }
}

template <bool Relu>
void run_panel(const Job& job, int32_t vectors, const uint8_t* lines, int32_t columns,
               uint8_t* out) {
  switch (vectors) {
    case 1:
      return run_panel<6, 1, Relu>(job, lines, columns, out);
    case 2:
      return run_panel<2, 2, Relu>(job, lines, columns, out);
    default:
      return run_panel<1, 3, Relu>(job, lines, columns, out);
  }
}

}  // namespace

// Inlined into its caller, so that the job is in registers.
[[gnu::always_inline]] inline void Block512::expand_panel(const Job& job, bool fast, int32_t blocks,
                                                          const std::byte* lines, int32_t columns,
                                                          std::byte* out) {
  const auto* from = reinterpret_cast<const uint8_t*>(lines);
  auto* to = reinterpret_cast<uint8_t*>(out);
  fast ? run_panel<true>(job, blocks, from, columns, to)
       : run_panel<false>(job, blocks, from, columns, to);
}

}  // namespace inverted_residual

const InvertedResidualInt8Kernel kInvertedResidualInt8Avx512Vnni =
    inverted_residual::Block<inverted_residual::Block512>::entry("expand+3x3+project/avx512vnni");

}  // namespace deeplab::kernels
