// vfmadd231ps: 8 products of floats, each added to its sum, in one instruction.
#include <immintrin.h>

#define DEEPLAB_STEP(i) "vfmadd231ps %[b], %[a], %" #i "\n\t"
#define DEEPLAB_REGISTER "x"
#include "peak/twelve_chains.h"

namespace deeplab::peak {
namespace {

int32_t run(int64_t iterations) {
  return run_chains<float, __m256>(iterations, _mm256_set1_ps(3), _mm256_set1_ps(-2));
}

}  // namespace

const Loop kPeakFloatAvx2 = {"vfmadd231ps/avx2", Isa::kAvx2, kChains * 8, run};

}  // namespace deeplab::peak
