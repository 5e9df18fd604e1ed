// fmla by element: 4 products of floats, each added to its sum, in one instruction.
#include <arm_neon.h>

#define DEEPLAB_STEP(i) "fmla %" #i ".4s, %[a].4s, %[b].s[0]\n\t"
#define DEEPLAB_REGISTER "w"
#include "peak/twelve_chains.h"

namespace deeplab::peak {
namespace {

int32_t run(int64_t iterations) {
  return run_chains<float, float32x4_t>(iterations, vdupq_n_f32(3), vdupq_n_f32(-2));
}

}  // namespace

const Loop kPeakFloatNeon = {"fmla/neon", Isa::kNeon, kChains * 4, run};

}  // namespace deeplab::peak
