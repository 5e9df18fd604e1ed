// VPDPBUSD on 256-bit registers as AVX-512 encodes it. window3_avxvnni.cc is the same in the other
// encoding.
#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/window3_256.h"
#include "kernels/products_avxvnni.h"

namespace deeplab::kernels {

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3AvxVnniEvex =
    Window3Of256<Products>::entry("3x3/avxvnni");

}  // namespace deeplab::kernels
