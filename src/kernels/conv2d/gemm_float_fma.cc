// The portable float kernel once more, for CPUs with a fused multiply-add.
#include "kernels/conv2d/gemm_float_portable.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {

namespace {

bool supports(const Conv2DFloat& conv) { return has_fma() && gemm_float_supports(conv); }

}  // namespace

const Conv2DFloatKernel kConv2DFloatGemmFma = {
    "gemm/fma",
    Isa::kScalar,
    supports,
    gemm_float_packed_bytes<kPortableTileN>,
    gemm_float_pack<kPortableTileN>,
    gemm_float_scratch_bytes,
    gemm_float_run<kPortableTileM, kPortableTileN,
                   multiply_pixels<MultiplyPortable, kPortableTileM>>,
    gemm_float_start_from<kPortableTileN>};

}  // namespace deeplab::kernels
