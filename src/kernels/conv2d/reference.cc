#include "kernels/clamp.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/multiply_add.h"
#include "kernels/reference_loops.h"

namespace deeplab::kernels {
namespace {

/// sum (x - x_zero) * (w - w_zero), modulo 2^32. The differences are within [-255, 255].
uint32_t dot(const int8_t* x, int32_t x_zero, const int8_t* w, int32_t w_zero, int32_t count) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    const auto a = static_cast<int16_t>(x[i] - x_zero);
    const auto b = static_cast<int16_t>(w[i] - w_zero);
    sum += static_cast<uint32_t>(a * b);
  }
  return sum;
}

}  // namespace

void conv2d_reference(const Conv2DInt8& conv, Rounding rounding, const int8_t* input,
                      const int8_t* filter, const int32_t* bias, int8_t* output) {
  const WindowShape& s = conv.shape;
  const int64_t filter_size = int64_t{s.filter_h} * s.filter_w * s.in_c;
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    for (int32_t co = 0; co < s.out_c; ++co) {
      uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[co]) : 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        acc += dot(input + pixel * s.in_c, conv.input_zero_point,
                   filter + co * filter_size + tap * s.in_c, conv.filter_zero_point, s.in_c);
      });
      output[out_pixel * s.out_c + co] =
          requantize(rounding, static_cast<int32_t>(acc), conv.multipliers[co],
                     conv.output_zero_point, conv.output_min, conv.output_max);
    }
  });
}

void conv2d_reference(const Conv2DFloat& conv, Rounding rounding, const float* input,
                      const float* filter, const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  const int64_t filter_size = int64_t{s.filter_h} * s.filter_w * s.in_c;
  with_rounding(rounding, [&]<Rounding kRounding>() {
    for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
      for (int32_t co = 0; co < s.out_c; ++co) {
        float acc = 0;
        for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
          const float* values = input + pixel * s.in_c;
          const float* weights = filter + co * filter_size + tap * s.in_c;
          for (int32_t ci = 0; ci < s.in_c; ++ci) {
            acc = multiply_add<kRounding>(values[ci], weights[ci], acc);
          }
        });
        output[out_pixel * s.out_c + co] =
            clamp_float(add_bias(acc, bias, co), conv.output_min, conv.output_max);
      }
    });
  });
}

}  // namespace deeplab::kernels
