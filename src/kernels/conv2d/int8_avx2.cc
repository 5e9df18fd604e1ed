#include "kernels/conv2d/gemm_int8_256.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/conv2d/stem_int8_256.h"
#include "kernels/products_avx2.h"

namespace deeplab::kernels {

const Conv2DInt8Kernel kConv2DInt8GemmAvx2 = Gemm256<Products>::entry("gemm/avx2");
const Conv2DInt8Kernel kConv2DInt8StemAvx2 = Stem256<Products>::entry("stem/avx2");

}  // namespace deeplab::kernels
