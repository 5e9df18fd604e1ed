#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {

std::span<const DepthwiseConv2DInt8Kernel> depthwise_conv2d_int8_kernels() {
  static const DepthwiseConv2DInt8Kernel kTable[] = {
      DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_DEPTHWISE_INT8_KERNELS, DepthwiseConv2DInt8Kernel)};
  return kTable;
}

std::span<const DepthwiseConv2DFloatKernel> depthwise_conv2d_float_kernels() {
  static const DepthwiseConv2DFloatKernel kTable[] = {
      DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_DEPTHWISE_FLOAT_KERNELS, DepthwiseConv2DFloatKernel)};
  return kTable;
}

}  // namespace deeplab::kernels
