// Every entry of the depthwise kernel tables, best first: one constant per line and file.
#pragma once

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/kernel_list.h"

namespace deeplab::kernels {

// clang-format off
#define DEEPLAB_DEPTHWISE_INT8_KERNELS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kDepthwiseInt8Window3Avx512Vnni) \
  ENTRY(T, X86, kDepthwiseInt8Avx512Vnni) \
  EITHER(T, X86, has_vex_vnni(), kDepthwiseInt8Window3AvxVnni, kDepthwiseInt8Window3AvxVnniEvex) \
  ENTRY(T, X86, kDepthwiseInt8Window3Avx2) \
  ENTRY(T, X86, kDepthwiseInt8Avx2) \
  ENTRY(T, ARM, kDepthwiseInt8Neon) \
  ENTRY(T, WASM, kDepthwiseInt8Simd128) \
  ENTRY(T, ANY, kDepthwiseInt8Scalar) \
  ENTRY(T, X86, kDepthwiseInt8SpreadAvx512Vnni) \
  ENTRY(T, X86, kDepthwiseInt8SpreadAvxVnni) \
  ENTRY(T, X86, kDepthwiseInt8SpreadAvx2) \
  ENTRY(T, ARM, kDepthwiseInt8SpreadNeon) \
  ENTRY(T, WASM, kDepthwiseInt8SpreadSimd128) \
  ENTRY(T, ANY, kDepthwiseInt8SpreadScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_DEPTHWISE_INT8_KERNELS, DepthwiseConv2DInt8Kernel)

// clang-format off
#define DEEPLAB_DEPTHWISE_FLOAT_KERNELS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kDepthwiseFloatAvx512) \
  ENTRY(T, X86, kDepthwiseFloatAvx2) \
  ENTRY(T, ARM, kDepthwiseFloatNeon) \
  ENTRY(T, X86, kDepthwiseFloatFma) \
  ENTRY(T, WASM, kDepthwiseFloatRelaxedSimd) \
  ENTRY(T, WASM, kDepthwiseFloatSimd128) \
  ENTRY(T, ANY, kDepthwiseFloatScalar) \
  ENTRY(T, X86, kDepthwiseFloatSpreadAvx512) \
  ENTRY(T, X86, kDepthwiseFloatSpreadAvx2) \
  ENTRY(T, ARM, kDepthwiseFloatSpreadNeon) \
  ENTRY(T, WASM, kDepthwiseFloatSpreadRelaxedSimd) \
  ENTRY(T, WASM, kDepthwiseFloatSpreadSimd128) \
  ENTRY(T, ANY, kDepthwiseFloatSpreadScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_DEPTHWISE_FLOAT_KERNELS, DepthwiseConv2DFloatKernel)

}  // namespace deeplab::kernels
