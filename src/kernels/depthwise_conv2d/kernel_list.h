// Every entry of the depthwise kernel tables: one constant per file, listed in kernels.cc.
#pragma once

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {

extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Scalar;
extern const DepthwiseConv2DFloatKernel kDepthwiseFloatScalar;
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Avx2;
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3Avx2;
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3AvxVnni;
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3AvxVnniEvex;
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Avx512Vnni;
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Window3Avx512Vnni;
extern const DepthwiseConv2DFloatKernel kDepthwiseFloatAvx2;
extern const DepthwiseConv2DFloatKernel kDepthwiseFloatAvx512;
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const DepthwiseConv2DInt8Kernel kDepthwiseInt8Neon;
extern const DepthwiseConv2DFloatKernel kDepthwiseFloatNeon;
#endif

}  // namespace deeplab::kernels
