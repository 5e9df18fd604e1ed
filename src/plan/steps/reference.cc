// Any op on its reference kernel, in the engine's rounding, on one thread.
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

class ReferenceStep final : public Step {
 public:
  explicit ReferenceStep(LoweredOp op) : op_(std::move(op)) {}

  void run(const RunContext& context) const override {
    // The pointers are gathered in scratch, since a concatenation may have any number of them.
    auto* inputs = reinterpret_cast<const std::byte**>(context.scratch);
    for (size_t i = 0; i < op_.inputs.size(); ++i) inputs[i] = op_.inputs[i].read(context);
    run_reference(op_.lowered, kernels::Rounding::kEngine, {inputs, op_.inputs.size()},
                  op_.output.write(context));
  }
  size_t scratch_bytes() const override { return op_.inputs.size() * sizeof(std::byte*); }

 private:
  LoweredOp op_;
};

}  // namespace

Result<MadeStep> make_reference_step(std::span<LoweredOp> ops, Isa /*isa*/) {
  return MadeStep{"reference", std::make_unique<ReferenceStep>(std::move(ops[0]))};
}

}  // namespace deeplab::plan
