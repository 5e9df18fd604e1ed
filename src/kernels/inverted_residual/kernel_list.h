// Every entry of the kernel table, best first: one constant per line and file.
#pragma once

#include "kernels/inverted_residual/inverted_residual.h"
#include "kernels/kernel_list.h"

namespace deeplab::kernels {

// clang-format off
#define DEEPLAB_INVERTED_RESIDUAL_INT8_KERNELS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kInvertedResidualInt8Avx512Vnni) \
  EITHER(T, X86, has_vex_vnni(), kInvertedResidualInt8AvxVnni, kInvertedResidualInt8AvxVnniEvex) \
  ENTRY(T, X86, kInvertedResidualInt8Avx2) \
  ENTRY(T, ARM, kInvertedResidualInt8NeonDot) \
  ENTRY(T, ARM, kInvertedResidualInt8Neon)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_INVERTED_RESIDUAL_INT8_KERNELS, InvertedResidualInt8Kernel)

}  // namespace deeplab::kernels
