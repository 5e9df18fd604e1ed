// Entries of the kernel table that have a file of their own; see kernels.cc.
#pragma once

#include "kernels/channelwise/channelwise.h"

namespace deeplab::kernels {

#ifdef DEEPLAB_HAS_X86_TARGETS
ChannelwiseRun channelwise_avx512;
ChannelwiseRun channelwise_avx2;
#endif

/// The arrays of a stage, of which there is a value per channel, filled up.
enum ChannelwiseArray : int32_t { kConstant, kFactor, kAddend, kChannelwiseArrays };

static inline const float* channelwise_array(const ChannelwiseInt8& ops, const std::byte* packed,
                                             int32_t stage, ChannelwiseArray array) {
  const int32_t groups = (ops.channels + kChannelwiseGroup - 1) / kChannelwiseGroup;
  return reinterpret_cast<const float*>(packed) +
         ptrdiff_t{stage * kChannelwiseArrays + array} * groups * kChannelwiseGroup;
}

}  // namespace deeplab::kernels
