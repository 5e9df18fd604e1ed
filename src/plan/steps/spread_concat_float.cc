// spread_concat.cc's step in float: what the pixel adds to every sum is what the sums start from.
// Float sums have one order, so the pixel's channels must come before the picture's.
#include <cstring>
#include <limits>

#include "plan/arena.h"
#include "plan/steps/bound_convolution.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

using Conv = BoundConvolution<kernels::Conv2DFloat>;

class SpreadConcatFloatStep final : public Step {
 public:
  SpreadConcatFloatStep(std::unique_ptr<Conv> pixel_conv, std::unique_ptr<Conv> conv, bool mixed,
                        const TensorPlace& pixel, const TensorPlace& picture,
                        const TensorPlace& output)
      : pixel_conv_(std::move(pixel_conv)),
        conv_(std::move(conv)),
        mixed_(mixed),
        pixel_(pixel),
        picture_(picture),
        output_(output) {}

  void run(const RunContext& context) const override {
    const kernels::Conv2DFloat& params = conv_->params();
    // After the first worker's scratch, and for all workers to read.
    std::byte* packed = context.scratch + first_scratch();
    std::memcpy(packed, conv_->packed().data(), conv_->packed_bytes());
    auto* sums = reinterpret_cast<float*>(packed + aligned(conv_->packed_bytes()));
    float* values = sums + params.shape.out_c;
    const auto* pixel = reinterpret_cast<const float*>(pixel_.read(context));
    for (int32_t i = 0; i < pixel_conv_->shape().in_c; ++i) {
      // Of infinity RESIZE_BILINEAR makes what is not a number.
      values[i] = mixed_ ? pixel[i] + (pixel[i] - pixel[i]) : pixel[i];
    }
    pixel_conv_->run(values, sums, 0, 1, context.scratch);
    conv_->kernel().start_from(params, sums, packed);

    const auto* input = reinterpret_cast<const float*>(picture_.read(context));
    auto* output = reinterpret_cast<float*>(output_.write(context));
    const int32_t rows = params.shape.batch * params.shape.out_h;
    for_rows(context, rows, even_grain(rows, kPixelsPerUnit, context.workers),
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               conv_->kernel().run(params, packed, input, output, begin, end, scratch);
             });
  }
  size_t scratch_bytes() const override {
    const auto floats = static_cast<size_t>(conv_->shape().out_c + pixel_conv_->shape().in_c);
    return first_scratch() + aligned(conv_->packed_bytes()) + floats * sizeof(float);
  }
  size_t packed_bytes() const override {
    return conv_->packed_bytes() + pixel_conv_->packed_bytes();
  }

 private:
  size_t first_scratch() const {
    return aligned(std::max(conv_->scratch_bytes(), pixel_conv_->scratch_bytes()));
  }

  std::unique_ptr<const Conv> pixel_conv_;
  std::unique_ptr<const Conv> conv_;
  bool mixed_;
  TensorPlace pixel_;
  TensorPlace picture_;
  TensorPlace output_;
};

/// The same convolution of input channels [first, first + channels) alone.
Result<std::unique_ptr<Conv>> bind_channels(kernels::Conv2DFloat conv,
                                            std::vector<TensorPlace> inputs, int32_t first,
                                            int32_t channels, Isa isa) {
  const auto* filter = reinterpret_cast<const float*>(inputs[1].constant);
  std::vector<float> slice;
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    const float* from = filter + ptrdiff_t{n} * conv.shape.in_c + first;
    slice.insert(slice.end(), from, from + channels);
  }
  conv.shape.in_c = channels;
  inputs[1] = {reinterpret_cast<const std::byte*>(slice.data()), -1};
  const auto* kernel = find_kernel(conv, inputs, isa);
  if (kernel == nullptr || kernel->start_from == nullptr) return std::unique_ptr<Conv>();
  return Conv::bind(*kernel, conv, inputs);
}

}  // namespace

Result<MadeStep> make_spread_concat_float_step(std::span<LoweredOp> ops, Isa isa) {
  const LoweredOp& last = ops.back();
  const LoweredOp& join = ops[ops.size() - 2];
  const auto* conv = std::get_if<kernels::Conv2DFloat>(&last.lowered);
  const auto* concat = std::get_if<LoweredConcatenationFloat>(&join.lowered);
  // The pixel is the tensor inside the group.
  if (ops.size() != 3 || conv == nullptr || concat == nullptr || concat->params.count != 2 ||
      join.inputs[0].exists() || !last.inputs[1].is_constant()) {
    return MadeStep{};
  }
  const auto pixel_channels = static_cast<int32_t>(concat->params.inners[0]);
  const int32_t picture_channels = conv->shape.in_c - pixel_channels;
  if (pixel_channels <= 0 || picture_channels <= 0) return MadeStep{};

  kernels::Conv2DFloat pixel = *conv;
  pixel.shape.batch = pixel.shape.in_h = pixel.shape.in_w = 1;
  pixel.shape.out_h = pixel.shape.out_w = 1;
  pixel.output_max = std::numeric_limits<float>::infinity();
  pixel.output_min = -pixel.output_max;
  const std::vector<TensorPlace> without_bias(last.inputs.begin(), last.inputs.begin() + 2);
  DEEPLAB_ASSIGN_OR_RETURN(auto pixel_conv,
                           bind_channels(pixel, without_bias, 0, pixel_channels, isa));
  DEEPLAB_ASSIGN_OR_RETURN(auto rest, bind_channels(flattened(*conv), last.inputs, pixel_channels,
                                                    picture_channels, isa));
  if (pixel_conv == nullptr || rest == nullptr) return MadeStep{};
  std::string name = str_cat("pixel + ", rest->name());
  const bool mixed = std::holds_alternative<kernels::ResizeBilinearFloat>(ops[0].lowered);
  return MadeStep{std::move(name), std::make_unique<SpreadConcatFloatStep>(
                                       std::move(pixel_conv), std::move(rest), mixed,
                                       ops[0].inputs[0], join.inputs[1], last.output)};
}

}  // namespace deeplab::plan
