#include "kernels/clamp.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/multiply_add.h"
#include "kernels/reference_loops.h"

namespace deeplab::kernels {

void depthwise_conv2d_reference(const DepthwiseConv2DInt8& conv, Rounding rounding,
                                const int8_t* input, const int8_t* filter, const int32_t* bias,
                                int8_t* output) {
  const WindowShape& s = conv.shape;
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    for (int32_t co = 0; co < s.out_c; ++co) {
      const int32_t ci = co / conv.depth_multiplier;
      uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[co]) : 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        const int32_t value = input[pixel * s.in_c + ci] - conv.input_zero_point;
        const int32_t weight = filter[tap * s.out_c + co] - conv.filter_zero_point;
        acc += static_cast<uint32_t>(value * weight);
      });
      output[out_pixel * s.out_c + co] =
          requantize(rounding, static_cast<int32_t>(acc), conv.multipliers[co],
                     conv.output_zero_point, conv.output_min, conv.output_max);
    }
  });
}

void depthwise_conv2d_reference(const DepthwiseConv2DFloat& conv, Rounding rounding,
                                const float* input, const float* filter, const float* bias,
                                float* output) {
  const WindowShape& s = conv.shape;
  with_rounding(rounding, [&]<Rounding kRounding>() {
    for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
      for (int32_t co = 0; co < s.out_c; ++co) {
        const int32_t ci = co / conv.depth_multiplier;
        float acc = 0;
        for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
          acc =
              multiply_add<kRounding>(input[pixel * s.in_c + ci], filter[tap * s.out_c + co], acc);
        });
        output[out_pixel * s.out_c + co] =
            clamp_float(add_bias(acc, bias, co), conv.output_min, conv.output_max);
      }
    });
  });
}

}  // namespace deeplab::kernels
