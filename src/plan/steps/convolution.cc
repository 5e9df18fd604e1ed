// CONV_2D and DEPTHWISE_CONV_2D on the kernel tables, split between the workers by output rows.
#include "plan/steps/bound_convolution.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

template <typename LoweredConv>
class ConvolutionStep final : public Step {
 public:
  ConvolutionStep(std::unique_ptr<BoundConvolution<LoweredConv>> conv, const LoweredOp& places)
      : conv_(std::move(conv)), input_(places.inputs[0]), output_(places.output) {}

  void run(const RunContext& context) const override {
    using Element = typename BoundConvolution<LoweredConv>::Element;
    const auto* input = reinterpret_cast<const Element*>(input_.read(context));
    auto* output = reinterpret_cast<Element*>(output_.write(context));
    const kernels::WindowShape& s = conv_->shape();
    const int32_t rows = s.batch * s.out_h;
    const int32_t unit = s.out_w == 1 ? kPixelsPerUnit : 2 * s.dilation_h;
    for_rows(context, rows, even_grain(rows, unit, context.workers),
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               conv_->run(input, output, begin, end, scratch);
             });
  }
  size_t scratch_bytes() const override { return conv_->scratch_bytes(); }
  size_t packed_bytes() const override { return conv_->packed_bytes(); }

 private:
  std::unique_ptr<const BoundConvolution<LoweredConv>> conv_;
  TensorPlace input_;
  TensorPlace output_;
};

// What the kernel of a convolution runs: of CONV_2D, with as even rows as may be.
template <typename Params>
Params as_run(const Params& params) {
  return params;
}
kernels::Conv2DInt8 as_run(const kernels::Conv2DInt8& params) { return flattened(params); }
kernels::Conv2DFloat as_run(const kernels::Conv2DFloat& params) { return flattened(params); }

/// A null step if the op is not of this kind.
template <typename LoweredConv>
Result<MadeStep> make(LoweredOp& op, Isa isa) {
  auto* lowered = std::get_if<LoweredConv>(&op.lowered);
  if (lowered == nullptr) return MadeStep{};
  const auto params = as_run(params_of(*lowered));
  const auto* kernel = find_kernel(params, op.inputs, isa);
  if (kernel == nullptr) return MadeStep{};
  params_of(*lowered) = params;
  DEEPLAB_ASSIGN_OR_RETURN(
      auto conv, BoundConvolution<LoweredConv>::bind(*kernel, std::move(*lowered), op.inputs));
  return MadeStep{kernel->name,
                  std::make_unique<ConvolutionStep<LoweredConv>>(std::move(conv), op)};
}

}  // namespace

Result<MadeStep> make_convolution_step(std::span<LoweredOp> ops, Isa isa) {
  for (const auto make_of :
       {make<LoweredConv2DInt8>, make<kernels::Conv2DFloat>, make<LoweredDepthwiseConv2DInt8>,
        make<kernels::DepthwiseConv2DFloat>}) {
    DEEPLAB_ASSIGN_OR_RETURN(MadeStep made, make_of(ops[0], isa));
    if (made.step) return made;
  }
  return MadeStep{};
}

}  // namespace deeplab::plan
