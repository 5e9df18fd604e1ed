// The three stages of avx512vnni.cc, one file each. All take pixels as u = x + 128 (see
// conv2d/gemm_int8_avx512vnni.cc), and leave them so for the next stage:
//
//   a group of the expanded tensor: [channels / 16][columns][16 channels][4 rows], which is how a
//   dot product of the depthwise convolution takes four rows of a channel;
//
//   cells, what the depthwise convolution gives for a group: [channels / 16][cells][4 quads of
//   channels][4 pixels][4 channels]. The pixels of a cell are one column of four rows with stride
//   1, two columns of two rows with stride 2. A dot product of the projection takes a quad of each
//   pixel, and gives four output channels of each.
//
// Both layouts are what the packs at the end of a stage leave, or a shuffle away from it.
#pragma once

#include "kernels/conv2d/im2col.h"
#include "kernels/inverted_residual/inverted_residual.h"

namespace deeplab::kernels::inverted_residual {

static constexpr int32_t kLanes = 16;
static constexpr int32_t kTaps = 3;
static constexpr int32_t kCell = 64;  // Bytes of a column of a group, of a cell.

using Ops = InvertedResidualInt8;

// Blocks of 16 channels of the expanded tensor, and of what the depthwise convolution gives.
static inline int32_t blocks_of(const Ops& ops) {
  return (ops.depthwise.shape.out_c + kLanes - 1) / kLanes;
}

// Columns of the expanded tensor that the depthwise windows reach, padding included, and how many
// of them are inside the picture, from pad_left on.
static inline int32_t columns_of(const WindowShape& d) {
  return (d.out_w - 1) * d.stride_w + kTaps;
}
static inline int32_t columns_inside(const WindowShape& d) {
  const int32_t left = columns_of(d) - d.pad_left;
  return left < 0 ? 0 : left < d.in_w ? left : d.in_w;
}
static inline ptrdiff_t group_block_bytes(const Ops& ops) {
  return ptrdiff_t{columns_of(ops.depthwise.shape)} * kCell;
}

// Cells of a block of channels: as many as there are columns, or pairs of them.
static inline int32_t cells_of(const Ops& ops) {
  const WindowShape& d = ops.depthwise.shape;
  return (d.out_w + d.stride_w - 1) / d.stride_w;
}
static inline ptrdiff_t cell_block_bytes(const Ops& ops) {
  return ptrdiff_t{cells_of(ops)} * kCell;
}

// Rows that a group gives, and how many of them exist.
static inline int32_t rows_of(const Ops& ops, int32_t group) {
  const WindowShape& d = ops.depthwise.shape;
  const int32_t most = kGroupRows / d.stride_h;
  const int32_t left = d.out_h - group * most;
  return left < most ? left : most;
}

// Packed weights of a convolution: of V vectors of sums, in lines, each of which meets four bytes
// of every pixel. bias int32 [V][16], scale float [V][16], lines int32, offsets int32 [most lines],
// up to a multiple of 64, weights int8 [most lines][V][16][4].
struct Panel {
  int32_t* bias;
  float* scale;
  int32_t* lines;    // That there are,
  int32_t* offsets;  // and where the four bytes of each are in the stage's input.
  int8_t* weights;
};
static inline ptrdiff_t panel_offsets_bytes(int32_t most_lines) {
  return round_up((1 + most_lines) * 4, 64);
}
static inline ptrdiff_t panel_bytes(int32_t vectors, int32_t most_lines) {
  return panel_offsets_bytes(most_lines) + ptrdiff_t{vectors} * 64 * (2 + most_lines);
}
static inline Panel panel_at(std::byte* at, int32_t vectors, int32_t most_lines) {
  Panel p;
  p.bias = reinterpret_cast<int32_t*>(at);
  p.scale = reinterpret_cast<float*>(p.bias + ptrdiff_t{vectors} * kLanes);
  p.lines = reinterpret_cast<int32_t*>(p.scale + ptrdiff_t{vectors} * kLanes);
  p.offsets = p.lines + 1;
  p.weights = reinterpret_cast<int8_t*>(p.lines) + panel_offsets_bytes(most_lines);
  return p;
}

// ---- The stages. Sizes are multiples of 64. `packed` is the stage's own.

bool expand_supports(const Ops& ops);
size_t expand_packed_bytes(const Ops& ops);
void expand_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed);
size_t expand_scratch_bytes(const Ops& ops);
void expand_run(const Ops& ops, const std::byte* packed, const int8_t* input, int32_t group,
                uint8_t* to, std::byte* scratch);

size_t depthwise_packed_bytes(const Ops& ops);
void depthwise_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed);
void depthwise_run(const Ops& ops, const std::byte* packed, const uint8_t* at, const uint8_t* next,
                   uint8_t* cells);

bool project_supports(const Ops& ops);
size_t project_packed_bytes(const Ops& ops);
void project_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* packed);
void project_run(const Ops& ops, const std::byte* packed, const uint8_t* cells, int32_t rows,
                 int8_t* output);

}  // namespace deeplab::kernels::inverted_residual
