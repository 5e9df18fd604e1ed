#include "kernels/inverted_residual/kernel_list.h"

namespace deeplab::kernels {

std::span<const InvertedResidualInt8Kernel> inverted_residual_int8_kernels() {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
  return {&kInvertedResidualInt8Avx512Vnni, 1};
#else
  return {};
#endif
}

}  // namespace deeplab::kernels
