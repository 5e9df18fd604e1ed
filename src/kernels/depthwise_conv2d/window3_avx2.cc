#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/window3_256.h"
#include "kernels/products_avx2.h"

namespace deeplab::kernels {

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3Avx2 =
    Window3Of256<Products>::entry("3x3/avx2");

}  // namespace deeplab::kernels
