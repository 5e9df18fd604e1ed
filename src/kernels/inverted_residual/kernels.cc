#include <iterator>

#include "kernels/inverted_residual/kernel_list.h"

namespace deeplab::kernels {

std::span<const InvertedResidualInt8Kernel> inverted_residual_int8_kernels() {
  // The last entry is none: there may be no other.
  static const InvertedResidualInt8Kernel kTable[] = {DEEPLAB_TABLE_OF_KERNELS(
      DEEPLAB_INVERTED_RESIDUAL_INT8_KERNELS, InvertedResidualInt8Kernel){}};
  return {kTable, std::size(kTable) - 1};
}

}  // namespace deeplab::kernels
