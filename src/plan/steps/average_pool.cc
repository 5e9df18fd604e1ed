// int8 AVERAGE_POOL_2D, pixel by pixel.
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

class AveragePoolStep final : public Step {
 public:
  AveragePoolStep(const kernels::AveragePool2DInt8& op, const LoweredOp& places, Isa isa)
      : op_(op),
        kernel_(kernels::best_for(isa, kernels::average_pool_kernels())),
        input_(places.inputs[0]),
        output_(places.output) {}

  void run(const RunContext& context) const override {
    const auto* input = reinterpret_cast<const int8_t*>(input_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    const kernels::WindowShape& s = op_.shape;
    for_rows(context, s.batch * s.out_h, 1, [&](int32_t begin, int32_t end, std::byte* scratch) {
      kernel_(op_, input, output, int64_t{begin} * s.out_w, int64_t{end} * s.out_w,
              reinterpret_cast<int32_t*>(scratch));
    });
  }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(op_.shape.out_c) * sizeof(int32_t);
  }

 private:
  kernels::AveragePool2DInt8 op_;
  kernels::AveragePoolPixels* kernel_;
  TensorPlace input_;
  TensorPlace output_;
};

}  // namespace

Result<MadeStep> make_average_pool_step(std::span<LoweredOp> ops, Isa isa) {
  const auto* op = std::get_if<kernels::AveragePool2DInt8>(&ops[0].lowered);
  if (op == nullptr || !kernels::average_pool_kernels_support(*op)) return MadeStep{};
  return MadeStep{"pixels", std::make_unique<AveragePoolStep>(*op, ops[0], isa)};
}

}  // namespace deeplab::plan
