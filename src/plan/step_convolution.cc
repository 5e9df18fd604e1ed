// CONV_2D and DEPTHWISE_CONV_2D on the kernel tables, split between the workers by output rows.
#include "plan/bound_convolution.h"
#include "plan/make_step.h"

namespace deeplab::plan {
namespace {

template <typename LoweredConv>
class ConvolutionStep final : public Step {
 public:
  ConvolutionStep(std::unique_ptr<BoundConvolution<LoweredConv>> conv, const StepSource& source)
      : conv_(std::move(conv)), input_(source.inputs[0]), output_(source.output) {}

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

template <typename LoweredConv>
Result<MadeStep> make(LoweredConv& lowered, const StepSource& source) {
  const TensorPlace bias = source.inputs.size() > 2 ? source.inputs[2] : TensorPlace{};
  DEEPLAB_ASSIGN_OR_RETURN(
      auto conv, BoundConvolution<LoweredConv>::bind(lowered, source.inputs[1], bias, source.isa));
  if (!conv) return MadeStep{};
  const char* name = conv->name();
  return MadeStep{name, std::make_unique<ConvolutionStep<LoweredConv>>(std::move(conv), source)};
}

}  // namespace

Result<MadeStep> make_convolution_step(Lowered& lowered, const StepSource& source) {
  if (auto* conv = std::get_if<LoweredConv2DInt8>(&lowered)) {
    flatten(conv->params);
    return make(*conv, source);
  }
  if (auto* conv = std::get_if<kernels::Conv2DFloat>(&lowered)) {
    flatten(*conv);
    return make(*conv, source);
  }
  if (auto* conv = std::get_if<LoweredDepthwiseConv2DInt8>(&lowered)) return make(*conv, source);
  if (auto* conv = std::get_if<kernels::DepthwiseConv2DFloat>(&lowered)) {
    return make(*conv, source);
  }
  return MadeStep{};
}

}  // namespace deeplab::plan
