// How an entry of the kernel table of expand + depthwise is run, and what it has to give.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/expand_depthwise/expand_depthwise.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::kernels::testing {

/// Of both ops. Biases may be null.
struct ExpandDepthwiseOperands {
  const std::vector<int8_t>& input;
  const int8_t* expand_filter;
  const int32_t* expand_bias;
  const int8_t* depthwise_filter;
  const int32_t* depthwise_bias;
};

/// Of a batch of one.
inline size_t elements(int32_t h, int32_t w, int32_t c) { return static_cast<size_t>(h) * w * c; }

/// The references of the two ops, one after the other.
inline std::vector<int8_t> reference(const ExpandDepthwiseInt8& ops,
                                     const ExpandDepthwiseOperands& of) {
  const WindowShape& s = ops.expand.shape;
  const WindowShape& d = ops.depthwise.shape;
  std::vector<int8_t> wide(elements(s.out_h, s.out_w, s.out_c));
  std::vector<int8_t> expected(elements(d.out_h, d.out_w, d.out_c));
  conv2d_reference(ops.expand, Rounding::kEngine, of.input.data(), of.expand_filter, of.expand_bias,
                   wide.data());
  depthwise_conv2d_reference(ops.depthwise, Rounding::kEngine, wide.data(), of.depthwise_filter,
                             of.depthwise_bias, expected.data());
  return expected;
}

/// The kernel's output. Every group is computed by itself, the last one first: they do not depend
/// on each other. `guard` says on which side of input and output no byte may be touched.
inline std::vector<int8_t> run(const ExpandDepthwiseInt8Kernel& kernel,
                               const ExpandDepthwiseInt8& ops, const ExpandDepthwiseOperands& of,
                               Guard guard) {
  AlignedBuffer packed(kernel.packed_bytes(ops));
  kernel.pack(ops, of.expand_filter, of.expand_bias, of.depthwise_filter, of.depthwise_bias,
              packed.data());
  const WindowShape& d = ops.depthwise.shape;
  GuardedCopy<int8_t> input(of.input, guard);
  GuardedCopy<int8_t> output(std::vector<int8_t>(elements(d.out_h, d.out_w, d.out_c), 77), guard);
  const int32_t unit = kGroupRows / d.stride_h;
  for (int32_t group = (d.out_h + unit - 1) / unit - 1; group >= 0; --group) {
    AlignedBuffer at(kernel.group_bytes(ops));
    AlignedBuffer next(kernel.group_bytes(ops));
    for (int32_t k : {0, 1}) {
      AlignedBuffer scratch(kernel.scratch_bytes(ops));
      kernel.expand(ops, packed.data(), input.data(), group + k, (k == 0 ? at : next).data(),
                    scratch.data());
    }
    kernel.depthwise(ops, packed.data(), group, at.data(), next.data(),
                     output.data() + elements(group * unit, d.out_w, d.out_c));
  }
  return output.values();
}

}  // namespace deeplab::kernels::testing
