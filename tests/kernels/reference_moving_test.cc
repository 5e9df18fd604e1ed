// Kernels that choose and order elements, against a walk over all indices; MAX_POOL_2D,
// TRANSPOSE_CONV, CAST and the functions of one and of two numbers against their formulas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/binary/binary.h"
#include "kernels/cast/cast.h"
#include "kernels/max_pool2d/max_pool2d.h"
#include "kernels/mirror_pad/mirror_pad.h"
#include "kernels/pad/pad.h"
#include "kernels/prelu/prelu.h"
#include "kernels/reduce/reduce.h"
#include "kernels/strided_copy/strided_copy.h"
#include "kernels/transpose_conv/transpose_conv.h"
#include "kernels/unary/unary.h"

namespace deeplab::kernels {
namespace {

using ::testing::ElementsAre;

template <typename T>
const std::byte* bytes_of(const std::vector<T>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}
template <typename T>
std::byte* bytes_of(std::vector<T>& values) {
  return reinterpret_cast<std::byte*>(values.data());
}

/// Element by element.
template <typename T>
std::vector<T> copied(const StridedCopy& copy, const std::vector<T>& input) {
  std::vector<T> output;
  std::array<int32_t, kMaxRank> index = {};
  for (int64_t i = 0; i < copy.dims.elements(); ++i) {
    int64_t from = copy.offset;
    for (size_t d = 0; d < static_cast<size_t>(copy.dims.rank); ++d) {
      from += index[d] * copy.strides[d];
    }
    output.push_back(input[static_cast<size_t>(from)]);
    for (auto d = static_cast<size_t>(copy.dims.rank); d-- > 0;) {
      if (++index[d] < copy.dims.extent[d]) break;
      index[d] = 0;
    }
  }
  return output;
}

template <typename T>
void expect_copies(std::mt19937& random) {
  const auto below = [&](int32_t n) {
    return static_cast<int32_t>(random() % static_cast<unsigned>(n));
  };
  for (int round = 0; round < 300; ++round) {
    StridedCopy copy;
    copy.dims.rank = 1 + below(5);
    copy.element_size = sizeof(T);
    // Any strides that stay inside an input of 4096 elements, some of them those of dense tensors.
    int64_t low = 0;
    int64_t dense = 1;
    for (auto d = static_cast<size_t>(copy.dims.rank); d-- > 0;) {
      copy.dims.extent[d] = 1 + below(4);
      copy.strides[d] = below(2) == 0 ? dense : below(60) - 20;
      dense *= copy.dims.extent[d];
      low += std::min<int64_t>(0, copy.strides[d] * (copy.dims.extent[d] - 1));
    }
    copy.offset = -low + below(3);
    std::vector<T> input(8192);
    for (T& value : input) value = static_cast<T>(random());
    const std::vector<T> expected = copied(copy, input);
    for (const StridedCopy& way : {copy, simplify(copy)}) {
      EXPECT_EQ(way.dims.elements(), copy.dims.elements());
      std::vector<T> output(expected.size());
      // In two parts, as two threads would.
      const int32_t cut = below(way.dims.extent[0] + 1);
      strided_copy(way, bytes_of(input), bytes_of(output), 0, cut);
      strided_copy(way, bytes_of(input), bytes_of(output), cut, way.dims.extent[0]);
      ASSERT_EQ(output, expected);
    }
  }
}

TEST(StridedCopy, AnyStridesOfAnyElement) {
  std::mt19937 random(3);
  expect_copies<int8_t>(random);
  expect_copies<int32_t>(random);
  expect_copies<int64_t>(random);
}

TEST(StridedCopy, DenseDimensionsBecomeOneRun) {
  StridedCopy copy;
  copy.dims = {4, {1, 5, 7, 3}};
  copy.strides = {105, 21, 3, 1};
  const StridedCopy simple = simplify(copy);
  EXPECT_EQ(simple.dims.rank, 1);
  EXPECT_EQ(simple.dims.extent[0], 105);
}

TEST(MirrorPad, ReflectsOrRepeatsTheBorder) {
  const std::vector<int8_t> input = {1, 2, 3};
  MirrorPad pad;
  pad.dims = {1, {3}};
  pad.before[0] = pad.after[0] = 2;
  std::vector<int8_t> output(7);
  mirror_pad_reference(pad, bytes_of(input), bytes_of(output));
  EXPECT_THAT(output, ElementsAre(3, 2, 1, 2, 3, 2, 1));
  pad.symmetric = true;
  mirror_pad_reference(pad, bytes_of(input), bytes_of(output));
  EXPECT_THAT(output, ElementsAre(2, 1, 1, 2, 3, 3, 2));
}

TEST(Pad, FillsWithAnyElement) {
  const std::vector<float> input = {1, 2};
  Pad pad;
  pad.dims = {1, {2}};
  pad.before[0] = 2;
  pad.after[0] = 1;
  pad.element_size = sizeof(float);
  const float fill = -0.75f;
  std::memcpy(pad.fill.data(), &fill, sizeof fill);
  std::vector<float> output(5);
  pad_reference(pad, bytes_of(input), bytes_of(output));
  EXPECT_THAT(output, ElementsAre(-0.75f, -0.75f, 1, 2, -0.75f));
}

TEST(MaxPool2D, LargestInsideThePicture) {
  std::mt19937 random(5);
  WindowShape s;
  s.batch = 2;
  s.in_h = 5;
  s.in_w = 7;
  s.in_c = s.out_c = 19;
  s.filter_h = 3;
  s.filter_w = 2;
  s.stride_h = s.stride_w = 2;
  s.pad_top = 1;
  s.out_h = 3;
  s.out_w = 4;
  std::vector<int8_t> input(static_cast<size_t>(s.batch * s.in_h * s.in_w * s.in_c));
  for (int8_t& value : input) value = static_cast<int8_t>(random());
  std::vector<int8_t> output(static_cast<size_t>(s.batch * s.out_h * s.out_w * s.out_c), 99);
  const MaxPool2DInt8 pool{s, -100, 90};
  max_pool2d_rows(pool, input.data(), output.data(), 0, 4);
  max_pool2d_rows(pool, input.data(), output.data(), 4, 6);
  size_t i = 0;
  for (int32_t n = 0; n < s.batch; ++n) {
    for (int32_t y = 0; y < s.out_h; ++y) {
      for (int32_t x = 0; x < s.out_w; ++x) {
        for (int32_t c = 0; c < s.out_c; ++c) {
          int32_t largest = -100;
          for (int32_t ky = 0; ky < 3; ++ky) {
            for (int32_t kx = 0; kx < 2; ++kx) {
              const int32_t iy = y * 2 - 1 + ky;
              const int32_t ix = x * 2 + kx;
              if (iy < 0 || iy >= s.in_h || ix >= s.in_w) continue;
              const int32_t at = ((n * s.in_h + iy) * s.in_w + ix) * s.in_c + c;
              largest = std::max<int32_t>(largest, input[static_cast<size_t>(at)]);
            }
          }
          ASSERT_EQ(output[i++], std::min(largest, 90));
        }
      }
    }
  }
}

/// What each input pixel adds to the outputs that it reaches.
std::vector<int64_t> scattered(const WindowShape& s, const std::vector<int8_t>& input,
                               const std::vector<int8_t>& filter, int32_t zero) {
  std::vector<int64_t> sums(static_cast<size_t>(s.out_h * s.out_w * s.out_c));
  for (int32_t y = 0; y < s.in_h; ++y) {
    for (int32_t x = 0; x < s.in_w; ++x) {
      for (int32_t co = 0; co < s.out_c; ++co) {
        for (int32_t ky = 0; ky < s.filter_h; ++ky) {
          for (int32_t kx = 0; kx < s.filter_w; ++kx) {
            const int32_t oy = y * s.stride_h + ky - s.pad_top;
            const int32_t ox = x * s.stride_w + kx - s.pad_left;
            if (oy < 0 || ox < 0 || oy >= s.out_h || ox >= s.out_w) continue;
            for (int32_t ci = 0; ci < s.in_c; ++ci) {
              const int32_t in = (y * s.in_w + x) * s.in_c + ci;
              const int32_t tap = ((co * s.filter_h + ky) * s.filter_w + kx) * s.in_c + ci;
              sums[static_cast<size_t>((oy * s.out_w + ox) * s.out_c + co)] +=
                  (input[static_cast<size_t>(in)] - zero) * filter[static_cast<size_t>(tap)];
            }
          }
        }
      }
    }
  }
  return sums;
}

TEST(TransposeConv, SumsWhatEachInputScatters) {
  std::mt19937 random(8);
  for (const auto [filter, stride, pad, out_h, out_w] :
       {std::array{3, 2, 0, 8, 10}, std::array{4, 2, 1, 8, 10}, std::array{2, 2, 0, 8, 10},
        std::array{1, 3, 0, 10, 13}, std::array{5, 1, 2, 4, 5}}) {
    WindowShape s;
    s.in_h = 4;
    s.in_w = 5;
    s.in_c = 3;
    s.out_h = out_h;
    s.out_w = out_w;
    s.out_c = 2;
    s.filter_h = s.filter_w = filter;
    s.stride_h = s.stride_w = stride;
    s.pad_top = s.pad_left = pad;
    std::vector<int8_t> input(60);
    std::vector<int8_t> weights(static_cast<size_t>(6 * filter * filter));
    for (int8_t& value : input) value = static_cast<int8_t>(random());
    for (int8_t& value : weights) value = static_cast<int8_t>(random());
    const std::vector<int32_t> bias = {100, -700};
    const std::vector<Multiplier> multipliers = {make_multiplier(0.01), make_multiplier(0.02)};
    TransposeConvInt8 conv;
    conv.shape = s;
    conv.input_zero_point = -5;
    conv.multipliers = multipliers.data();
    conv.output_zero_point = 3;
    const std::vector<int64_t> sums = scattered(s, input, weights, -5);
    std::vector<int8_t> output(sums.size());
    transpose_conv_reference(conv, Rounding::kTfLite, input.data(), weights.data(), bias.data(),
                             output.data());
    for (size_t i = 0; i < sums.size(); ++i) {
      const auto acc = static_cast<int32_t>(sums[i] + bias[i % 2]);
      ASSERT_EQ(output[i], requantize(Rounding::kTfLite, acc, multipliers[i % 2], 3, -128, 127));
    }

    const std::vector<float> x(input.begin(), input.end());
    const std::vector<float> w(weights.begin(), weights.end());
    std::vector<float> y(sums.size());
    TransposeConvFloat real;
    real.shape = s;
    real.output_min = -1e9f;
    real.output_max = 1e9f;
    transpose_conv_reference(real, x.data(), w.data(), nullptr, y.data());
    const std::vector<int64_t> unshifted = scattered(s, input, weights, 0);
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_EQ(y[i], static_cast<float>(unshifted[i]));  // Whole numbers: every sum is exact.
    }
  }
}

template <typename To, typename From>
std::vector<To> cast(NumberType from, NumberType to, const std::vector<From>& input) {
  std::vector<To> output(input.size());
  cast_reference({static_cast<int64_t>(input.size()), from, to}, bytes_of(input), bytes_of(output));
  return output;
}

TEST(Cast, NumbersKeepTheirValue) {
  const auto float32 = NumberType::kFloat32;
  EXPECT_THAT((cast<int32_t>(float32, NumberType::kInt32, std::vector<float>{2.9f, -2.9f, 0})),
              ElementsAre(2, -2, 0));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT((cast<int32_t>(float32, NumberType::kInt32, std::vector<float>{3e9f, -3e9f, nan})),
              ElementsAre(2147483647, -2147483647 - 1, 0));
  EXPECT_THAT((cast<float>(NumberType::kInt64, float32, std::vector<int64_t>{20, -1})),
              ElementsAre(20.0f, -1.0f));
  // Stored less 128.
  EXPECT_THAT((cast<float>(NumberType::kUInt8, float32, std::vector<int8_t>{-128, 0, 127})),
              ElementsAre(0.0f, 128.0f, 255.0f));
  EXPECT_THAT((cast<int8_t>(NumberType::kInt32, NumberType::kUInt8, std::vector<int32_t>{0, 255})),
              ElementsAre(-128, 127));
  EXPECT_THAT((cast<int8_t>(NumberType::kInt64, NumberType::kInt8, std::vector<int64_t>{20})),
              ElementsAre(20));
}

float function(UnaryFunction kind, float x, float alpha = 0) {
  float y = 0;
  unary_reference(UnaryFloat{1, kind, alpha}, &x, &y);
  return y;
}

TEST(Unary, Formulas) {
  EXPECT_FLOAT_EQ(function(UnaryFunction::kLogistic, 0), 0.5f);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kHardSwish, -4), 0);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kHardSwish, 1), 4.0f / 6);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kHardSwish, 5), 5);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kLeakyRelu, -2, 0.25f), -0.5f);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kElu, -1), std::exp(-1.0f) - 1);
  EXPECT_FLOAT_EQ(function(UnaryFunction::kRsqrt, 4), 0.5f);
  EXPECT_EQ(function(UnaryFunction::kFloor, -1.5f), -2);
  EXPECT_EQ(function(UnaryFunction::kFloor, 2), 2);
  EXPECT_EQ(function(UnaryFunction::kCeil, -1.5f), -1);
  EXPECT_EQ(function(UnaryFunction::kCeil, 2.25f), 3);
}

