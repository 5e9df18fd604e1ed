// The portable float kernel, for every CPU.
#include "kernels/conv2d/gemm_float_portable.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

const Conv2DFloatKernel kConv2DFloatGemmScalar = {
    "gemm/scalar",
    Isa::kScalar,
    gemm_float_supports,
    gemm_float_packed_bytes<kPortableTileN>,
    gemm_float_pack<kPortableTileN>,
    gemm_float_scratch_bytes,
    gemm_float_run<kPortableTileM, kPortableTileN,
                   multiply_pixels<MultiplyPortable, kPortableTileM>>,
    gemm_float_start_from<kPortableTileN>};

}  // namespace deeplab::kernels
