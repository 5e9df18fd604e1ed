// On AVX-512 VNNI: stages_avx512vnni.h says how the three ops hand on their rows.
#include "kernels/inverted_residual/kernel_list.h"
#include "kernels/inverted_residual/stages_avx512vnni.h"

namespace deeplab::kernels {
namespace {

using namespace inverted_residual;

bool supports(const InvertedResidualInt8& ops) {
  const DepthwiseConv2DInt8& d = ops.depthwise;
  const WindowShape& w = d.shape;
  return d.depth_multiplier == 1 && w.filter_h == kTaps && w.filter_w == kTaps &&
         w.dilation_h == 1 && w.dilation_w == 1 && (w.stride_h == 1 || w.stride_h == 2) &&
         w.stride_w == w.stride_h && d.filter_zero_point != -128 &&
         scales_below_one(d.multipliers, w.out_c) && expand_supports(ops) && project_supports(ops);
}

// packed: of each stage in turn.
size_t packed_bytes(const InvertedResidualInt8& ops) {
  return expand_packed_bytes(ops) + depthwise_packed_bytes(ops) + project_packed_bytes(ops);
}

void pack(const InvertedResidualInt8& ops, const InvertedResidualWeights& weights,
          std::byte* packed) {
  expand_pack(ops, weights, packed);
  packed += expand_packed_bytes(ops);
  depthwise_pack(ops, weights, packed);
  packed += depthwise_packed_bytes(ops);
  project_pack(ops, weights, packed);
}

size_t group_bytes(const InvertedResidualInt8& ops) {
  return static_cast<size_t>(blocks_of(ops) * group_block_bytes(ops));
}

size_t cells_bytes(const InvertedResidualInt8& ops) {
  return static_cast<size_t>(blocks_of(ops) * cell_block_bytes(ops));
}

size_t scratch_bytes(const InvertedResidualInt8& ops) {
  const size_t expand = expand_scratch_bytes(ops);
  const size_t cells = cells_bytes(ops);
  return expand > cells ? expand : cells;
}

void expand(const InvertedResidualInt8& ops, const std::byte* packed, const int8_t* input,
            int32_t group, std::byte* to, std::byte* scratch) {
  expand_run(ops, packed, input, group, reinterpret_cast<uint8_t*>(to), scratch);
}

void project(const InvertedResidualInt8& ops, const std::byte* packed, int32_t group,
             const std::byte* at, const std::byte* next, int8_t* output, std::byte* scratch) {
  auto* cells = reinterpret_cast<uint8_t*>(scratch);
  packed += expand_packed_bytes(ops);
  depthwise_run(ops, packed, reinterpret_cast<const uint8_t*>(at),
                reinterpret_cast<const uint8_t*>(next), cells);
  packed += depthwise_packed_bytes(ops);
  project_run(ops, packed, cells, rows_of(ops, group), output);
}

}  // namespace

const InvertedResidualInt8Kernel kInvertedResidualInt8Avx512Vnni = {"expand+3x3+project/avx512vnni",
                                                                    Isa::kAvx512Vnni,
                                                                    supports,
                                                                    packed_bytes,
                                                                    pack,
                                                                    group_bytes,
                                                                    scratch_bytes,
                                                                    expand,
                                                                    project};

}  // namespace deeplab::kernels
