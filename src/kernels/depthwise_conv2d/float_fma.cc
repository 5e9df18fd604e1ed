// The portable float kernel once more, for CPUs with a fused multiply-add.
#include "kernels/depthwise_conv2d/float_portable.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

using Kernel = DepthwiseFloat<PortableFloats>;

bool supports(const DepthwiseConv2DFloat& conv) { return has_fma() && Kernel::supports(conv); }

}  // namespace

const DepthwiseConv2DFloatKernel kDepthwiseFloatFma =
    Kernel::kernel("direct/fma", Isa::kScalar, supports);

}  // namespace deeplab::kernels
