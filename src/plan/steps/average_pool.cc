// AVERAGE_POOL_2D, pixel by pixel.
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

/// Op is AveragePool2DInt8 or AveragePool2DFloat.
template <typename Op, typename Element, typename Sum>
class AveragePoolStep final : public Step {
 public:
  using Kernel = void(const Op& pool, const Element* input, Element* output, int64_t begin,
                      int64_t end, Sum* sums);

  AveragePoolStep(const Op& op, Kernel* kernel, const LoweredOp& places)
      : op_(op), kernel_(kernel), input_(places.inputs[0]), output_(places.output) {}

  void run(const RunContext& context) const override {
    const auto* input = reinterpret_cast<const Element*>(input_.read(context));
    auto* output = reinterpret_cast<Element*>(output_.write(context));
    const kernels::WindowShape& s = op_.shape;
    for_rows(context, s.batch * s.out_h, 1, [&](int32_t begin, int32_t end, std::byte* scratch) {
      kernel_(op_, input, output, int64_t{begin} * s.out_w, int64_t{end} * s.out_w,
              reinterpret_cast<Sum*>(scratch));
    });
  }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(op_.shape.out_c) * sizeof(Sum);
  }

 private:
  Op op_;
  Kernel* kernel_;
  TensorPlace input_;
  TensorPlace output_;
};

using Int8Step = AveragePoolStep<kernels::AveragePool2DInt8, int8_t, int32_t>;
using FloatStep = AveragePoolStep<kernels::AveragePool2DFloat, float, float>;

}  // namespace

Result<MadeStep> make_average_pool_step(std::span<LoweredOp> ops, Isa isa) {
  const LoweredOp& op = ops[0];
  if (const auto* pool = std::get_if<kernels::AveragePool2DFloat>(&op.lowered)) {
    auto* kernel = kernels::best_for(isa, kernels::average_pool_float_kernels());
    return MadeStep{"pixels", std::make_unique<FloatStep>(*pool, kernel, op)};
  }
  const auto* pool = std::get_if<kernels::AveragePool2DInt8>(&op.lowered);
  if (pool == nullptr || !kernels::average_pool_kernels_support(*pool)) return MadeStep{};
  auto* kernel = kernels::best_for(isa, kernels::average_pool_kernels());
  return MadeStep{"pixels", std::make_unique<Int8Step>(*pool, kernel, op)};
}

}  // namespace deeplab::plan
