#include "kernels/expand_depthwise/kernel_list.h"

namespace deeplab::kernels {

std::span<const ExpandDepthwiseInt8Kernel> expand_depthwise_int8_kernels() {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
  return {&kExpandDepthwiseInt8Avx512Vnni, 1};
#else
  return {};
#endif
}

}  // namespace deeplab::kernels
