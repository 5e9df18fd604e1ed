// int8 ADD, SUB and MUL: of two pictures, of a picture and one pixel, or of a picture and constants
// per channel.
#include "plan/bound_channelwise.h"
#include "plan/make_step.h"

namespace deeplab::plan {
namespace {

/// About as much as is worth handing to another thread: tens of microseconds.
constexpr int64_t kElementsPerPiece = 32768;

auto kernel_for(const kernels::AddInt8& /*op*/, Isa isa) {
  return kernels::best_for(isa, kernels::add_elementwise_kernels());
}
auto kernel_for(const kernels::MulInt8& /*op*/, Isa isa) {
  return kernels::best_for(isa, kernels::mul_elementwise_kernels());
}

template <typename Params>
class ElementwiseStep final : public Step {
 public:
  ElementwiseStep(const Params& op, const StepSource& source)
      : op_(op),
        kernel_(kernel_for(op, source.isa)),
        a_(source.inputs[0]),
        b_(source.inputs[1]),
        output_(source.output),
        count_(op.shape.dims.elements()) {
    const kernels::Dims& dims = op.shape.dims;
    if (op.shape.repeats()) {
      rows_ = dims.extent[0];
      row_ = dims.extent[1];
      grain_ = static_cast<int32_t>(kElementsPerPiece / row_ + 1);
    } else {
      row_ = b_step_ = kElementsPerPiece;
      rows_ = static_cast<int32_t>((count_ + row_ - 1) / row_);
    }
  }

  void run(const RunContext& context) const override {
    const auto* a = reinterpret_cast<const int8_t*>(a_.read(context));
    const auto* b = reinterpret_cast<const int8_t*>(b_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    for_rows(context, rows_, grain_, [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row * row_;
        kernel_(op_, row_ < count_ - at ? row_ : count_ - at, a + at, b + row * b_step_,
                output + at);
      }
    });
  }

 private:
  Params op_;
  decltype(kernel_for(std::declval<const Params&>(), Isa{})) kernel_;
  int32_t rows_ = 0;
  int32_t grain_ = 1;
  int64_t row_ = 0;     ///< Elements.
  int64_t b_step_ = 0;  ///< Elements of b from one row to the next.
  TensorPlace a_;
  TensorPlace b_;
  TensorPlace output_;
  int64_t count_;
};

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

template <typename Params>
MadeStep make_elementwise(const Params& op, const StepSource& source) {
  if (!op.shape.elementwise() && !op.shape.repeats()) return {};
  if (op.shape.dims.elements() / kElementsPerPiece >= INT32_MAX) return {};
  return {"elementwise", std::make_unique<ElementwiseStep<Params>>(op, source)};
}

}  // namespace

MadeStep make_elementwise_step(const Lowered& lowered, const StepSource& source) {
  if (const auto* op = std::get_if<kernels::AddInt8>(&lowered)) {
    return make_elementwise(*op, source);
  }
  if (const auto* op = std::get_if<kernels::MulInt8>(&lowered)) {
    return make_elementwise(*op, source);
  }
  return {};
}

Result<MadeStep> make_channelwise_step(std::span<FusedOp> ops, Isa isa) {
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
