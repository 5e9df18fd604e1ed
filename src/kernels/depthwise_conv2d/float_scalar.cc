// The portable float kernel, for every CPU.
#include "kernels/depthwise_conv2d/float_portable.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {

const DepthwiseConv2DFloatKernel kDepthwiseFloatScalar =
    DepthwiseFloat<PortableFloats>::kernel("direct/scalar", Isa::kScalar);

}  // namespace deeplab::kernels
