// The portable float kernel, for every CPU.
#include "kernels/conv2d/gemm_float_portable.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

const Conv2DFloatKernel kConv2DFloatGemmScalar =
    portable_kernel("gemm/scalar", gemm_float_supports);

}  // namespace deeplab::kernels
