// Convolutions of float activations with int8 filters: how the input is quantized, the two
// definitions, and how far they are from each other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/conv2d/hybrid_input.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/hybrid.h"

namespace deeplab::kernels {
namespace {

constexpr float kMax = std::numeric_limits<float>::max();

TEST(HybridInput, SymmetricByHand) {
  // 127 steps to the largest magnitude; 63.5 goes away from 0.
  const std::vector<float> x = {-1, 0.5f, 0.25f, 0, -0.5f};
  std::vector<int8_t> q(x.size());
  const PictureScale scale = quantize_symmetric(x.data(), 5, q.data());
  EXPECT_EQ(q, (std::vector<int8_t>{-127, 64, 32, 0, -64}));
  EXPECT_EQ(scale.scale, 1.0f / 127);
  EXPECT_EQ(scale.zero_point, 0);
}

TEST(HybridInput, AsymmetricByHand) {
  {
    // A step of 4 / 255; 0 is -128 + 63.75, rounded.
    const std::vector<float> x = {-1, 0.5f, 3};
    std::vector<int8_t> q(x.size());
    const PictureScale scale = quantize_asymmetric(x.data(), 3, q.data());
    EXPECT_EQ(scale.zero_point, -64);
    EXPECT_EQ(scale.scale, 4.0f / 255);
    EXPECT_EQ(q, (std::vector<int8_t>{-128, -32, 127}));
  }
  {
    // What is above 0 throughout still has a 0.
    const std::vector<float> x = {2, 0.5f};
    std::vector<int8_t> q(x.size());
    const PictureScale scale = quantize_asymmetric(x.data(), 2, q.data());
    EXPECT_EQ(scale.zero_point, -128);
    EXPECT_EQ(q, (std::vector<int8_t>{127, -64}));
  }
  {
    const std::vector<float> x = {-3, -0.5f};
    std::vector<int8_t> q(x.size());
    EXPECT_EQ(quantize_asymmetric(x.data(), 2, q.data()).zero_point, 127);
    EXPECT_EQ(q, (std::vector<int8_t>{-128, 85}));  // 127 - 0.5 * 85 = 84.5
  }
}

TEST(HybridInput, ZerosAndWhatIsNoNumber) {
  for (const auto quantize : {quantize_symmetric, quantize_asymmetric}) {
    const std::vector<float> zeros(4);
    std::vector<int8_t> q(4, int8_t{9});
    const PictureScale scale = quantize(zeros.data(), 4, q.data());
    EXPECT_EQ(scale.scale, 1);
    EXPECT_EQ(scale.zero_point, 0);
    EXPECT_EQ(q, std::vector<int8_t>(4));
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::vector<float>& x : {std::vector<float>{inf, 1, -inf, nan},
                                        {nan, 1, 2, 3},
                                        {1e-45f, 0, 0, -1e-45f},
                                        {kMax, -kMax, 0, 1}}) {
      quantize(x.data(), 4, q.data());  // Under a sanitizer: no conversion leaves its range.
    }
  }
}

/// Random operands of one convolution of two pictures, the second ten times as bright.
template <typename Conv>
struct Case {
  Conv conv;
  std::vector<float> input, bias, scales;
  std::vector<int8_t> filter;

