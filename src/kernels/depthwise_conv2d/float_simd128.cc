// The float kernel of WebAssembly's plain vectors: see conv2d/gemm_float_simd128.cc.
#include "kernels/depthwise_conv2d/float_wasm.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {

const DepthwiseConv2DFloatKernel kDepthwiseFloatSimd128 =
    DepthwiseFloat<WasmFloats>::kernel("direct/simd128", Isa::kSimd128);

}  // namespace deeplab::kernels
