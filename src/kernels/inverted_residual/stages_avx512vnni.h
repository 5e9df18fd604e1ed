// The three stages on AVX-512 VNNI, the expansion in avx512vnni.cc. All take pixels as u = x + 128
// (see conv2d/gemm_int8_avx512vnni.cc), and leave them so for the next stage:
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

#include "kernels/inverted_residual/block.h"
#include "kernels/requantize_shifted_avx512.h"
#include "kernels/shifted_avx512vnni.h"

namespace deeplab::kernels::inverted_residual {

static constexpr int32_t kCell = 64;  // Bytes of a column of a group, of a cell.

struct Block512 {
  using Value = uint8_t;
  using Weight = int8_t;

  static constexpr Isa kIsa = Isa::kAvx512Vnni;
  static constexpr int32_t kShift = 128;
  static constexpr int32_t kDepth = 4;
  static constexpr int32_t kLowest = -128;
  static constexpr int32_t kLanes = 16;
  static constexpr int32_t kBlock = 16;
  static constexpr int32_t kMaxBlocks = 3;

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

  // ---- The stages.

  using Requantize = RequantizeShifted;
  static Requantize make_requantize(const Conv2DInt8& e) { return make_requantize_shifted(e); }
  static void fill_line(const Conv2DInt8& e, const int8_t* input, int32_t y, ptrdiff_t bytes,
                        uint8_t* line) {
    fill_shifted_line(e, input, y, bytes, line);
  }
  static void expand_panel(const ExpandJob<Block512>& job, bool fast, int32_t blocks,
                           const std::byte* lines, int32_t columns, std::byte* out);
  static auto fill_outside(int32_t zero_point, int32_t rows) {
    const __m512i outside = _mm512_set1_epi8(static_cast<int8_t>(zero_point ^ -128));
    const __mmask64 mask = static_cast<uint64_t>(rows) * 0x1111111111111111u;
    return [=](std::byte* column, bool beside) {
      _mm512_mask_storeu_epi8(column, beside ? ~uint64_t{0} : mask, outside);
    };
  }

  static void depthwise(const Ops& ops, const std::byte* packed, const std::byte* at,
                        const std::byte* next, uint8_t* cells);

  // The depthwise convolution to cells, which are the scratch, and their projection.
  static void project(const Ops& ops, const std::byte* packed, int32_t group, const std::byte* at,
                      const std::byte* next, int8_t* output, std::byte* scratch);
  static bool project_supports(const Ops& ops);
  static size_t project_packed_bytes(const Ops& ops);
  static void project_pack(const Ops& ops, const InvertedResidualWeights& weights, std::byte* to);
  static size_t project_scratch_bytes(const Ops& ops);
};

using All = Block<Block512>;

// Cells of a block of channels: as many as there are columns, or pairs of them.
static inline int32_t cells_of(const Ops& ops) {
  const WindowShape& d = ops.depthwise.shape;
  return (d.out_w + d.stride_w - 1) / d.stride_w;
}
static inline ptrdiff_t cell_block_bytes(const Ops& ops) {
  return ptrdiff_t{cells_of(ops)} * kCell;
}

}  // namespace deeplab::kernels::inverted_residual
