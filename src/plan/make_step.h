// From a lowered op to the step that runs it: the first entry of the op's kernel table that may
// be used, or the reference kernel. To add a fast kernel for an op, give it a step here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "plan/lower.h"
#include "plan/step.h"
#include "plan/tensor_place.h"

namespace deeplab::plan {

/// What a step is made from.
struct StepSource {
  Isa isa = Isa::kScalar;
  std::vector<TensorPlace> inputs;  ///< One per input of the op.
  TensorPlace output;
};

struct MadeStep {
  std::string kernel;
  std::unique_ptr<const Step> step;
};

/// Never null: ops without a fast kernel run their reference kernel in the engine's rounding.
/// Error: no memory for packed weights.
Result<MadeStep> make_step(Lowered lowered, StepSource source);

// One function per family, each in a file of its own. A null step means that the family has
// nothing for these parameters, and leaves `lowered` as it was.
Result<MadeStep> make_convolution_step(Lowered& lowered, const StepSource& source);
MadeStep make_elementwise_step(const Lowered& lowered, const StepSource& source);
MadeStep make_average_pool_step(const Lowered& lowered, const StepSource& source);
MadeStep make_concatenation_step(const Lowered& lowered, const StepSource& source);
MadeStep make_lookup_step(const Lowered& lowered, const StepSource& source);
MadeStep make_resize_step(const Lowered& lowered, const StepSource& source);
MadeStep make_sliced_step(const Lowered& lowered, const StepSource& source);
MadeStep make_reference_step(Lowered lowered, StepSource source);

}  // namespace deeplab::plan
