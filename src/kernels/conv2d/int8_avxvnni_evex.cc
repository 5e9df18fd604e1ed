// VPDPBUSD on 256-bit registers as AVX-512 encodes it. int8_avxvnni.cc is the same in the other
// encoding.
#include "kernels/conv2d/gemm_int8_256.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/conv2d/stem_int8_256.h"
#include "kernels/products_avxvnni.h"

namespace deeplab::kernels {

const Conv2DInt8Kernel kConv2DInt8GemmAvxVnniEvex = Gemm256<Products>::entry("gemm/avxvnni");
const Conv2DInt8Kernel kConv2DInt8StemAvxVnniEvex = Stem256<Products>::entry("stem/avxvnni");

}  // namespace deeplab::kernels