TEST(Unary, TablesOfEightBitsAreTheFunctionRounded) {
  struct Case {
    UnaryFunction kind;
    float alpha;
    UnaryScales scales;
  };
  for (const Case& c : {Case{UnaryFunction::kLogistic, 0, {0.05f, 3, 1.0f / 256, -128}},
                        Case{UnaryFunction::kTanh, 0, {0.02f, -9, 1.0f / 128, 0}},
                        Case{UnaryFunction::kHardSwish, 0, {0.05f, -10, 0.03f, -116}},
                        Case{UnaryFunction::kHardSwish, 0, {0.2f, 4, 0.1f, -100}},
                        Case{UnaryFunction::kHardSwish, 0, {0.004f, 0, 0.003f, 0}},
                        Case{UnaryFunction::kElu, 0, {0.05f, 3, 0.04f, -100}},
                        Case{UnaryFunction::kLeakyRelu, 0.3f, {0.05f, 3, 0.04f, -20}},
                        Case{UnaryFunction::kLeakyRelu, -0.5f, {0.05f, 3, 0.04f, -20}}}) {
    const auto table = unary_table(c.kind, c.alpha, c.scales);
    for (int stored = -128; stored < 128; ++stored) {
      const float x = c.scales.input_scale * static_cast<float>(stored - c.scales.input_zero_point);
      const float steps = function(c.kind, x, c.alpha) / c.scales.output_scale +
                          static_cast<float>(c.scales.output_zero_point);
      // HARD_SWISH has 16-bit arithmetic; a product with a shift is rounded twice.
      const float most = c.kind == UnaryFunction::kHardSwish   ? 1.0f
                         : c.kind == UnaryFunction::kLeakyRelu ? 0.76f
                                                               : 0.51f;
      EXPECT_NEAR(table[static_cast<uint8_t>(stored)], std::clamp(steps, -128.0f, 127.0f), most)
          << static_cast<int>(c.kind) << " of " << x;
    }
  }
}

