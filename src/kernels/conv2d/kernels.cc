#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

std::span<const Conv2DInt8Kernel> conv2d_int8_kernels() {
  static const Conv2DInt8Kernel kTable[] = {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kConv2DInt8StemAvx512Vnni,
    kConv2DInt8GemmAvx512Vnni,
    has_vex_vnni() ? kConv2DInt8StemAvxVnni : kConv2DInt8StemAvxVnniEvex,
    has_vex_vnni() ? kConv2DInt8GemmAvxVnni : kConv2DInt8GemmAvxVnniEvex,
    kConv2DInt8StemAvx2,
    kConv2DInt8GemmAvx2,
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kConv2DInt8GemmNeonDot,
    kConv2DInt8GemmNeon,
#endif
    kConv2DInt8GemmScalar,
  };
  return kTable;
}

std::span<const Conv2DFloatKernel> conv2d_float_kernels() {
  static const Conv2DFloatKernel kTable[] = {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kConv2DFloatGemmAvx512,
    kConv2DFloatGemmAvx2,
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kConv2DFloatGemmNeon,
#endif
    kConv2DFloatGemmScalar,
  };
  return kTable;
}

}  // namespace deeplab::kernels
