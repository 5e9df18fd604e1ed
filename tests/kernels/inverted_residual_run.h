// How an entry of the kernel table of inverted residual blocks is run, and what it has to give.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/inverted_residual/inverted_residual.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::kernels::testing {

/// Of a batch of one.
inline size_t elements(int32_t h, int32_t w, int32_t c) { return static_cast<size_t>(h) * w * c; }
inline size_t output_elements(const WindowShape& s) { return elements(s.out_h, s.out_w, s.out_c); }

/// The references of the three ops, one after the other.
inline std::vector<int8_t> reference(const InvertedResidualInt8& ops,
                                     const InvertedResidualWeights& weights,
                                     const std::vector<int8_t>& input) {
  std::vector<int8_t> wide(output_elements(ops.expand.shape));
  std::vector<int8_t> deep(output_elements(ops.depthwise.shape));
  std::vector<int8_t> narrow(output_elements(ops.project.shape));
  conv2d_reference(ops.expand, Rounding::kEngine, input.data(), weights.expand, weights.expand_bias,
                   wide.data());
  depthwise_conv2d_reference(ops.depthwise, Rounding::kEngine, wide.data(), weights.depthwise,
                             weights.depthwise_bias, deep.data());
  conv2d_reference(ops.project, Rounding::kEngine, deep.data(), weights.project,
                   weights.project_bias, narrow.data());
  return narrow;
}

/// The kernel's output. Every group is computed by itself, the last one first: they do not depend
/// on each other. `guard` says on which side of input and output no byte may be touched.
inline std::vector<int8_t> run(const InvertedResidualInt8Kernel& kernel,
                               const InvertedResidualInt8& ops,
                               const InvertedResidualWeights& weights, const std::vector<int8_t>& x,
                               Guard guard) {
  AlignedBuffer packed(kernel.packed_bytes(ops));
  kernel.pack(ops, weights, packed.data());
  const WindowShape& p = ops.project.shape;
  GuardedCopy<int8_t> input(x, guard);
  GuardedCopy<int8_t> output(std::vector<int8_t>(output_elements(p), 77), guard);
  const int32_t unit = kGroupRows / ops.depthwise.shape.stride_h;
  for (int32_t group = (p.out_h + unit - 1) / unit - 1; group >= 0; --group) {
    AlignedBuffer at(kernel.group_bytes(ops));
    AlignedBuffer next(kernel.group_bytes(ops));
    for (int32_t k : {0, 1}) {
      AlignedBuffer scratch(kernel.scratch_bytes(ops));
      kernel.expand(ops, packed.data(), input.data(), group + k, (k == 0 ? at : next).data(),
                    scratch.data());
    }
    AlignedBuffer scratch(kernel.scratch_bytes(ops));
    kernel.project(ops, packed.data(), group, at.data(), next.data(),
                   output.data() + elements(group * unit, p.out_w, p.out_c), scratch.data());
  }
  return output.values();
}

}  // namespace deeplab::kernels::testing
