// Every entry of the kernel table of inverted residual blocks against the three references, one
// after the other, byte for byte.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/kernels/inverted_residual_run.h"

namespace deeplab::kernels {
namespace {

using testing::can_run;
using testing::describe;
using testing::elements;
using testing::Guard;
using testing::Pad;
using testing::random_values;
using testing::with_padding;

// Parameters as of a quantized layer; half of them with a ReLU's bounds, half with a filter zero
// point as uint8 files have it.
template <typename Params>
std::vector<Multiplier> set_quantization(std::mt19937& random, int32_t channels, Params& conv) {
  constexpr int32_t kZeroPoints[] = {0, -128, 127, 3, -77};
  const auto any = [&] { return kZeroPoints[random() % 5]; };
  conv.filter_zero_point = random() % 2 == 0 ? 0 : static_cast<int32_t>(random() % 255) - 127;
  conv.output_zero_point = any();
  if (random() % 2 == 0) {
    conv.output_min = conv.output_zero_point;
    conv.output_max = std::min(127, conv.output_zero_point + static_cast<int32_t>(random() % 256));
  }
  std::vector<Multiplier> multipliers(static_cast<size_t>(channels));
  for (Multiplier& m : multipliers) {
    const double mantissa =
        random() % 3 == 0 ? 1 : 1 + static_cast<double>(random()) / 4294967296.0;
    m = make_multiplier(std::ldexp(mantissa, -1 - static_cast<int>(random() % 20)));
  }
  conv.multipliers = multipliers.data();
  return multipliers;
}

struct Case {
  Conv2DInt8 expand;
  DepthwiseConv2DInt8 depthwise;
  Conv2DInt8 project;
};

void compare(Case c, std::mt19937& random, int* ran) {
  const WindowShape& s = c.expand.shape;
  const WindowShape& d = c.depthwise.shape;
  const WindowShape& p = c.project.shape;
  const auto multipliers = set_quantization(random, s.out_c, c.expand);
  const auto depthwise_multipliers = set_quantization(random, d.out_c, c.depthwise);
  const auto project_multipliers = set_quantization(random, p.out_c, c.project);
  c.expand.input_zero_point = static_cast<int32_t>(random() % 256) - 128;
  c.depthwise.input_zero_point = c.expand.output_zero_point;
  c.project.input_zero_point = c.depthwise.output_zero_point;

  const auto x = random_values<int8_t>(random, elements(s.in_h, s.in_w, s.in_c));
  const auto w = random_values<int8_t>(random, elements(s.filter_h, s.filter_w, s.in_c) * s.out_c);
  const auto depthwise_w = random_values<int8_t>(random, elements(3, 3, d.out_c));
  const auto project_w = random_values<int8_t>(random, elements(1, p.in_c, p.out_c));
  const auto biases = [&](int32_t count) {
    std::vector<int32_t> bias(static_cast<size_t>(count));
    for (int32_t& b : bias) b = static_cast<int32_t>(random() % 20001) - 10000;
    return bias;
  };
  const auto bias = biases(s.out_c);
  const auto depthwise_bias = biases(d.out_c);
  const auto project_bias = biases(p.out_c);
  InvertedResidualWeights weights = {w.data(),           bias.data(),
                                     depthwise_w.data(), depthwise_bias.data(),
                                     project_w.data(),   project_bias.data()};
  if (random() % 4 == 0) weights.depthwise_bias = nullptr;
  if (random() % 4 == 0) weights.project_bias = nullptr;

  const InvertedResidualInt8 ops = {c.expand, c.depthwise, c.project};
  const auto expected = testing::reference(ops, weights, x);
  for (const InvertedResidualInt8Kernel& kernel : inverted_residual_int8_kernels()) {
    if (!can_run(kernel.isa) || !kernel.supports(ops)) continue;
    ++*ran;
    const auto got =
        testing::run(kernel, ops, weights, x, random() % 2 == 0 ? Guard::kBefore : Guard::kBehind);
    ASSERT_EQ(expected, got) << kernel.name << ": " << describe(s) << ", then " << describe(d)
                             << ", then " << describe(p);
  }
}

// A CONV_2D with this filter and stride, then a depthwise convolution with that padding, then a
// projection.
Case make_case(int32_t h, int32_t w, int32_t filter, int32_t stride, int32_t in_c, int32_t channels,
               int32_t depthwise_stride, Pad pad, int32_t out_c) {
  Case c;
  WindowShape s;
  s.in_h = h;
  s.in_w = w;
  s.filter_h = s.filter_w = filter;
  s.stride_h = s.stride_w = stride;
  s = with_padding(s, Pad::kSame);
  WindowShape d;
  d.in_h = s.out_h;
  d.in_w = s.out_w;
  d.filter_h = d.filter_w = 3;
  d.stride_h = d.stride_w = depthwise_stride;
  d = with_padding(d, pad);
  s.in_c = in_c;
  s.out_c = d.in_c = d.out_c = channels;
  c.expand.shape = s;
  c.depthwise.shape = d;
  WindowShape& p = c.project.shape;
  p.in_h = p.out_h = d.out_h;
  p.in_w = p.out_w = d.out_w;
  p.in_c = channels;
  p.out_c = out_c;
  p.filter_h = p.filter_w = 1;
  return c;
}

// Where the best family of this machine has an entry, some of the cases must have run on it.
bool expect_runs() {
  for (const auto& kernel : inverted_residual_int8_kernels()) {
    if (can_run(kernel.isa)) return true;
  }
  return false;
}

TEST(InvertedResidual, EveryPictureSize) {
  std::mt19937 random(1);
  int ran = 0;
  for (int32_t h = 1; h <= 11; ++h) {
    for (int32_t w = 1; w <= 11; ++w) {
      for (int32_t stride : {1, 2}) {
        for (Pad pad : {Pad::kSame, Pad::kValid, Pad::kUneven}) {
          if (pad == Pad::kValid && (h < 3 || w < 3)) continue;
          const Case c = make_case(h, w, 1, 1, 5, 1 + static_cast<int32_t>(random() % 40), stride,
                                   pad, 1 + static_cast<int32_t>(random() % 20));
          ASSERT_NO_FATAL_FAILURE(compare(c, random, &ran));
        }
      }
    }
  }
  EXPECT_EQ(ran > 0, expect_runs());
}

TEST(InvertedResidual, EveryChannelCount) {
  std::mt19937 random(2);
  int ran = 0;
  for (int32_t channels = 1; channels <= 130; ++channels) {
    const Case c = make_case(7, 9, 1, 1, 1 + channels % 37, channels, 1 + channels % 2, Pad::kSame,
                             1 + channels % 19);
    ASSERT_NO_FATAL_FAILURE(compare(c, random, &ran));
  }
  EXPECT_EQ(ran > 0, expect_runs());
}

TEST(InvertedResidual, EveryOutputChannelCount) {
  std::mt19937 random(4);
  int ran = 0;
  for (int32_t out_c = 1; out_c <= 70; ++out_c) {
    for (int32_t stride : {1, 2}) {
      const Case c = make_case(6, 23, 1, 1, 3, 1 + out_c * 7 % 50, stride, Pad::kSame, out_c);
      ASSERT_NO_FATAL_FAILURE(compare(c, random, &ran));
    }
  }
  EXPECT_EQ(ran > 0, expect_runs());
}

TEST(InvertedResidual, FirstConvolutionsWithWindows) {
  std::mt19937 random(3);
  int ran = 0;
  for (int32_t filter : {2, 3, 5}) {
    for (int32_t stride : {1, 2, 3}) {
      for (int32_t in_c : {1, 3, 4, 7}) {
        for (int32_t w = 1; w <= 19; w += 3) {
          const Case c =
              make_case(13, w, filter, stride, in_c, 16 + 9 * (w % 2), 1 + w % 2, Pad::kSame, in_c);
          ASSERT_NO_FATAL_FAILURE(compare(c, random, &ran));
        }
      }
    }
  }
  EXPECT_EQ(ran > 0, expect_runs());
}

}  // namespace
}  // namespace deeplab::kernels