TEST(Binary, FunctionsAndTheirBroadcast) {
  BroadcastShape shape;
  shape.dims = {2, {2, 3}};
  shape.b_strides = {0, 1};
  const std::vector<float> a = {1, -2, 3, 8, 0.5f, -6};
  const std::vector<float> b = {2, -1, 4};
  const auto run = [&](BinaryFunction kind, bool reversed = false) {
    std::vector<float> y(6);
    binary_reference(BinaryFloat{shape, kind, reversed, -2, 3}, a.data(), b.data(), y.data());
    return y;
  };
  EXPECT_THAT(run(BinaryFunction::kMaximum), ElementsAre(2, -1, 4, 8, 0.5f, 4));
  EXPECT_THAT(run(BinaryFunction::kMinimum), ElementsAre(1, -2, 3, 2, -1, -6));
  EXPECT_THAT(run(BinaryFunction::kSquaredDifference), ElementsAre(1, 1, 1, 36, 2.25f, 100));
  EXPECT_THAT(run(BinaryFunction::kDiv), ElementsAre(0.5f, 2, 0.75f, 3, -0.5f, -1.5f));
  EXPECT_THAT(run(BinaryFunction::kDiv, true),
              ElementsAre(2, 0.5f, 4.0f / 3, 0.25f, -2, -4.0f / 6));

  const std::vector<int8_t> stored = {1, -128, 127, 0, 5, 6};
  const std::vector<int8_t> others = {0, 0, 6};
  std::vector<int8_t> y(6);
  binary_reference(ExtremeInt8{shape, true}, stored.data(), others.data(), y.data());
  EXPECT_THAT(y, ElementsAre(1, 0, 127, 0, 5, 6));
  binary_reference(ExtremeInt8{shape, false}, stored.data(), others.data(), y.data());
  EXPECT_THAT(y, ElementsAre(0, -128, 6, 0, 0, 6));
}

