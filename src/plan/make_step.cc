#include "plan/make_step.h"

namespace deeplab::plan {

Result<MadeStep> make_step(Lowered lowered, StepSource source) {
  DEEPLAB_ASSIGN_OR_RETURN(MadeStep convolution, make_convolution_step(lowered, source));
  if (convolution.step) return convolution;
  // Best first: what a family cannot run falls through to the next.
  for (const auto make : {make_elementwise_step, make_average_pool_step, make_concatenation_step,
                          make_lookup_step, make_resize_step, make_sliced_step}) {
    MadeStep made = make(lowered, source);
    if (made.step) return made;
  }
  return make_reference_step(std::move(lowered), std::move(source));
}

}  // namespace deeplab::plan
