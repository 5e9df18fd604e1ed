// The float kernel of WebAssembly's relaxed vectors, whose multiply-add is fused.
#include "base/relaxed_simd.h"
#include "kernels/conv2d/gemm_float_wasm.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

#ifdef __wasm_relaxed_simd__

RELAXED_SIMD(conv2d_float)
void conv2d_float(const Conv2DFloat& conv, const std::byte* packed, const float* input,
                  float* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  gemm_float_run<kTileM, kTileN, Multiply>(conv, packed, input, output, row_begin, row_end,
                                           scratch);
}

#else

RELAXED_SIMD(conv2d_float)
void conv2d_float(const Conv2DFloat& conv, const std::byte* packed, const float* input,
                  float* output, int32_t row_begin, int32_t row_end, std::byte* scratch);

const Conv2DFloatKernel kConv2DFloatGemmRelaxedSimd = {"gemm/relaxedsimd",
                                                       Isa::kRelaxedSimd,
                                                       gemm_float_supports,
                                                       gemm_float_packed_bytes<kTileN>,
                                                       gemm_float_pack<kTileN>,
                                                       gemm_float_scratch_bytes,
                                                       conv2d_float,
                                                       gemm_float_start_from<kTileN>};

#endif

}  // namespace deeplab::kernels
