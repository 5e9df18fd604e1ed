#include "plan/make_step.h"

#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

// Which steps may run a kind of group, best first. To add a fast kernel for an op, give it a step.
constexpr StepMaker* kSingle[] = {
    make_convolution_step,   make_elementwise_step, make_average_pool_step,
    make_concatenation_step, make_lookup_step,      make_resize_step,
    make_sliced_step,        make_rows_step,        make_reference_step,
};
constexpr StepMaker* kBlock[] = {make_block_kernel_step, make_block_strips_step};
constexpr StepMaker* kChannelwise[] = {make_channelwise_step};
constexpr StepMaker* kSpreadConcat[] = {make_spread_concat_step, make_spread_concat_float_step};

std::span<StepMaker* const> makers(OpGroup::Kind kind) {
  switch (kind) {
    case OpGroup::Kind::kBlock:
      return kBlock;
    case OpGroup::Kind::kChannelwise:
      return kChannelwise;
    case OpGroup::Kind::kSpreadConcat:
      return kSpreadConcat;
    case OpGroup::Kind::kSingle:
      break;
  }
  return kSingle;
}

}  // namespace

Result<MadeStep> make_step(OpGroup::Kind kind, std::span<LoweredOp> ops, Isa isa) {
  for (StepMaker* make : makers(kind)) {
    DEEPLAB_ASSIGN_OR_RETURN(MadeStep made, make(ops, isa));
    if (made.step) return made;
  }
  return MadeStep{};
}

}  // namespace deeplab::plan
