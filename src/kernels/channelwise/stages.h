// What the kernels share: the packed constants, and the forms of the stages.
#pragma once

#include "kernels/channelwise/channelwise.h"

namespace deeplab::kernels {

/// The arrays of a stage, of which there is a value per channel, filled up.
enum ChannelwiseArray : int32_t { kConstant, kFactor, kAddend, kChannelwiseArrays };

static inline const float* channelwise_array(const ChannelwiseInt8& ops, const std::byte* packed,
                                             int32_t stage, ChannelwiseArray array) {
  const int32_t groups = (ops.channels + kChannelwiseGroup - 1) / kChannelwiseGroup;
  return reinterpret_cast<const float*>(packed) +
         ptrdiff_t{stage * kChannelwiseArrays + array} * groups * kChannelwiseGroup;
}

/// Calls Kernel::run<Stages, Form>() with the template arguments that `ops` asks for. Kernel is a
/// type of the file that calls, so that no code is shared between instruction sets.
template <typename Kernel>
static inline void run_channelwise(const ChannelwiseInt8& ops, const std::byte* packed,
                                   int64_t pixels, const int8_t* input, int8_t* output) {
  using Form = ChannelwiseForm;
  const bool one = ops.stages == 1;
  switch (ops.form) {
    case Form::kExact:
      return one ? Kernel::template run<1, Form::kExact>(ops, packed, pixels, input, output)
                 : Kernel::template run<2, Form::kExact>(ops, packed, pixels, input, output);
    case Form::kMerged:
      return one ? Kernel::template run<1, Form::kMerged>(ops, packed, pixels, input, output)
                 : Kernel::template run<2, Form::kMerged>(ops, packed, pixels, input, output);
    case Form::kMergedUnclamped:
      return one ? Kernel::template run<1, Form::kMergedUnclamped>(ops, packed, pixels, input,
                                                                   output)
                 : Kernel::template run<2, Form::kMergedUnclamped>(ops, packed, pixels, input,
                                                                   output);
  }
}

}  // namespace deeplab::kernels
