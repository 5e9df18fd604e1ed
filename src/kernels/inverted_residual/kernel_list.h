// Every entry of the kernel table: one constant per file, listed in kernels.cc.
#pragma once

#include "kernels/inverted_residual/inverted_residual.h"

namespace deeplab::kernels {

#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const InvertedResidualInt8Kernel kInvertedResidualInt8Avx512Vnni;
#endif

}  // namespace deeplab::kernels