TEST(Reduce, SumsAndLargestOverAnyDimensions) {
  Reduction middle;
  middle.dims = {3, {2, 3, 2}};
  middle.reduced = {false, true, false};
  const std::vector<float> x = {1, 2, 3, 4, 5, -6, -1, -2, -3, -4, -5, -7};
  std::vector<float> y(4);
  reduce_reference(ReduceFloat{middle, ReduceFunction::kSum}, x.data(), y.data());
  EXPECT_THAT(y, ElementsAre(9, 0, -9, -13));
  reduce_reference(ReduceFloat{middle, ReduceFunction::kMax}, x.data(), y.data());
  EXPECT_THAT(y, ElementsAre(5, 4, -1, -2));
  Reduction all = middle;
  all.reduced = {true, true, true};
  reduce_reference(ReduceFloat{all, ReduceFunction::kSum}, x.data(), y.data());
  EXPECT_EQ(y[0], -13);
  const std::vector<int8_t> stored = {1, 2, 3, 4, 5, -6, -1, -2, -3, -128, -5, -7};
  std::vector<int8_t> largest(4);
  reduce_reference(ReduceInt8{middle, ReduceFunction::kMax}, stored.data(), largest.data());
  EXPECT_THAT(largest, ElementsAre(5, 4, -1, -2));
}

