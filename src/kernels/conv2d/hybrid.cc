#include "kernels/conv2d/hybrid.h"

#include "kernels/clamp.h"
#include "kernels/conv2d/hybrid_input.h"
#include "kernels/multiply_add.h"
#include "kernels/reference_loops.h"

namespace deeplab::kernels {
namespace {

void run_engine(const Conv2DHybrid& conv, const float* input, const int8_t* filter,
                const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  const int64_t filter_size = int64_t{s.filter_h} * s.filter_w * s.in_c;
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    for (int32_t co = 0; co < s.out_c; ++co) {
      const float scale = conv.filter_scales[co];
      float acc = 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        const float* values = input + pixel * s.in_c;
        const int8_t* weights = filter + co * filter_size + tap * s.in_c;
        for (int32_t ci = 0; ci < s.in_c; ++ci) {
          const float weight = scale * static_cast<float>(weights[ci]);
          acc = multiply_add<Rounding::kEngine>(values[ci], weight, acc);
        }
      });
      output[out_pixel * s.out_c + co] =
          clamp_float(add_bias(acc, bias, co), conv.output_min, conv.output_max);
    }
  });
}

/// sum (x - zero_point) * w, modulo 2^32.
uint32_t dot(const int8_t* x, int32_t zero_point, const int8_t* w, int32_t count) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    sum += static_cast<uint32_t>((x[i] - zero_point) * int32_t{w[i]});
  }
  return sum;
}

void run_tflite(const Conv2DHybrid& conv, const float* input, const int8_t* filter,
                const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  const int64_t filter_size = int64_t{s.filter_h} * s.filter_w * s.in_c;
  const HybridInput quantized(s, conv.one_scale, input);
  for_each_output_pixel(s, [&](const WindowAt& at, int64_t out_pixel) {
    const PictureScale& picture = quantized.scale(out_pixel);
    for (int32_t co = 0; co < s.out_c; ++co) {
      uint32_t acc = 0;
      for_each_tap(s, at, [&](int64_t pixel, int64_t tap) {
        acc += dot(quantized.values() + pixel * s.in_c, picture.zero_point,
                   filter + co * filter_size + tap * s.in_c, s.in_c);
      });
      const auto sum = static_cast<float>(static_cast<int32_t>(acc));
      const float scale = conv.filter_scales[co];
      float real = conv.one_scale ? sum * (picture.scale * scale) : sum * scale * picture.scale;
      if (bias != nullptr) real += bias[co];
      output[out_pixel * s.out_c + co] = clamp_float(real, conv.output_min, conv.output_max);
    }
  });
}

}  // namespace

void conv2d_reference(const Conv2DHybrid& conv, Rounding rounding, const float* input,
                      const int8_t* filter, const float* bias, float* output) {
  const auto run = rounding == Rounding::kEngine ? run_engine : run_tflite;
  run(conv, input, filter, bias, output);
}

}  // namespace deeplab::kernels