  Case(const WindowShape& shape, int64_t filter_elements, bool one_scale, uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> real(-1, 3);
    const int64_t picture = int64_t{shape.in_h} * shape.in_w * shape.in_c;
    for (int64_t i = 0; i < 2 * picture; ++i) {
      input.push_back(real(random) * (i < picture ? 1 : 10));
    }
    for (int64_t i = 0; i < filter_elements; ++i) filter.push_back(static_cast<int8_t>(random()));
    for (int32_t c = 0; c < shape.out_c; ++c) {
      bias.push_back(real(random));
      scales.push_back(one_scale ? 0.017f : 0.01f + 0.003f * static_cast<float>(c));
    }
    conv.shape = shape;
    conv.filter_scales = scales.data();
    conv.one_scale = one_scale;
    conv.output_min = -100;
    conv.output_max = kMax;
  }
};

WindowShape window(int32_t in_c, int32_t out_c) {
  WindowShape s;
  s.batch = 2;
  s.in_h = 7;
  s.in_w = 6;
  s.in_c = in_c;
  s.filter_h = 3;
  s.filter_w = 2;
  s.stride_h = 2;
  s.dilation_w = 2;
  s.pad_top = 1;
  s.pad_left = 1;
  s.out_h = 4;
  s.out_w = 6;
  s.out_c = out_c;
  return s;
}

/// For every output: body(index, out channel, picture, taps inside the picture as {pixel, tap}).
template <typename Body>
void for_each_output(const WindowShape& s, const Body& body) {
  size_t index = 0;
  for (int32_t n = 0; n < s.batch; ++n) {
    for (int32_t y = 0; y < s.out_h; ++y) {
      for (int32_t x = 0; x < s.out_w; ++x) {
        std::vector<std::pair<int32_t, int32_t>> taps;
        for (int32_t ky = 0; ky < s.filter_h; ++ky) {
          for (int32_t kx = 0; kx < s.filter_w; ++kx) {
            const int32_t iy = y * s.stride_h + ky * s.dilation_h - s.pad_top;
            const int32_t ix = x * s.stride_w + kx * s.dilation_w - s.pad_left;
            if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
            taps.emplace_back((n * s.in_h + iy) * s.in_w + ix, ky * s.filter_w + kx);
          }
        }
        for (int32_t c = 0; c < s.out_c; ++c) body(index++, c, n, taps);
      }
    }
  }
}

struct Quantized {
  std::vector<int8_t> values;
  PictureScale scales[2];
};
Quantized quantized(const std::vector<float>& input, bool symmetric) {
  Quantized q;
  q.values.resize(input.size());
  const auto half = static_cast<int64_t>(input.size() / 2);
  for (int64_t n = 0; n < 2; ++n) {
    const auto quantize = symmetric ? quantize_symmetric : quantize_asymmetric;
    q.scales[n] = quantize(&input[static_cast<size_t>(n * half)], half,
                           &q.values[static_cast<size_t>(n * half)]);
  }
  return q;
}

TEST(ReferenceHybrid, ConvolutionInTfLitesTerms) {
  for (const bool one_scale : {false, true}) {
    const WindowShape s = window(5, 3);
    Case<Conv2DHybrid> c(s, 3 * 3 * 2 * 5, one_scale, 1);
    const Quantized q = quantized(c.input, one_scale);
    std::vector<float> output(2 * 4 * 6 * 3);
    conv2d_reference(c.conv, Rounding::kTfLite, c.input.data(), c.filter.data(), c.bias.data(),
                     output.data());
    for_each_output(s, [&](size_t i, int32_t co, int32_t n, const auto& taps) {
      int64_t sum = 0;
      for (const auto& [pixel, tap] : taps) {
        for (int32_t ci = 0; ci < 5; ++ci) {
          sum += (q.values[static_cast<size_t>(pixel * 5 + ci)] - q.scales[n].zero_point) *
                 c.filter[static_cast<size_t>((co * 6 + tap) * 5 + ci)];
        }
      }
      const float acc = static_cast<float>(sum);
      const float scale = c.scales[static_cast<size_t>(co)];
      const float product =
          one_scale ? acc * (q.scales[n].scale * scale) : acc * scale * q.scales[n].scale;
      EXPECT_EQ(output[i], std::max(-100.0f, product + c.bias[static_cast<size_t>(co)])) << i;
    });
  }
}

TEST(ReferenceHybrid, DepthwiseInTfLitesTerms) {
  for (const bool one_scale : {false, true}) {
    const WindowShape s = window(3, 6);
    Case<DepthwiseConv2DHybrid> c(s, 3 * 2 * 6, one_scale, 2);
    c.conv.depth_multiplier = 2;
    const Quantized q = quantized(c.input, false);
    std::vector<float> output(2 * 4 * 6 * 6);
    depthwise_conv2d_reference(c.conv, Rounding::kTfLite, c.input.data(), c.filter.data(), nullptr,
                               output.data());
    for_each_output(s, [&](size_t i, int32_t co, int32_t n, const auto& taps) {
      int64_t sum = 0;
      for (const auto& [pixel, tap] : taps) {
        sum += (q.values[static_cast<size_t>(pixel * 3 + co / 2)] - q.scales[n].zero_point) *
               c.filter[static_cast<size_t>(tap * 6 + co)];
      }
      const float product =
          static_cast<float>(sum) * (c.scales[static_cast<size_t>(co)] * q.scales[n].scale);
      EXPECT_EQ(output[i], std::max(-100.0f, product)) << i;
    });
  }
}

/// The engine's definition is a float convolution of the filter's values.
TEST(ReferenceHybrid, TheEngineConvolvesTheFiltersValues) {
  for (const bool one_scale : {false, true}) {
    Case<Conv2DHybrid> c(window(5, 3), 3 * 3 * 2 * 5, one_scale, 3);
    std::vector<float> weights;
    for (size_t i = 0; i < c.filter.size(); ++i) {
      weights.push_back(c.scales[i / 30] * static_cast<float>(c.filter[i]));
    }
    std::vector<float> a(2 * 4 * 6 * 3), b(a.size());
    conv2d_reference(c.conv, Rounding::kEngine, c.input.data(), c.filter.data(), c.bias.data(),
                     a.data());
    conv2d_reference(c.conv, Rounding::kEngine, c.input.data(), weights.data(), c.bias.data(),
                     b.data());
    EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
  }
  Case<DepthwiseConv2DHybrid> c(window(3, 6), 3 * 2 * 6, false, 4);
  c.conv.depth_multiplier = 2;
  DepthwiseConv2DFloat conv;
  static_cast<Conv2DFloat&>(conv) = c.conv;
  conv.depth_multiplier = 2;
  std::vector<float> weights;
  for (size_t i = 0; i < c.filter.size(); ++i) {
    weights.push_back(c.scales[i % 6] * static_cast<float>(c.filter[i]));
  }
  std::vector<float> a(2 * 4 * 6 * 6), b(a.size());
  depthwise_conv2d_reference(c.conv, Rounding::kEngine, c.input.data(), c.filter.data(), nullptr,
                             a.data());
  depthwise_conv2d_reference(conv, Rounding::kEngine, c.input.data(), weights.data(), nullptr,
                             b.data());
  EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
}

/// docs/numerics.md: a quantized input is at most a step of its picture off (half a step of
/// rounding, half a step that the zero point was moved by), and so the sum at most a step times
/// the sum of the weights' magnitudes; the rest is float32 rounding.
TEST(ReferenceHybrid, TheTwoDefinitionsAreWithinAStepOfTheInput) {
  for (const bool one_scale : {false, true}) {
    for (uint32_t seed = 5; seed < 25; ++seed) {
      const WindowShape s = window(5, 3);
      Case<Conv2DHybrid> c(s, 3 * 3 * 2 * 5, one_scale, seed);
      c.conv.output_min = -kMax;
      std::vector<float> engine(2 * 4 * 6 * 3), tflite(engine.size());
      conv2d_reference(c.conv, Rounding::kEngine, c.input.data(), c.filter.data(), c.bias.data(),
                       engine.data());
      conv2d_reference(c.conv, Rounding::kTfLite, c.input.data(), c.filter.data(), c.bias.data(),
                       tflite.data());
      const Quantized q = quantized(c.input, one_scale);
      double largest = 0;
      for_each_output(s, [&](size_t i, int32_t co, int32_t n, const auto& taps) {
        double weights = 0;
        for (const auto& [pixel, tap] : taps) {
          for (int32_t ci = 0; ci < 5; ++ci) {
            weights += std::abs(c.filter[static_cast<size_t>((co * 6 + tap) * 5 + ci)]);
          }
        }
        weights *= double{c.scales[static_cast<size_t>(co)]};
        const double step = double{q.scales[n].scale};
        // 30 products of at most 30 in magnitude: 32 roundings of less than 2^-24 of their sum.
        EXPECT_LE(std::abs(engine[i] - tflite[i]), weights * (step + 32 * 30 * 0x1p-24)) << i;
        largest = std::max(largest, double{std::abs(engine[i] - tflite[i])} / (weights * step));
      });
      EXPECT_GT(largest, 0.05) << "the bound says something";
    }
  }
}

}  // namespace
}  // namespace deeplab::kernels
