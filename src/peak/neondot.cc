// sdot: 16 products of 8 bits, summed in fours, added to the accumulator in one instruction.
#include <arm_neon.h>

#define DEEPLAB_STEP(i) "sdot %" #i ".4s, %[a].16b, %[b].4b[0]\n\t"
#define DEEPLAB_REGISTER "w"
#include "peak/twelve_chains.h"

namespace deeplab::peak {
namespace {

int32_t run(int64_t iterations) {
  return run_chains<uint32_t, int32x4_t>(iterations, vdupq_n_s8(3), vdupq_n_s8(-2));
}

}  // namespace

const Loop kPeakNeonDot = {"sdot/neondot", Isa::kNeonDot, kChains * 16, run};

}  // namespace deeplab::peak
