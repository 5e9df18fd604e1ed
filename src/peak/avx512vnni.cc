// vpdpbusd: 64 products of 8 bits, summed in fours, added to the accumulator in one instruction.
#include <immintrin.h>

#define DEEPLAB_STEP(i) "vpdpbusd %[b], %[a], %" #i "\n\t"
#define DEEPLAB_REGISTER "v"
#include "peak/twelve_chains.h"

namespace deeplab::peak {
namespace {

int32_t run(int64_t iterations) {
  return run_chains<uint32_t, __m512i>(iterations, _mm512_set1_epi8(3), _mm512_set1_epi8(-2));
}

}  // namespace

const Loop kPeakAvx512Vnni = {"vpdpbusd/avx512vnni", Isa::kAvx512Vnni, kChains * 64, run};

}  // namespace deeplab::peak