TEST(Prelu, AlphaBelowZero) {
  BroadcastShape shape;
  shape.dims = {2, {2, 3}};
  shape.b_strides = {0, 1};
  const std::vector<float> x = {1, -2, -3, -4, 5, 0};
  const std::vector<float> alpha = {0.5f, 0.25f, -1};
  std::vector<float> y(6);
  prelu_reference(PreluFloat{shape}, x.data(), alpha.data(), y.data());
  EXPECT_THAT(y, ElementsAre(1, -0.5f, 3, -2, 5, 0));

  PreluInt8 prelu;
  prelu.shape = shape;
  prelu.input_zero_point = 1;
  prelu.alpha_zero_point = -2;
  prelu.identity = make_multiplier(0.5);
  prelu.product = make_multiplier(0.01);
  prelu.output_zero_point = 10;
  const std::vector<int8_t> q = {5, -99, -41, 1, -128, 127};
  const std::vector<int8_t> a = {48, 98, -52};  // 50, 100, -50
  std::vector<int8_t> out(6);
  for (Rounding rounding : {Rounding::kEngine, Rounding::kTfLite}) {
    prelu_reference(prelu, rounding, q.data(), a.data(), out.data());
    EXPECT_THAT(out, ElementsAre(12, -90, 31, 10, -119, 73));
  }
}

}  // namespace
}  // namespace deeplab::kernels
