// int8 ADD, SUB and MUL: of two pictures, or of a picture and one pixel.
#include <utility>

#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

auto kernel_for(const kernels::AddInt8& /*op*/, Isa isa) {
  return kernels::best_for(isa, kernels::add_elementwise_kernels());
}
auto kernel_for(const kernels::MulInt8& /*op*/, Isa isa) {
  return kernels::best_for(isa, kernels::mul_elementwise_kernels());
}

template <typename Params>
class ElementwiseStep final : public Step {
 public:
  ElementwiseStep(const Params& op, const LoweredOp& places, Isa isa)
      : op_(op),
        kernel_(kernel_for(op, isa)),
        a_(places.inputs[0]),
        b_(places.inputs[1]),
        output_(places.output),
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

template <typename Params>
MadeStep make(const Params& params, const LoweredOp& op, Isa isa) {
  if (!params.shape.elementwise() && !params.shape.repeats()) return {};
  if (params.shape.dims.elements() / kElementsPerPiece >= INT32_MAX) return {};
  return {"elementwise", std::make_unique<ElementwiseStep<Params>>(params, op, isa)};
}

}  // namespace

Result<MadeStep> make_elementwise_step(std::span<LoweredOp> ops, Isa isa) {
  const LoweredOp& op = ops[0];
  if (const auto* add = std::get_if<kernels::AddInt8>(&op.lowered)) return make(*add, op, isa);
  if (const auto* mul = std::get_if<kernels::MulInt8>(&op.lowered)) return make(*mul, op, isa);
  return MadeStep{};
}

}  // namespace deeplab::plan
