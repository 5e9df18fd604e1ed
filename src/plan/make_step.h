// From the ops of a group (see fuse.h) to the one step that runs them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "plan/fuse.h"
#include "plan/lower.h"
#include "plan/step.h"
#include "plan/tensor_place.h"

namespace deeplab::plan {

/// An op and the places of its tensors: what a step is made from.
struct LoweredOp {
  Lowered lowered;
  /// One per input. Tensors inside the group have no place (TensorPlace::exists() is false).
  std::vector<TensorPlace> inputs;
  TensorPlace output;
};

struct MadeStep {
  std::string kernel;
  std::unique_ptr<const Step> step;
};

/// The first step of make_step.cc's list that can run these ops; it may use up what is in `ops`.
/// A single op always has one. Of others, a null step means that no step runs them together, and
/// leaves `ops` as they were. Error: no memory for packed weights.
Result<MadeStep> make_step(OpGroup::Kind kind, std::span<LoweredOp> ops, Isa isa);

}  // namespace deeplab::plan
