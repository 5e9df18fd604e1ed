#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/conv2d/conv2d.h"
#include "kernels/four_floats.h"

namespace deeplab::kernels {
namespace {

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Every lane gives std::fma()'s bits; what is not a number has many.
void expect_fma(float x, float w, float acc) {
  const float expected = std::fma(x, w, acc);
  const Four found = fused_multiply_add(Four{x, 1, 0, x}, Four{w, 2, 3, w}, Four{acc, 4, 5, acc});
  for (int lane : {0, 3}) {
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found[lane])) << x << " * " << w << " + " << acc;
    } else {
      EXPECT_EQ(bits_of(found[lane]), bits_of(expected)) << x << " * " << w << " + " << acc;
    }
  }
  EXPECT_EQ(found[1], 6);
  EXPECT_EQ(found[2], 5);
}

TEST(FourFloats, MultiplyAndAddWithOneRounding) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> bits;
  for (int i = 0; i < 300000; ++i) {  // any bits: infinities, subnormals, what is not a number
    float values[3];
    for (float& value : values) {
      const uint32_t one = bits(random);
      std::memcpy(&value, &one, sizeof value);
    }
    expect_fma(values[0], values[1], values[2]);
  }
}

TEST(FourFloats, TiesAreDecidedByWhatTheProductHasBelow) {
  // Few bits each: sums that are half way between two floats, and just beside that.
  std::mt19937 random(2);
  std::uniform_int_distribution<int> small(-9, 9);
  std::uniform_int_distribution<int> exponent(-30, 30);
  for (int i = 0; i < 300000; ++i) {
    const auto value = [&] {
      return std::ldexp(1.0f + std::ldexp(float(small(random)), -23), exponent(random));
    };
    const float x = value();
    const float w = value();
    // An addend that the product is about half a step of.
    const float acc =
        std::ldexp(x * w, 24 + small(random) / 4) * (small(random) < 0 ? -1.0f : 1.0f);
    expect_fma(x, w, acc);
    expect_fma(-x, w, acc);
  }
  // The smallest floats, where a step no longer shrinks.
  const float tiny = std::numeric_limits<float>::denorm_min();
  for (const float w :
       {0.5f, 0.25f, 0.75f, 1.5f, std::nextafter(0.5f, 1.0f), std::nextafter(0.5f, 0.0f)}) {
    for (const float acc :
         {0.0f, -0.0f, tiny, -tiny, 3 * tiny, std::numeric_limits<float>::min()}) {
      expect_fma(tiny, w, acc);
      expect_fma(-tiny, w, acc);
      expect_fma(3 * tiny, w, acc);
    }
  }
}

// docs/numerics.md, rule 4: each of n products is rounded in one definition and not in the other,
// and each has n sums of its own, so that both are within n steps of float32 of the exact sum's
// terms.
TEST(FusedMultiplyAdd, IsAsCloseToTensorFlowLitesSumAsItSays) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const int32_t depth : {1, 27, 144, 960}) {
    Conv2DFloat conv;
    conv.shape = {.in_h = 5, .in_w = 4, .in_c = depth, .out_h = 5, .out_w = 4, .out_c = 3};
    conv.output_max = std::numeric_limits<float>::max();
    conv.output_min = -conv.output_max;
    const auto numbers = [&](int32_t count) {
      std::vector<float> values(static_cast<size_t>(count));
      for (float& value : values) value = normal(random);
      return values;
    };
    const std::vector<float> input = numbers(20 * depth);
    const std::vector<float> filter = numbers(3 * depth);
    const std::vector<float> bias = numbers(3);
    std::vector<float> fused(60);
    std::vector<float> apart(60);
    conv2d_reference(conv, Rounding::kEngine, input.data(), filter.data(), bias.data(),
                     fused.data());
    conv2d_reference(conv, Rounding::kTfLite, input.data(), filter.data(), bias.data(),
                     apart.data());
    for (size_t i = 0; i < fused.size(); ++i) {
      double terms = std::fabs(bias[i % 3]);
      for (int32_t k = 0; k < depth; ++k) {
        terms += std::fabs(double{input[i / 3 * depth + k]} * filter[i % 3 * depth + k]);
      }
      const double step = std::numeric_limits<float>::epsilon() / 2;
      EXPECT_LE(std::fabs(double{fused[i]} - apart[i]), (2 * depth + 3) * step * terms);
    }
    if (depth > 1) {
      EXPECT_NE(fused, apart);
    }
  }
}

}  // namespace
}  // namespace deeplab::kernels
