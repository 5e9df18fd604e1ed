// vfmadd231ps: 16 products of floats, each added to its sum, in one instruction.
#include <immintrin.h>

#define DEEPLAB_STEP(i) "vfmadd231ps %[b], %[a], %" #i "\n\t"
#define DEEPLAB_REGISTER "v"
#include "peak/twelve_chains.h"

namespace deeplab::peak {
namespace {

int32_t run(int64_t iterations) {
  return run_chains<float, __m512>(iterations, _mm512_set1_ps(3), _mm512_set1_ps(-2));
}

}  // namespace

const Loop kPeakFloatAvx512 = {"vfmadd231ps/avx512", Isa::kAvx512Vnni, kChains * 16, run};

}  // namespace deeplab::peak
