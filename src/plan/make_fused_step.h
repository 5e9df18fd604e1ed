// From the ops of a group (see fuse.h) to the one step that runs them.
#pragma once

#include <span>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "plan/lower.h"
#include "plan/make_step.h"
#include "plan/tensor_place.h"

namespace deeplab::plan {

struct FusedOp {
  Lowered lowered;
  /// One per input. Tensors inside the group have no place (TensorPlace::exists() is false).
  std::vector<TensorPlace> inputs;
  TensorPlace output;
};

// They may move out of `ops`. A null step means that the parameters or the kernel tables do
// not allow it: the ops are then planned one by one. Error: no memory for packed weights.
Result<MadeStep> make_block_step(std::span<FusedOp> ops, Isa isa);
/// For blocks that begin with their expansion; leaves `ops` as they were if it gives no step.
Result<MadeStep> make_inverted_residual_step(std::span<FusedOp> ops, Isa isa);
Result<MadeStep> make_channelwise_step(std::span<FusedOp> ops, Isa isa);
Result<MadeStep> make_spread_concat_step(std::span<FusedOp> ops, Isa isa);

}  // namespace deeplab::plan
