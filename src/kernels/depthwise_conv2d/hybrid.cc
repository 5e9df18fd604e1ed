#include "kernels/depthwise_conv2d/hybrid.h"

#include "kernels/clamp.h"
#include "kernels/conv2d/hybrid_input.h"
#include "kernels/multiply_add.h"
#include "kernels/reference_loops.h"

namespace deeplab::kernels {
namespace {

void run_engine(const DepthwiseConv2DHybrid& conv, const float* input, const int8_t* filter,
                const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    for (int32_t co = 0; co < s.out_c; ++co) {
      const int32_t ci = co / conv.depth_multiplier;
      float acc = 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        const float weight =
            conv.filter_scales[co] * static_cast<float>(filter[tap * s.out_c + co]);
        acc = multiply_add<Rounding::kEngine>(input[pixel * s.in_c + ci], weight, acc);
      });
      output[out_pixel * s.out_c + co] =
          clamp_float(add_bias(acc, bias, co), conv.output_min, conv.output_max);
    }
  });
}

void run_tflite(const DepthwiseConv2DHybrid& conv, const float* input, const int8_t* filter,
                const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  const HybridInput quantized(s, /*symmetric=*/false, input);
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    const PictureScale& picture = quantized.scale(out_pixel);
    for (int32_t co = 0; co < s.out_c; ++co) {
      const int32_t ci = co / conv.depth_multiplier;
      uint32_t acc = 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        const int32_t value = quantized.values()[pixel * s.in_c + ci] - picture.zero_point;
        acc += static_cast<uint32_t>(value * int32_t{filter[tap * s.out_c + co]});
      });
      const auto sum = static_cast<float>(static_cast<int32_t>(acc));
      float real = sum * (conv.filter_scales[co] * picture.scale);
      if (bias != nullptr) real += bias[co];
      output[out_pixel * s.out_c + co] = clamp_float(real, conv.output_min, conv.output_max);
    }
  });
}

}  // namespace

void depthwise_conv2d_reference(const DepthwiseConv2DHybrid& conv, Rounding rounding,
                                const float* input, const int8_t* filter, const float* bias,
                                float* output) {
  const auto run = rounding == Rounding::kEngine ? run_engine : run_tflite;
  run(conv, input, filter, bias, output);
}

}  // namespace deeplab::kernels
