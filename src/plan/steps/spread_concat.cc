// A 1x1 convolution over {one pixel spread over the picture, the picture}: DeepLab's image pooling
// branch. The pixel's part of every sum is the same everywhere, so it is computed once and goes
// into the biases; int32 sums do not care. With 256 of 512 channels pooled, that is half the work.
#include <cstring>

#include "plan/arena.h"
#include "plan/steps/bound_convolution.h"
#include "plan/steps/lookup_table.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

/// The weights of some input channels, [out_c][channels].
std::vector<int8_t> filter_slice(const std::byte* filter, int32_t out_c, int32_t in_c,
                                 int32_t first, int32_t channels) {
  std::vector<int8_t> slice(static_cast<size_t>(out_c) * static_cast<size_t>(channels));
  for (int32_t n = 0; n < out_c; ++n) {
    std::memcpy(slice.data() + ptrdiff_t{n} * channels, filter + ptrdiff_t{n} * in_c + first,
                static_cast<size_t>(channels));
  }
  return slice;
}

class SpreadConcatStep final : public Step {
 public:
  using Conv = BoundConvolution<LoweredConv2DInt8>;

  SpreadConcatStep(std::unique_ptr<Conv> conv, const LookupTable& table,
                   std::vector<int16_t> pixel_weights, int32_t pixel_channels,
                   const TensorPlace& pixel, const TensorPlace& picture, const TensorPlace& output)
      : conv_(std::move(conv)),
        table_(table),
        pixel_weights_(std::move(pixel_weights)),
        pixel_channels_(pixel_channels),
        pixel_(pixel),
        picture_(picture),
        output_(output) {}

  void run(const RunContext& context) const override {
    const kernels::Conv2DInt8& params = conv_->params();
    // After the first worker's scratch, and for all workers to read.
    std::byte* packed = context.scratch + aligned(conv_->scratch_bytes());
    std::memcpy(packed, conv_->packed().data(), conv_->packed_bytes());
    auto* sums = reinterpret_cast<int32_t*>(packed + aligned(conv_->packed_bytes()));
    auto* values = reinterpret_cast<int16_t*>(sums + params.shape.out_c);
    sum_pixel(reinterpret_cast<const int8_t*>(pixel_.read(context)), values, sums);
    conv_->kernel().start_from(params, sums, packed);

    const auto* input = reinterpret_cast<const int8_t*>(picture_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    const int32_t rows = params.shape.batch * params.shape.out_h;
    for_rows(context, rows, even_grain(rows, kPixelsPerUnit, context.workers),
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               conv_->kernel().run(params, packed, input, output, begin, end, scratch);
             });
  }
  size_t scratch_bytes() const override {
    const auto out_c = static_cast<size_t>(conv_->shape().out_c);
    return aligned(conv_->scratch_bytes()) + aligned(conv_->packed_bytes()) +
           out_c * sizeof(int32_t) + static_cast<size_t>(pixel_channels_) * sizeof(int16_t);
  }
  size_t packed_bytes() const override {
    return conv_->packed_bytes() + pixel_weights_.size() * sizeof(int16_t);
  }

 private:
  void sum_pixel(const int8_t* pixel, int16_t* values, int32_t* sums) const {
    const int32_t zero_point = conv_->params().input_zero_point;
    for (int32_t i = 0; i < pixel_channels_; ++i) {
      values[i] = static_cast<int16_t>(table_[static_cast<uint8_t>(pixel[i])] - zero_point);
    }
    const int16_t* w = pixel_weights_.data();
    for (int32_t n = 0; n < conv_->shape().out_c; ++n, w += pixel_channels_) {
      int32_t sum = 0;  // Of at most 2^15 products below 2^16.
      for (int32_t i = 0; i < pixel_channels_; ++i) sum += values[i] * w[i];
      sums[n] = sum;
    }
  }

  std::unique_ptr<const Conv> conv_;
  LookupTable table_;  ///< From the pixel's stored values to those of the joined tensor.
  std::vector<int16_t> pixel_weights_;  ///< [out_c][pixel_channels], less the zero point.
  int32_t pixel_channels_;
  TensorPlace pixel_;
  TensorPlace picture_;
  TensorPlace output_;
};

LookupTable then(const LookupTable& first, const LookupTable& second) {
  LookupTable both;
  for (size_t i = 0; i < both.size(); ++i) both[i] = second[static_cast<uint8_t>(first[i])];
  return both;
}

}  // namespace

Result<MadeStep> make_spread_concat_step(std::span<LoweredOp> ops, Isa isa) {
  LoweredOp& last = ops.back();
  LoweredOp& join = ops[ops.size() - 2];
  auto* conv = std::get_if<LoweredConv2DInt8>(&last.lowered);
  const auto* concat = std::get_if<LoweredConcatenationInt8>(&join.lowered);
  if (conv == nullptr || concat == nullptr || concat->params.count != 2) return MadeStep{};
  if (!last.inputs[1].is_constant()) return MadeStep{};

  // Which of the two has the pixel: the tensor inside the group.
  const size_t pixel = join.inputs[0].exists() ? 1 : 0;
  const kernels::ConcatenationInt8Input& spread = concat->params.inputs[pixel];
  if (join.inputs[pixel].exists() || !concat->params.inputs[1 - pixel].same) return MadeStep{};
  LookupTable table = concatenation_table(concat->params, spread);
  if (ops.size() == 4) {
    auto* quantize = std::get_if<kernels::RequantizeInt8>(&ops[1].lowered);
    if (quantize == nullptr) return MadeStep{};
    kernels::RequantizeInt8 all = *quantize;
    all.count = 256;
    table = then(make_lookup_table(Lowered(all)), table);
  }

  kernels::Conv2DInt8 params = conv->params;
  const int32_t in_c = params.shape.in_c;
  const int32_t out_c = params.shape.out_c;
  const auto pixel_channels = static_cast<int32_t>(spread.inner);
  const int32_t picture_channels = in_c - pixel_channels;
  if (pixel_channels > 1 << 15 || picture_channels <= 0) return MadeStep{};
  const std::byte* filter = last.inputs[1].constant;
  const int32_t pixel_first = pixel == 0 ? 0 : picture_channels;
  std::vector<int16_t> pixel_weights;
  for (int8_t w : filter_slice(filter, out_c, in_c, pixel_first, pixel_channels)) {
    pixel_weights.push_back(static_cast<int16_t>(w - params.filter_zero_point));
  }
  const std::vector<int8_t> rest =
      filter_slice(filter, out_c, in_c, pixel_channels - pixel_first, picture_channels);
  params.shape.in_c = picture_channels;
  params = flattened(params);

  std::vector<TensorPlace> inputs = last.inputs;
  inputs[1] = {reinterpret_cast<const std::byte*>(rest.data()), -1};
  const auto* kernel = find_kernel(params, inputs, isa);
  if (kernel == nullptr || kernel->start_from == nullptr) return MadeStep{};
  conv->params = params;
  DEEPLAB_ASSIGN_OR_RETURN(
      auto bound, BoundConvolution<LoweredConv2DInt8>::bind(*kernel, std::move(*conv), inputs));
  std::string name = str_cat("pixel + ", kernel->name);
  return MadeStep{std::move(name),
                  std::make_unique<SpreadConcatStep>(
                      std::move(bound), table, std::move(pixel_weights), pixel_channels,
                      ops[0].inputs[0], join.inputs[1 - pixel], last.output)};
}

}  // namespace deeplab::plan
