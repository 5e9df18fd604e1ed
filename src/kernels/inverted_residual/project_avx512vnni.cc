// The projection: several cells by up to 16 output channels at a time. A vector of sums has four
// output channels of the four pixels of a cell, so that narrow layers, of 8 or 12 channels, leave
// no lane empty.
#include <immintrin.h>
#include <string.h>

#include "kernels/inverted_residual/stages_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {
namespace {

constexpr int32_t kLanes = Block512::kLanes;
constexpr int32_t kQuad = 4;  // Channels of a pixel in a dot product.
constexpr int32_t kMaxVectors = 4;
constexpr int32_t kPanel = kQuad * kMaxVectors;
// Weights stand in a vector four times: what they may take.
constexpr int64_t kMaxPackedBytes = int64_t{1} << 20;

int32_t panel_vectors(int32_t channels_left) {
  return channels_left < kPanel ? (channels_left + kQuad - 1) / kQuad : kMaxVectors;
}

struct Job {
  Panel<int8_t> panel;
  RequantizeAvx512 to;
  __m512i quads;    // Bytes [4 vectors][4 pixels] of a 128-bit lane to [4 pixels][4 vectors].
  __m512i pixels;   // Four lanes' bytes of a pixel to one lane.
  __m512i pairs;    // The same of two cells of two vectors each: words, to halves of a lane.
  __m512i compact;  // Channels to where they belong, if a panel has fewer than four vectors.
  ptrdiff_t out_c;
  int32_t last_column;
  // Of each row of cells, with the panel's first channel. Rows that do not exist are not stored.
  int8_t* row[kGroupRows];
  __mmask16 channels[kGroupRows];
};

// Where a pixel of a cell goes.
template <int Stride>
int8_t* output_of(const Job& job, int32_t cell, int pixel) {
  constexpr int kRows = kGroupRows / Stride;
  int32_t column = cell * Stride + pixel / kRows;
  if (pixel / kRows != 0 && column > job.last_column) column = job.last_column;
  return job.row[pixel % kRows] + column * job.out_c;
}

// The channels of a cell's four pixels, one in each 128-bit lane.
template <int Stride>
void store_cell(const Job& job, int32_t cell, __m512i bytes) {
  const auto store = [&](int pixel, __m128i channels) {
    _mm_mask_storeu_epi8(output_of<Stride>(job, cell, pixel),
                         job.channels[pixel % (kGroupRows / Stride)], channels);
  };
  store(0, _mm512_castsi512_si128(bytes));
  store(1, _mm512_extracti32x4_epi32(bytes, 1));
  store(2, _mm512_extracti32x4_epi32(bytes, 2));
  store(3, _mm512_extracti32x4_epi32(bytes, 3));
}

// The same of a cell in the lower half of each lane and of the next one in the upper half. With
// stride 1 and eight channels in all they lie together.
template <int Stride>
void store_two_cells(const Job& job, int32_t cell, __m512i bytes) {
  const bool together = Stride == 1 && job.out_c == 8;
  const auto store = [&](int pixel, __m128i both) {
    const __mmask16 channels = job.channels[pixel % (kGroupRows / Stride)];
    const auto upper = static_cast<__mmask16>(channels << 8);
    int8_t* to = output_of<Stride>(job, cell, pixel);
    if (together) return _mm_mask_storeu_epi8(to, channels | upper, both);
    _mm_mask_storeu_epi8(to, channels, both);
    _mm_mask_storeu_epi8(output_of<Stride>(job, cell + 1, pixel) - 8, upper, both);
  };
  store(0, _mm512_castsi512_si128(bytes));
  store(1, _mm512_extracti32x4_epi32(bytes, 1));
  store(2, _mm512_extracti32x4_epi32(bytes, 2));
  store(3, _mm512_extracti32x4_epi32(bytes, 3));
}

// Cells in turn, two at a time if both fit a pack. Inlined always, and no loop: GCC 12 would
// keep the sums in memory.
template <int Stride, int C, int V, int At = 0>
[[gnu::always_inline]] inline void finish_cells(const Job& job, int32_t first,
                                                const Sums512 (&acc)[C][V]) {
  constexpr int kCells = V == 2 && At + 1 < C ? 2 : 1;
  __m512i steps[kMaxVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kMaxVectors; ++i) {
    const int v = i % V;
    steps[i] = i < kCells * V ? to_steps((__m512i)acc[At + i / V % kCells][v],
                                         _mm512_loadu_ps(job.panel.scale + v * kLanes))
                              : _mm512_setzero_si512();
  }
  __m512i bytes = to_bytes(job.to, steps[0], steps[1], steps[2], steps[3]);
  if constexpr (kCells == 2) {
    bytes = _mm512_permutexvar_epi16(job.pairs, _mm512_shuffle_epi8(bytes, job.quads));
    store_two_cells<Stride>(job, first + At, bytes);
  } else {
    bytes = _mm512_permutexvar_epi32(job.pixels, _mm512_shuffle_epi8(bytes, job.quads));
    if constexpr (V < kMaxVectors) bytes = _mm512_shuffle_epi8(bytes, job.compact);
    store_cell<Stride>(job, first + At, bytes);
  }
  if constexpr (At + kCells < C) finish_cells<Stride, C, V, At + kCells>(job, first, acc);
}

// C cells by V vectors.
template <int C, int V, int Stride>
void tile(const Job& job, const uint8_t* cells, int32_t cell) {
  const Panel<int8_t>& p = job.panel;
  Sums512 acc[C][V];
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[c][v] = load_sums(p.bias + v * kLanes);
  }
  const int8_t* weights = p.weights;
  const int32_t* offset = p.offsets;
  const int32_t* const end = offset + *p.lines;
  cells += ptrdiff_t{cell} * kCell;
  for (; offset != end; ++offset, weights += V * 64) {
    const uint8_t* at = cells + *offset;
    __m512i w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_loadu_si512(weights + v * 64);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const auto* quads = reinterpret_cast<const __m128i*>(at + c * kCell);
      const __m512i u = _mm512_broadcast_i32x4(_mm_loadu_si128(quads));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[c][v] = add_products(acc[c][v], u, w[v]);
    }
  }
  finish_cells<Stride>(job, cell, acc);
}

