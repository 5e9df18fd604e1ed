// The float kernel of WebAssembly's relaxed vectors, whose multiply-add is fused.
#include "base/relaxed_simd.h"
#include "kernels/depthwise_conv2d/float_wasm.h"
#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {

#ifdef __wasm_relaxed_simd__

RELAXED_SIMD(depthwise_conv2d_float)
void depthwise_conv2d_float(const DepthwiseConv2DFloat& conv, const std::byte* packed,
                            const float* input, float* output, int32_t row_begin, int32_t row_end,
                            std::byte* scratch) {
  DepthwiseFloat<WasmFloats>::run(conv, packed, input, output, row_begin, row_end, scratch);
}

#else

RELAXED_SIMD(depthwise_conv2d_float)
void depthwise_conv2d_float(const DepthwiseConv2DFloat& conv, const std::byte* packed,
                            const float* input, float* output, int32_t row_begin, int32_t row_end,
                            std::byte* scratch);

const DepthwiseConv2DFloatKernel kDepthwiseFloatRelaxedSimd = {
    "direct/relaxedsimd",
    Isa::kRelaxedSimd,
    DepthwiseFloat<WasmFloats>::supports,
    DepthwiseFloat<WasmFloats>::packed_bytes,
    DepthwiseFloat<WasmFloats>::pack,
    DepthwiseFloat<WasmFloats>::scratch_bytes,
    depthwise_conv2d_float};

#endif

}  // namespace deeplab::kernels
