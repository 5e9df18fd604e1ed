// CONV_2D and DEPTHWISE_CONV_2D: values by hand, then every geometry against a second, plainer
// formulation that asks of each tap whether it is inside.
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {
namespace {

constexpr float kFloatMax = std::numeric_limits<float>::max();

/// `in` x `in` pixels, SAME padding.
WindowShape same_shape(int32_t in, int32_t in_c, int32_t out_c, int32_t filter, int32_t stride,
                       int32_t dilation, int32_t batch = 1) {
  WindowShape s;
  s.batch = batch;
  s.in_h = s.in_w = in;
  s.in_c = in_c;
  s.out_c = out_c;
  s.filter_h = s.filter_w = filter;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.out_h = s.out_w = (in + stride - 1) / stride;
  const int32_t reach = (filter - 1) * dilation + 1;
  s.pad_top = s.pad_left = std::max((s.out_h - 1) * stride + reach - in, 0) / 2;
  return s;
}

/// out = clamp(sum of taps); `weight` maps (co, ky, kx, ci) to an index or -1 for "no such tap".
template <typename Acc, typename Element, typename Weight, typename Finish>
void plain_convolution(const WindowShape& s, const std::vector<Element>& input,
                       const std::vector<Element>& filter, Acc input_zero, Acc filter_zero,
                       const Weight& weight, const Finish& finish) {
  size_t out = 0;
  for (int32_t n = 0; n < s.batch; ++n)
    for (int32_t y = 0; y < s.out_h; ++y)
      for (int32_t x = 0; x < s.out_w; ++x)
        for (int32_t co = 0; co < s.out_c; ++co) {
          Acc acc = 0;
          for (int32_t ky = 0; ky < s.filter_h; ++ky)
            for (int32_t kx = 0; kx < s.filter_w; ++kx)
              for (int32_t ci = 0; ci < s.in_c; ++ci) {
                const int32_t iy = y * s.stride_h + ky * s.dilation_h - s.pad_top;
                const int32_t ix = x * s.stride_w + kx * s.dilation_w - s.pad_left;
                const int32_t w = weight(co, ky, kx, ci);
                if (w < 0 || iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
                const int32_t i = ((n * s.in_h + iy) * s.in_w + ix) * s.in_c + ci;
                acc += (input[static_cast<size_t>(i)] - input_zero) *
                       (filter[static_cast<size_t>(w)] - filter_zero);
              }
          finish(out++, co, acc);
        }
}

template <typename T>
std::vector<T> random_values(std::mt19937& random, size_t count) {
  std::vector<T> values(count);
  std::uniform_int_distribution<int> bytes(-128, 127);
  std::uniform_real_distribution<float> reals(-1, 1);
  for (T& v : values) {
    if constexpr (std::is_same_v<T, float>) {
      v = reals(random);
    } else {
      v = static_cast<T>(bytes(random));
    }
  }
  return values;
}

TEST(ReferenceConv2D, PointwiseByHand) {
  Conv2DInt8 conv;
  conv.shape = same_shape(1, 2, 2, 1, 1, 1);
  conv.input_zero_point = 1;
  conv.filter_zero_point = -2;
  conv.output_zero_point = 10;
  const Multiplier multipliers[] = {make_multiplier(0.5), make_multiplier(0.25)};
  conv.multipliers = multipliers;
  const int8_t input[] = {4, -1};        // less the zero point: 3, -2
  const int8_t filter[] = {3, 0, 1, 5};  // 5, 2 | 3, 7
  const int32_t bias[] = {2, -9};
  int8_t output[2];
  // 3*5 - 2*2 + 2 = 13 -> 6.5;  3*3 - 2*7 - 9 = -14 -> -3.5
  conv2d_reference(conv, Rounding::kEngine, input, filter, bias, output);
  EXPECT_EQ(output[0], 16);  // 6.5 to the even 6
  EXPECT_EQ(output[1], 6);   // -3.5 to the even -4
  conv2d_reference(conv, Rounding::kTfLite, input, filter, bias, output);
  EXPECT_EQ(output[0], 17);  // 6.5 up to 7
  EXPECT_EQ(output[1], 6);   // -14 / 2 = -7, then -3.5 away from zero
}

TEST(ReferenceConv2D, PaddingIsRealZero) {
  Conv2DInt8 conv;
  conv.shape = same_shape(3, 1, 1, 3, 1, 1);
  conv.input_zero_point = 7;
  const Multiplier one = make_multiplier(1.0);
  conv.multipliers = &one;
  const std::vector<int8_t> input(9, 8);  // real 1 everywhere
  const std::vector<int8_t> filter(9, 1);
  std::vector<int8_t> output(9);
  for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
    conv2d_reference(conv, rounding, input.data(), filter.data(), nullptr, output.data());
    EXPECT_EQ(output, (std::vector<int8_t>{4, 6, 4, 6, 9, 6, 4, 6, 4}));
  }
}

TEST(ReferenceConv2D, ClampsAndWraps) {
  Conv2DInt8 conv;
  conv.shape = same_shape(1, 1, 1, 1, 1, 1);
  const Multiplier one = make_multiplier(1.0);
  conv.multipliers = &one;
  conv.output_zero_point = -10;
  conv.output_min = -10;
  conv.output_max = 50;
  const auto run = [&](int8_t x, int8_t w, int32_t bias) {
    int8_t output = 0;
    conv2d_reference(conv, Rounding::kEngine, &x, &w, &bias, &output);
    int8_t tflite = 0;
    conv2d_reference(conv, Rounding::kTfLite, &x, &w, &bias, &tflite);
    EXPECT_EQ(output, tflite);
    return int{output};
  };
  EXPECT_EQ(run(-128, 127, 0), -10);
  EXPECT_EQ(run(127, 127, 0), 50);
  EXPECT_EQ(run(5, 4, 0), 10);
  // The accumulator is modulo 2^32.
  EXPECT_EQ(run(1, 1, std::numeric_limits<int32_t>::max()), -10);
}

struct Geometry {
  int32_t in, in_c, out_c, filter, stride, dilation, batch;
};
const Geometry kGeometries[] = {
    {1, 1, 1, 1, 1, 1, 1}, {5, 3, 4, 3, 1, 1, 1}, {5, 3, 4, 3, 2, 1, 2}, {6, 2, 3, 3, 2, 1, 1},
    {7, 5, 2, 3, 1, 2, 1}, {3, 4, 4, 3, 1, 4, 1}, {8, 1, 3, 5, 3, 1, 1}, {4, 9, 1, 1, 2, 1, 2},
    {2, 2, 2, 5, 1, 1, 1}, {9, 3, 2, 2, 2, 3, 1},
};

TEST(ReferenceConv2D, EveryGeometryMatchesThePlainFormulation) {
  std::mt19937 random(3);
  for (const Geometry& g : kGeometries) {
    const WindowShape s =
        same_shape(g.in, g.in_c, g.out_c, g.filter, g.stride, g.dilation, g.batch);
    const auto inputs = static_cast<size_t>(g.batch * g.in * g.in * g.in_c);
    const auto weights = static_cast<size_t>(g.out_c * g.filter * g.filter * g.in_c);
    const auto outputs = static_cast<size_t>(g.batch * s.out_h * s.out_w * g.out_c);
    const auto weight = [&](int32_t co, int32_t ky, int32_t kx, int32_t ci) {
      return ((co * s.filter_h + ky) * s.filter_w + kx) * s.in_c + ci;
    };

    Conv2DInt8 conv{s, -5, 3, nullptr, 4, -100, 100};
    std::vector<Multiplier> multipliers;
    std::vector<int32_t> bias;
    for (int32_t c = 0; c < g.out_c; ++c) {
      multipliers.push_back(make_multiplier(0.001 * (c + 1)));
      bias.push_back(1000 * c - 1500);
    }
    conv.multipliers = multipliers.data();
    const auto input = random_values<int8_t>(random, inputs);
    const auto filter = random_values<int8_t>(random, weights);
    for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
      std::vector<int8_t> output(outputs);
      conv2d_reference(conv, rounding, input.data(), filter.data(), bias.data(), output.data());
      plain_convolution<int32_t>(
          s, input, filter, -5, 3, weight, [&](size_t out, int32_t co, int32_t acc) {
            const auto c = static_cast<size_t>(co);
            EXPECT_EQ(output[out],
                      requantize(rounding, acc + bias[c], multipliers[c], 4, -100, 100));
          });
    }

    const auto float_input = random_values<float>(random, inputs);
    const auto float_filter = random_values<float>(random, weights);
    const auto float_bias = random_values<float>(random, static_cast<size_t>(g.out_c));
    std::vector<float> output(outputs);
    conv2d_reference(Conv2DFloat{s, 0, 6}, Rounding::kTfLite, float_input.data(),
                     float_filter.data(), float_bias.data(), output.data());
    plain_convolution<float>(s, float_input, float_filter, 0, 0, weight,
                             [&](size_t out, int32_t co, float acc) {
                               const float expected = acc + float_bias[static_cast<size_t>(co)];
                               EXPECT_EQ(output[out], std::min(std::max(expected, 0.0f), 6.0f));
                             });
  }
}

TEST(ReferenceDepthwiseConv2D, EveryGeometryMatchesThePlainFormulation) {
  std::mt19937 random(4);
  for (const Geometry& g : kGeometries) {
    const int32_t multiplier = g.out_c;  // outputs per channel
    const int32_t channels = g.in_c * multiplier;
    const WindowShape s =
        same_shape(g.in, g.in_c, channels, g.filter, g.stride, g.dilation, g.batch);
    const auto inputs = static_cast<size_t>(g.batch * g.in * g.in * g.in_c);
    const auto weights = static_cast<size_t>(g.filter * g.filter * channels);
    const auto outputs = static_cast<size_t>(g.batch * s.out_h * s.out_w * channels);
    const auto weight = [&](int32_t co, int32_t ky, int32_t kx, int32_t ci) {
      return co / multiplier == ci ? (ky * s.filter_w + kx) * channels + co : -1;
    };

    DepthwiseConv2DInt8 conv;
    conv.shape = s;
    conv.depth_multiplier = multiplier;
    conv.input_zero_point = -128;
    conv.filter_zero_point = -9;
    conv.output_zero_point = -128;
    std::vector<Multiplier> multipliers;
    std::vector<int32_t> bias;
    for (int32_t c = 0; c < channels; ++c) {
      multipliers.push_back(make_multiplier(0.002 * (c + 1)));
      bias.push_back(700 * c);
    }
    conv.multipliers = multipliers.data();
    const auto input = random_values<int8_t>(random, inputs);
    const auto filter = random_values<int8_t>(random, weights);
    for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
      std::vector<int8_t> output(outputs);
      depthwise_conv2d_reference(conv, rounding, input.data(), filter.data(), bias.data(),
                                 output.data());
      plain_convolution<int32_t>(
          s, input, filter, -128, -9, weight, [&](size_t out, int32_t co, int32_t acc) {
            const auto c = static_cast<size_t>(co);
            EXPECT_EQ(output[out],
                      requantize(rounding, acc + bias[c], multipliers[c], -128, -128, 127));
          });
    }

    DepthwiseConv2DFloat float_conv;
    float_conv.shape = s;
    float_conv.output_min = -kFloatMax;
    float_conv.output_max = kFloatMax;
    float_conv.depth_multiplier = multiplier;
    const auto float_input = random_values<float>(random, inputs);
    const auto float_filter = random_values<float>(random, weights);
    std::vector<float> output(outputs);
    depthwise_conv2d_reference(float_conv, Rounding::kTfLite, float_input.data(),
                               float_filter.data(), nullptr, output.data());
    plain_convolution<float>(s, float_input, float_filter, 0, 0, weight,
                             [&](size_t out, int32_t, float acc) { EXPECT_EQ(output[out], acc); });
  }
}

TEST(ReferenceDepthwiseConv2D, ByHandWithTheZeroPointInThePadding) {
  DepthwiseConv2DInt8 conv;
  conv.shape = same_shape(2, 2, 2, 3, 1, 1);
  conv.input_zero_point = -128;
  const Multiplier ones[] = {make_multiplier(1.0), make_multiplier(1.0)};
  conv.multipliers = ones;
  // Channel 0 holds 1 2 3 4, channel 1 ten times as much.
  const int8_t input[] = {-127, -118, -126, -108, -125, -98, -124, -88};
  std::vector<int8_t> filter(18, 1);
  filter[8] = 2;   // the centre of channel 0 counts twice
  filter[9] = -1;  // the centre of channel 1 is taken away
  int8_t output[8];
  depthwise_conv2d_reference(conv, Rounding::kTfLite, input, filter.data(), nullptr, output);
  EXPECT_EQ((std::vector<int8_t>(output, output + 8)),
            (std::vector<int8_t>{11, 80, 12, 60, 13, 40, 14, 20}));
}

}  // namespace
}  // namespace deeplab::kernels
