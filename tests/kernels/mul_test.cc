// MUL and SUB: the references against real arithmetic, the vectorized forms against the references.
#include "kernels/mul/mul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/add/add.h"
#include "kernels/channelwise/channelwise.h"
#include "tests/kernels/ran.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::kernels {
namespace {

using Bytes = std::vector<int8_t>;
using testing::can_run;
using testing::random_values;

Bytes all_bytes() {
  Bytes all(256);
  std::iota(all.begin(), all.end(), int8_t{-128});
  return all;
}

/// Every pair of bytes: a[i / 256] meets b[i % 256].
struct EveryPair {
  EveryPair() : a(65536), b(all_bytes()), shape{{2, {256, 256}}, {0, 1}} {
    for (size_t i = 0; i < a.size(); ++i) a[i] = b[i / 256];
  }
  Bytes a;
  Bytes b;
  BroadcastShape shape;
};

TEST(ReferenceMul, EveryPairIsWithinHalfAStepOfTheRealProduct) {
  const EveryPair pairs;
  MulInt8 mul;
  mul.shape = pairs.shape;
  mul.a_zero_point = -3;
  mul.b_zero_point = 17;
  mul.output_zero_point = 5;
  mul.multiplier = make_multiplier(0.0237 * 0.0511 / 0.0844);
  for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
    Bytes output(pairs.a.size());
    mul_reference(mul, rounding, pairs.a.data(), pairs.b.data(), output.data());
    for (size_t i = 0; i < output.size(); ++i) {
      const double real = (pairs.a[i] + 3) * 0.0237 * (pairs.b[i % 256] - 17) * 0.0511;
      // TensorFlow Lite rounds twice, the first time to a 64th of a step.
      ASSERT_NEAR(output[i], std::clamp(real / 0.0844 + 5, -128.0, 127.0),
                  rounding == Rounding::kEngine ? 0.5001 : 0.5 + 1.0 / 64);
    }
  }
}

TEST(ReferenceMul, TiesTellTheRoundingsApart) {
  MulInt8 mul;
  mul.shape = {{1, {4}}, {1}};
  mul.multiplier = make_multiplier(0.5);
  const Bytes a = {1, -1, 3, 5};
  const Bytes b = {1, 1, 1, 1};
  Bytes output(4);
  mul_reference(mul, Rounding::kEngine, a.data(), b.data(), output.data());
  EXPECT_EQ(output, (Bytes{0, 0, 2, 2}));
  mul_reference(mul, Rounding::kTfLite, a.data(), b.data(), output.data());
  EXPECT_EQ(output, (Bytes{1, 0, 2, 3}));
}

TEST(ReferenceMul, Float) {
  MulFloat mul;
  mul.shape = {{2, {2, 3}}, {0, 1}};
  mul.output_max = 6;
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const std::vector<float> b = {2, -1, 1.5f};
  std::vector<float> output(6);
  mul_reference(mul, a.data(), b.data(), output.data());
  EXPECT_EQ(output, (std::vector<float>{2, 0, 4.5f, 6, 0, 6}));
}

AddInt8 difference(double scale_a, double scale_b, double scale_out, bool reversed) {
  AddInt8 add;
  add.a_scale = static_cast<float>(scale_a / scale_out) * (reversed ? -1.0f : 1.0f);
  add.b_scale = static_cast<float>(scale_b / scale_out) * (reversed ? 1.0f : -1.0f);
  const double common = 2 * std::max(scale_a, scale_b);
  add.a_multiplier = make_multiplier(scale_a / common);
  add.b_multiplier = make_multiplier(scale_b / common);
  add.output_multiplier = make_multiplier(common / ((1 << kTfLiteAddShift) * scale_out));
  return add;
}

TEST(ReferenceSub, EveryPairIsWithinHalfAStepOfTheRealDifference) {
  const EveryPair pairs;
  for (bool reversed : {false, true}) {
    AddInt8 sub = difference(0.0237, 0.0511, 0.0644, reversed);
    sub.shape = pairs.shape;
    sub.a_zero_point = -3;
    sub.b_zero_point = 17;
    sub.output_zero_point = 5;
    for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
      Bytes output(pairs.a.size());
      add_reference(sub, rounding, pairs.a.data(), pairs.b.data(), output.data());
      for (size_t i = 0; i < output.size(); ++i) {
        const double real = (pairs.a[i] + 3) * 0.0237 - (pairs.b[i % 256] - 17) * 0.0511;
        const double steps = (reversed ? -real : real) / 0.0644 + 5;
        ASSERT_NEAR(output[i], std::clamp(steps, -128.0, 127.0), 0.5001);
      }
    }
  }
}

TEST(ReferenceSub, Float) {
  AddFloat sub;
  sub.shape = {{1, {2}}, {0}};
  sub.output_min = -10;
  sub.output_max = 10;
  const std::vector<float> a = {1, 4};
  const std::vector<float> b = {3};
  std::vector<float> output(2);
  sub.b_sign = -1;
  add_reference(sub, a.data(), b.data(), output.data());
  EXPECT_EQ(output, (std::vector<float>{-2, 1}));
  sub.a_sign = -1;
  sub.b_sign = 1;
  add_reference(sub, a.data(), b.data(), output.data());
  EXPECT_EQ(output, (std::vector<float>{2, -1}));
}

int32_t any_byte(std::mt19937& random) { return static_cast<int32_t>(random() % 256) - 128; }

