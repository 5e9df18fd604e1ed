// One or two of int8 MUL, ADD and SUB of a picture and constants per channel.
#include "plan/steps/bound_channelwise.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

class ChannelwiseStep final : public Step {
 public:
  ChannelwiseStep(BoundChannelwise ops, int32_t pixels, int32_t channels, const TensorPlace& input,
                  const TensorPlace& output)
      : ops_(std::move(ops)),
        pixels_(pixels),
        channels_(channels),
        input_(input),
        output_(output) {}

  void run(const RunContext& context) const override {
    const auto* input = reinterpret_cast<const int8_t*>(input_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    for_rows(context, pixels_, static_cast<int32_t>(kElementsPerPiece / channels_ + 1),
             [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
               const int64_t at = int64_t{begin} * channels_;
               ops_.run(end - begin, input + at, output + at);
             });
  }
  size_t packed_bytes() const override { return ops_.packed_bytes(); }

 private:
  BoundChannelwise ops_;
  int32_t pixels_;
  int32_t channels_;
  TensorPlace input_;
  TensorPlace output_;
};

}  // namespace

Result<MadeStep> make_channelwise_step(std::span<LoweredOp> ops, Isa isa) {
  const auto* shape = [&]() -> const kernels::BroadcastShape* {
    if (const auto* mul = std::get_if<kernels::MulInt8>(&ops[0].lowered)) return &mul->shape;
    if (const auto* add = std::get_if<kernels::AddInt8>(&ops[0].lowered)) return &add->shape;
    return nullptr;
  }();
  if (shape == nullptr || !shape->repeats()) return MadeStep{};
  const int32_t pixels = shape->dims.extent[0];
  const int32_t channels = shape->dims.extent[1];
  DEEPLAB_ASSIGN_OR_RETURN(auto bound, BoundChannelwise::bind(ops, channels, isa));
  if (!bound) return MadeStep{};
  return MadeStep{"channelwise",
                  std::make_unique<ChannelwiseStep>(std::move(*bound), pixels, channels,
                                                    ops.front().inputs[0], ops.back().output)};
}

}  // namespace deeplab::plan