template <int C, int V, int Stride>
void run_panel(const Job& job, const uint8_t* cells, int32_t count) {
  if (count < C) {
    for (int32_t cell = 0; cell < count; ++cell) tile<1, V, Stride>(job, cells, cell);
    return;
  }
  // The last tile is moved back to be whole.
  for (int32_t cell = 0; cell < count; cell += C) {
    tile<C, V, Stride>(job, cells, cell + C <= count ? cell : count - C);
  }
}

template <int Stride>
void run_panel(const Job& job, int32_t vectors, const uint8_t* cells, int32_t count) {
  switch (vectors) {
    case 1:
      return run_panel<8, 1, Stride>(job, cells, count);
    case 2:
      return run_panel<8, 2, Stride>(job, cells, count);
    case 3:
      return run_panel<6, 3, Stride>(job, cells, count);
    default:
      return run_panel<6, 4, Stride>(job, cells, count);
  }
}

}  // namespace

bool Block512::project_supports(const Ops& ops) {
  const Conv2DInt8& conv = ops.project;
  return gemm_supports(conv.shape) && conv.filter_zero_point != -128 &&
         int64_t{conv.shape.out_c} * 32 * All::most_lines(conv) <= kMaxPackedBytes &&
         scales_below_one(conv.multipliers, conv.shape.out_c);
}

size_t Block512::project_packed_bytes(const Ops& ops) {
  ptrdiff_t bytes = 0;
  for (int32_t left = ops.project.shape.out_c; left > 0; left -= kPanel) {
    bytes += All::panel_bytes(panel_vectors(left), All::most_lines(ops.project));
  }
  return static_cast<size_t>(bytes);
}

// Vector v of a panel of V has the output channels v, V + v, 2 V + v and 3 V + v, each for the four
// pixels of a cell: so a pixel's channels lie together once the packs are transposed.
void Block512::project_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* to) {
  const Conv2DInt8& conv = ops.project;
  const ptrdiff_t block_bytes = cell_block_bytes(ops);
  for (int32_t first = 0; first < conv.shape.out_c; first += kPanel) {
    const int32_t vectors = panel_vectors(conv.shape.out_c - first);
    All::pack_panel<kQuad>(
        conv, weights.project, weights.project_bias, first, vectors, to,
        [&](int32_t c) { return c % vectors * kLanes + c / vectors * kQuad; },
        [&](int32_t /*ky*/, int32_t k) { return k / kLanes * block_bytes + k % kLanes * kQuad; });
    to += All::panel_bytes(vectors, All::most_lines(conv));
  }
}

size_t Block512::project_scratch_bytes(const Ops& ops) {
  return static_cast<size_t>(All::blocks_of(ops) * cell_block_bytes(ops));
}

void Block512::project(const Ops& ops, const std::byte* packed, int32_t group, const std::byte* at,
                       const std::byte* next, int8_t* output, std::byte* scratch) {
  const Conv2DInt8& conv = ops.project;
  const bool strided = ops.depthwise.shape.stride_h != 1;
  const int32_t rows = rows_of(ops, group);
  auto* cells = reinterpret_cast<uint8_t*>(scratch);
  depthwise(ops, packed, at, next, cells);
  Job job;
  job.to = kernels::make_requantize(conv);
  job.quads =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  job.pixels = bytes_in_order();
  // After `quads` lane i has, as words, channels 2 i and 2 i + 1 of pixel p of cell c: word 2 p +
  // c.
  int16_t pairs[32];
  for (int16_t i = 0; i < 32; ++i) {
    pairs[i] = static_cast<int16_t>(i % 4 * 8 + i / 8 * 2 + i / 4 % 2);
  }
  job.pairs = _mm512_loadu_si512(pairs);
  job.out_c = conv.shape.out_c;
  job.last_column = conv.shape.out_w - 1;
  auto* panel = const_cast<std::byte*>(All::project_at(ops, packed));
  for (int32_t first = 0; first < conv.shape.out_c; first += kPanel) {
    const int32_t left = conv.shape.out_c - first;
    const int32_t vectors = panel_vectors(left);
    int8_t compact[kLanes];
    for (int32_t c = 0; c < kLanes; ++c) {
      compact[c] = static_cast<int8_t>(c < vectors * kQuad ? c / vectors * 4 + c % vectors : -1);
    }
    __m128i order;
    memcpy(&order, compact, sizeof order);
    job.compact = _mm512_broadcast_i32x4(order);
    job.panel = All::panel_at(panel, vectors, All::most_lines(conv));
    const auto channels = static_cast<__mmask16>(left >= kPanel ? 0xFFFF : (1 << left) - 1);
    for (int32_t r = 0; r < kGroupRows; ++r) {
      const bool exists = r < rows;
      job.row[r] = output + first + (exists ? ptrdiff_t{r} * conv.shape.out_w * job.out_c : 0);
      job.channels[r] = exists ? channels : __mmask16{0};
    }
    strided ? run_panel<2>(job, vectors, cells, cells_of(ops))
            : run_panel<1>(job, vectors, cells, cells_of(ops));
    panel += All::panel_bytes(vectors, All::most_lines(conv));
  }
}

}  // namespace deeplab::kernels::inverted_residual
