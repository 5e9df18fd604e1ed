// Every entry of the kernel table: one constant a file, listed in kernels.cc.
#pragma once

#include "kernels/expand_depthwise/expand_depthwise.h"

namespace deeplab::kernels {

#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const ExpandDepthwiseInt8Kernel kExpandDepthwiseInt8Avx512Vnni;
#endif

}  // namespace deeplab::kernels
