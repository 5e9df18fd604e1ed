#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {

std::span<const DepthwiseConv2DInt8Kernel> depthwise_conv2d_int8_kernels() {
  static const DepthwiseConv2DInt8Kernel kTable[] = {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kDepthwiseInt8Window3Avx512Vnni,
    kDepthwiseInt8Avx512Vnni,
    has_vex_vnni() ? kDepthwiseInt8Window3AvxVnni : kDepthwiseInt8Window3AvxVnniEvex,
    kDepthwiseInt8Window3Avx2,
    kDepthwiseInt8Avx2,
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kDepthwiseInt8Neon,
#endif
    kDepthwiseInt8Scalar,
  };
  return kTable;
}

std::span<const DepthwiseConv2DFloatKernel> depthwise_conv2d_float_kernels() {
  static const DepthwiseConv2DFloatKernel kTable[] = {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kDepthwiseFloatAvx512,
    kDepthwiseFloatAvx2,
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kDepthwiseFloatNeon,
#endif
    kDepthwiseFloatScalar,
  };
  return kTable;
}

}  // namespace deeplab::kernels
