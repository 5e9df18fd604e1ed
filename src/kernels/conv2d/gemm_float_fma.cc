// The portable float kernel once more, for CPUs with a fused multiply-add.
#include "kernels/conv2d/gemm_float_portable.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

bool supports(const Conv2DFloat& conv) { return has_fma() && gemm_float_supports(conv); }

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmFma = portable_kernel("gemm/fma", supports);

}  // namespace deeplab::kernels