MulInt8 random_mul(std::mt19937& random, BroadcastShape shape) {
  MulInt8 mul;
  mul.shape = shape;
  mul.a_zero_point = any_byte(random);
  mul.b_zero_point = random() % 2 == 0 ? 0 : any_byte(random);
  mul.output_zero_point = any_byte(random);
  mul.multiplier = make_multiplier(static_cast<double>(1 + random() % 1000) / 50000);
  // Some are far out of range, so that nothing but the clamp is left of them.
  if (random() % 8 == 0) mul.multiplier = make_multiplier(65536);
  mul.output_min = random() % 3 == 0 ? mul.output_zero_point : -128;
  return mul;
}

AddInt8 random_sum(std::mt19937& random, BroadcastShape shape) {
  const auto scale = [&] { return static_cast<double>(1 + random() % 100) / 64; };
  AddInt8 add = difference(scale(), scale(), scale(), random() % 2 == 0);
  if (random() % 2 == 0) add.a_scale = std::abs(add.a_scale);
  add.shape = shape;
  add.a_zero_point = any_byte(random);
  add.b_zero_point = any_byte(random);
  add.output_zero_point = any_byte(random);
  add.output_min = random() % 3 == 0 ? add.output_zero_point : -128;
  add.output_max = std::max(add.output_min, any_byte(random));
  return add;
}

TEST(VectorizedMul, EveryLength) {
  std::mt19937 random(1);
  testing::Ran ran;
  for (int32_t count = 1; count < 100; ++count) {
    const MulInt8 mul = random_mul(random, {{1, {count}}, {1}});
    const auto a = random_values<int8_t>(random, static_cast<size_t>(count));
    const auto b = random_values<int8_t>(random, static_cast<size_t>(count));
    Bytes expected(a.size());
    mul_reference(mul, Rounding::kEngine, a.data(), b.data(), expected.data());
    for (const auto& kernel : mul_elementwise_kernels()) {
      if (!can_run(kernel.isa)) continue;
      Bytes got(a.size());
      kernel.run(mul, count, a.data(), b.data(), got.data());
      ASSERT_EQ(expected, got) << count << " on " << isa_name(kernel.isa);
      ran.add(kernel);
    }
  }
  ran.expect_all_of(mul_elementwise_kernels());
}

/// One to two stages of any kind after each other, for any number of channels.
TEST(Channelwise, EveryStageAndChannelCount) {
  std::mt19937 random(2);
  size_t ran = 0;
  size_t forms[3] = {};
  bool vectorized = false;
  for (int32_t channels = 1; channels <= 150; ++channels) {
    for (int32_t kinds = 0; kinds < 6; ++kinds) {  // (product, sum) alone, then the four pairs.
      constexpr int32_t kPixels = 3;
      const BroadcastShape shape = {{2, {kPixels, channels}}, {0, 1}};
      const int32_t stages = kinds < 2 ? 1 : 2;
      ChannelwiseInt8 ops;
      ops.channels = channels;
      std::vector<std::byte> packed(channelwise_packed_bytes(ops) + 64);  // All zeros.
      auto* aligned = packed.data() + (64 - reinterpret_cast<uintptr_t>(packed.data()) % 64) % 64;
      const auto x = random_values<int8_t>(random, static_cast<size_t>(kPixels * channels));
      Bytes expected(x);
      int32_t zero_point = any_byte(random);
      for (int32_t k = 0; k < stages; ++k) {
        const bool product = (kinds >> k) % 2 == 0;
        const auto b = random_values<int8_t>(random, static_cast<size_t>(channels));
        const Bytes from(expected);
        if (product) {
          MulInt8 mul = random_mul(random, shape);
          mul.a_zero_point = zero_point;
          zero_point = mul.output_zero_point;
          mul_reference(mul, Rounding::kEngine, from.data(), b.data(), expected.data());
          append_stage(ops, mul, b.data(), aligned);
        } else {
          AddInt8 add = random_sum(random, shape);
          add.a_zero_point = zero_point;
          zero_point = add.output_zero_point;
          add_reference(add, Rounding::kEngine, from.data(), b.data(), expected.data());
          append_stage(ops, add, b.data(), aligned);
        }
      }
      for (const auto& kernel : channelwise_kernels()) {
        if (!can_run(kernel.isa)) continue;
        Bytes got(x.size());
        kernel.run(ops, aligned, kPixels, x.data(), got.data());
        ASSERT_EQ(expected, got) << channels << ", " << kinds << " on " << isa_name(kernel.isa);
        got = x;  // In place.
        kernel.run(ops, aligned, kPixels, got.data(), got.data());
        ASSERT_EQ(expected, got) << channels << ", " << kinds << " on " << isa_name(kernel.isa);
        ChannelwiseInt8 shortened = ops;
        shorten(shortened, aligned, kernel.run);
        // The portable kernel knows one form only, so that all are the same to it.
        if (kernel.isa != Isa::kScalar) {
          vectorized = true;
          ++forms[static_cast<size_t>(shortened.form)];
        }
        got.assign(x.size(), 0);
        kernel.run(shortened, aligned, kPixels, x.data(), got.data());
        ASSERT_EQ(expected, got) << channels << ", " << kinds << " on " << isa_name(kernel.isa);
        ++ran;
      }
    }
  }
  EXPECT_GE(ran, 900u);
  for (size_t count : forms) EXPECT_EQ(count > 0, vectorized);
}

}  // namespace
}  // namespace deeplab::kernels
