// Every entry of the convolution kernel tables, best first: one constant per line and file.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/kernel_list.h"

namespace deeplab::kernels {

// clang-format off
#define DEEPLAB_CONV2D_INT8_KERNELS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kConv2DInt8StemAvx512Vnni) \
  ENTRY(T, X86, kConv2DInt8GemmAvx512Vnni) \
  EITHER(T, X86, has_vex_vnni(), kConv2DInt8StemAvxVnni, kConv2DInt8StemAvxVnniEvex) \
  EITHER(T, X86, has_vex_vnni(), kConv2DInt8GemmAvxVnni, kConv2DInt8GemmAvxVnniEvex) \
  ENTRY(T, X86, kConv2DInt8StemAvx2) \
  ENTRY(T, X86, kConv2DInt8GemmAvx2) \
  ENTRY(T, ARM, kConv2DInt8GemmNeonDot) \
  ENTRY(T, ARM, kConv2DInt8GemmNeon) \
  ENTRY(T, WASM, kConv2DInt8GemmSimd128) \
  ENTRY(T, ANY, kConv2DInt8GemmScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_CONV2D_INT8_KERNELS, Conv2DInt8Kernel)

// clang-format off
#define DEEPLAB_CONV2D_FLOAT_KERNELS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kConv2DFloatGemmAvx512) \
  ENTRY(T, X86, kConv2DFloatGemmAvx2) \
  ENTRY(T, ARM, kConv2DFloatGemmNeon) \
  ENTRY(T, X86, kConv2DFloatGemmFma) \
  ENTRY(T, WASM, kConv2DFloatGemmRelaxedSimd) \
  ENTRY(T, WASM, kConv2DFloatGemmSimd128) \
  ENTRY(T, ANY, kConv2DFloatGemmScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_CONV2D_FLOAT_KERNELS, Conv2DFloatKernel)

}  // namespace deeplab::kernels
