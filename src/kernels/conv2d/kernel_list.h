// Every entry of the convolution kernel tables: one constant per file, listed in kernels.cc.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

extern const Conv2DInt8Kernel kConv2DInt8GemmScalar;
extern const Conv2DFloatKernel kConv2DFloatGemmScalar;
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const Conv2DInt8Kernel kConv2DInt8GemmAvx2;
extern const Conv2DInt8Kernel kConv2DInt8StemAvx2;
extern const Conv2DInt8Kernel kConv2DInt8GemmAvxVnni;
extern const Conv2DInt8Kernel kConv2DInt8StemAvxVnni;
extern const Conv2DInt8Kernel kConv2DInt8GemmAvxVnniEvex;
extern const Conv2DInt8Kernel kConv2DInt8StemAvxVnniEvex;
extern const Conv2DInt8Kernel kConv2DInt8GemmAvx512Vnni;
extern const Conv2DInt8Kernel kConv2DInt8StemAvx512Vnni;
extern const Conv2DFloatKernel kConv2DFloatGemmAvx2;
extern const Conv2DFloatKernel kConv2DFloatGemmAvx512;
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const Conv2DInt8Kernel kConv2DInt8GemmNeon;
extern const Conv2DInt8Kernel kConv2DInt8GemmNeonDot;
extern const Conv2DFloatKernel kConv2DFloatGemmNeon;
#endif

}  // namespace deeplab::kernels
