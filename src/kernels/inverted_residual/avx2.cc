#include "kernels/inverted_residual/block_256.h"
#include "kernels/inverted_residual/kernel_list.h"
#include "kernels/products_avx2.h"

namespace deeplab::kernels {

using namespace inverted_residual;

const InvertedResidualInt8Kernel kInvertedResidualInt8Avx2 =
    Block<Block256<Products>>::entry("expand+3x3+project/avx2");

}  // namespace deeplab::kernels
