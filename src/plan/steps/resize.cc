// RESIZE_BILINEAR, split by output rows, with the columns' positions worked out once.
#include <type_traits>
#include <vector>

#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

template <typename Params, typename Element>
class ResizeStep final : public Step {
 public:
  ResizeStep(const Params& params, const LoweredOp& places, Isa isa)
      : params_(params),
        kernel_(kernels::best_for(isa, kernels::resize_rows_kernels(params))),
        input_(places.inputs[0]),
        output_(places.output) {
    const kernels::ResizeShape& s = params_.shape;
    const float scale = kernels::resize_scale(s.in_w, s.out_w, s.align_corners);
    for (int32_t x = 0; x < s.out_w; ++x) {
      columns_.push_back(kernels::resize_sample(x, scale, s.half_pixel_centers, s.in_w));
    }
  }

  void run(const RunContext& context) const override {
    const auto* input = reinterpret_cast<const Element*>(input_.read(context));
    auto* output = reinterpret_cast<Element*>(output_.write(context));
    const int32_t rows = params_.shape.batch * params_.shape.out_h;
    for_rows(context, rows, even_grain(rows, 1, context.workers),
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               kernel_(params_, columns_.data(), input, output, begin, end,
                       reinterpret_cast<float*>(scratch));
             });
  }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(params_.shape.in_w) * static_cast<size_t>(params_.shape.channels) *
           sizeof(float);
  }
  size_t packed_bytes() const override { return columns_.size() * sizeof(kernels::ResizeSample); }

 private:
  Params params_;
  kernels::ResizeRows<Params, Element>* kernel_;
  std::vector<kernels::ResizeSample> columns_;
  TensorPlace input_;
  TensorPlace output_;
};

}  // namespace

Result<MadeStep> make_resize_step(std::span<LoweredOp> ops, Isa isa) {
  const LoweredOp& op = ops[0];
  if (const auto* resize = std::get_if<kernels::ResizeBilinearInt8>(&op.lowered)) {
    using Int8Step = ResizeStep<kernels::ResizeBilinearInt8, int8_t>;
    return MadeStep{"rows", std::make_unique<Int8Step>(*resize, op, isa)};
  }
  if (const auto* resize = std::get_if<kernels::ResizeBilinearFloat>(&op.lowered)) {
    using FloatStep = ResizeStep<kernels::ResizeBilinearFloat, float>;
    return MadeStep{"rows", std::make_unique<FloatStep>(*resize, op, isa)};
  }
  return MadeStep{};
}

}  // namespace deeplab::plan
