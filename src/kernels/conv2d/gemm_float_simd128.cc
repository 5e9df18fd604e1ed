// The float kernel of WebAssembly's plain vectors. They have no fused multiply-add, so it rounds
// product and sum one after the other: the one kernel here with bytes of its own.
#include "kernels/conv2d/gemm_float_wasm.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

const Conv2DFloatKernel kConv2DFloatGemmSimd128 = {"gemm/simd128",
                                                   Isa::kSimd128,
                                                   gemm_float_supports,
                                                   gemm_float_packed_bytes<kTileN>,
                                                   gemm_float_pack<kTileN>,
                                                   gemm_float_scratch_bytes,
                                                   gemm_float_run<kTileM, kTileN, Multiply>,
                                                   gemm_float_start_from<kTileN>};

}  // namespace deeplab::kernels
