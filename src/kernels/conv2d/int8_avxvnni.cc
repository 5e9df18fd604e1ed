// VPDPBUSD as AVX-VNNI encodes it. int8_avxvnni_evex.cc is the same in the other encoding.
#include "kernels/conv2d/gemm_int8_256.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/conv2d/stem_int8_256.h"
#include "kernels/products_avxvnni.h"

namespace deeplab::kernels {

const Conv2DInt8Kernel kConv2DInt8GemmAvxVnni = Gemm256<Products>::entry("gemm/avxvnni");
const Conv2DInt8Kernel kConv2DInt8StemAvxVnni = Stem256<Products>::entry("stem/avxvnni");

}  // namespace deeplab::kernels
