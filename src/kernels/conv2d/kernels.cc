#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

std::span<const Conv2DInt8Kernel> conv2d_int8_kernels() {
  static const Conv2DInt8Kernel kTable[] = {
      DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_CONV2D_INT8_KERNELS, Conv2DInt8Kernel)};
  return kTable;
}

std::span<const Conv2DFloatKernel> conv2d_float_kernels() {
  static const Conv2DFloatKernel kTable[] = {
      DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_CONV2D_FLOAT_KERNELS, Conv2DFloatKernel)};
  return kTable;
}

}  // namespace deeplab::kernels
