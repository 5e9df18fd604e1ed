// Entries of the kernel table that have a file of their own; see kernels.cc.
#pragma once

#include "kernels/channelwise/channelwise.h"

namespace deeplab::kernels {

#ifdef DEEPLAB_HAS_X86_TARGETS
ChannelwiseRun channelwise_avx512;
ChannelwiseRun channelwise_avx2;
#endif

/// The constants of stage `stage`: those of its exact form, or of the merged ones, which are
/// constant * scale for a product.
static inline const float* channelwise_constants(const ChannelwiseInt8& ops,
                                                 const std::byte* packed, int32_t stage,
                                                 bool merged) {
  const int32_t groups = (ops.channels + kChannelwiseGroup - 1) / kChannelwiseGroup;
  return reinterpret_cast<const float*>(packed) +
         ptrdiff_t{2 * stage + (merged ? 1 : 0)} * groups * kChannelwiseGroup;
}

}  // namespace deeplab::kernels
