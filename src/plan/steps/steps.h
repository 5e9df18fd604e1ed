// Every kind of step, one per file. make_step.cc lists which of them may run what, best first.
#pragma once

#include "plan/make_step.h"

namespace deeplab::plan {

/// A null step means that this kind cannot run these ops, and leaves `ops` as they were; otherwise
/// what is in them may be used up. Error: no memory for packed weights.
using StepMaker = Result<MadeStep>(std::span<LoweredOp> ops, Isa isa);

// Of a single op.
StepMaker make_average_pool_step;
StepMaker make_concatenation_step;
StepMaker make_convolution_step;
StepMaker make_elementwise_step;
StepMaker make_lookup_step;
StepMaker make_reference_step;  ///< Runs any op.
StepMaker make_resize_step;
StepMaker make_rows_step;
StepMaker make_sliced_step;

// Of several ops.
StepMaker make_block_kernel_step;
StepMaker make_block_strips_step;
StepMaker make_channelwise_step;
StepMaker make_spread_concat_step;
StepMaker make_spread_concat_float_step;

}  // namespace deeplab::plan
