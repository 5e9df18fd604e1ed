// Every entry of the convolution kernel tables against the reference, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/choose.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "tests/kernels/convolution_tables.h"
#include "tests/kernels/ran.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::kernels {
namespace {

using testing::can_run;
using testing::describe;
using testing::GuardedCopy;
using testing::Ran;
using testing::random_values;
using testing::reference;
using testing::table;
using testing::window_cases;

size_t input_size(const WindowShape& s) {
  return static_cast<size_t>(s.batch) * s.in_h * s.in_w * s.in_c;
}
size_t output_size(const WindowShape& s) {
  return static_cast<size_t>(s.batch) * s.out_h * s.out_w * s.out_c;
}

// What differs between the two ops.
template <typename Params>
constexpr bool kDepthwise =
    std::is_base_of_v<Conv2DInt8, Params> ? !std::is_same_v<Params, Conv2DInt8>
                                          : !std::is_same_v<Params, Conv2DFloat>;
template <typename Params>
size_t filter_size(const Params& conv) {
  const WindowShape& s = conv.shape;
  const size_t taps = static_cast<size_t>(s.filter_h) * s.filter_w * s.out_c;
  return kDepthwise<Params> ? taps : taps * s.in_c;
}
// Runs one entry over all rows in uneven pieces, each with its own scratch of exactly the size
// that the entry asked for, the later pieces first.
template <typename Kernel, typename Params, typename Element, typename Bias>
std::vector<Element> run(const Kernel& kernel, const Params& conv, const std::vector<Element>& x,
                         const std::vector<Element>& w, const std::vector<Bias>* bias) {
  AlignedBuffer packed(kernel.packed_bytes(conv));
  kernel.pack(conv, w.data(), bias != nullptr ? bias->data() : nullptr, packed.data());
  GuardedCopy<Element> input(x);
  GuardedCopy<Element> output(std::vector<Element>(output_size(conv.shape), Element{77}));
  const int32_t rows = conv.shape.batch * conv.shape.out_h;
  const int32_t cut = (rows + 2) / 3;
  for (const auto& [begin, end] : {std::pair{cut, rows}, std::pair{0, cut}}) {
    AlignedBuffer scratch(kernel.scratch_bytes(conv));
    kernel.run(conv, packed.data(), input.data(), output.data(), begin, end, scratch.data());
  }
  return output.values();
}

template <typename Element, typename Bias, typename Params>
void compare_all(const Params& conv, std::mt19937& random, bool with_bias, Ran* ran) {
  const auto x = random_values<Element>(random, input_size(conv.shape));
  auto w = random_values<Element>(random, filter_size(conv));
  if constexpr (std::is_same_v<Element, int8_t>) {
    // Every other filter as symmetric quantization leaves it, for which kernels may have a faster
    // way.
    if (random() % 2 == 0) std::replace(w.begin(), w.end(), int8_t{-128}, int8_t{-127});
  }
  std::vector<Bias> bias(static_cast<size_t>(conv.shape.out_c));
  for (Bias& b : bias) b = static_cast<Bias>(static_cast<int32_t>(random() % 20001) - 10000);
  std::vector<Element> expected(output_size(conv.shape));
  reference(conv, x.data(), w.data(), with_bias ? bias.data() : nullptr, expected.data());
  for (const auto& kernel : table(conv)) {
    if (!can_run(kernel.isa) || !kernel.supports(conv)) continue;
    if (ran != nullptr) ran->add(kernel);
    const auto got = run(kernel, conv, x, w, with_bias ? &bias : nullptr);
    ASSERT_EQ(0, std::memcmp(expected.data(), got.data(), got.size() * sizeof(Element)))
        << kernel.name << ": " << describe(conv.shape);
  }
}

template <typename Params>
void compare_int8(Params conv, std::mt19937& random, Ran* ran) {
  constexpr int32_t kZeroPoints[] = {0, -128, 127, 3, -77};
  const auto any = [&] { return kZeroPoints[random() % 5]; };
  conv.input_zero_point = any();
  conv.filter_zero_point = random() % 2 == 0 ? 0 : any();
  conv.output_zero_point = any();
  const int32_t a = static_cast<int32_t>(random() % 256) - 128;
  const int32_t b = static_cast<int32_t>(random() % 256) - 128;
  if (random() % 2 == 0) {
    conv.output_min = std::min(a, b);
    conv.output_max = std::max(a, b);
  }
  // From scales under which all is the zero point to scales under which all saturates, some of
  // them powers of two, which give ties. Half the cases have scales below 1 only, as kernels may
  // ask for.
  const auto largest = static_cast<int>(random() % 2);
  std::vector<Multiplier> multipliers(static_cast<size_t>(conv.shape.out_c));
  for (Multiplier& m : multipliers) {
    const int exponent = -largest - static_cast<int>(random() % 24);
    const double mantissa =
        random() % 3 == 0 ? 1 : 1 + static_cast<double>(random()) / 4294967296.0;
    m = make_multiplier(std::ldexp(mantissa, exponent));
  }
  conv.multipliers = multipliers.data();
  compare_all<int8_t, int32_t>(conv, random, random() % 4 != 0, ran);
}

template <typename Params>
void compare_float(Params conv, std::mt19937& random, Ran* ran) {
  conv.output_min = random() % 2 == 0 ? 0.0f : -1e30f;
  conv.output_max = random() % 2 == 0 ? 6.0f : 1e30f;
  compare_all<float, float>(conv, random, random() % 4 != 0, ran);
}

template <typename Params>
void compare(Params conv, std::mt19937& random, Ran* ran = nullptr) {
  if constexpr (std::is_base_of_v<Conv2DInt8, Params>) {
    compare_int8(conv, random, ran);
  } else {
    compare_float(conv, random, ran);
  }
}

template <typename Params>
class Dense : public ::testing::Test {};
using DenseParams = ::testing::Types<Conv2DInt8, Conv2DFloat>;
TYPED_TEST_SUITE(Dense, DenseParams);

TYPED_TEST(Dense, EveryKernelOnEveryWindow) {
  std::mt19937 random(1);
  Ran ran;
  for (WindowShape shape : window_cases()) {
    for (const auto& [in_c, out_c] :
         {std::pair{1, 1}, {3, 8}, {3, 16}, {3, 21}, {4, 5}, {8, 21}, {17, 70}}) {
      TypeParam conv;
      conv.shape = shape;
      conv.shape.in_c = in_c;
      conv.shape.out_c = out_c;
      ASSERT_NO_FATAL_FAILURE(compare(conv, random, &ran));
    }
  }
  ran.expect_all_of(table(TypeParam{}));
}

TYPED_TEST(Dense, EveryOutputChannelCount) {
  std::mt19937 random(2);
  for (int32_t out_c = 1; out_c <= 150; ++out_c) {
    TypeParam conv;
    conv.shape.in_h = conv.shape.out_h = 3;
    conv.shape.in_w = conv.shape.out_w = 1 + out_c % 13;
    conv.shape.in_c = 1 + static_cast<int32_t>(random() % 40);
    conv.shape.out_c = out_c;
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

TYPED_TEST(Dense, EveryDepthAndPixelCount) {
  std::mt19937 random(3);
  for (int32_t in_c = 1; in_c <= 140; ++in_c) {
    TypeParam conv;
    conv.shape.in_h = conv.shape.out_h = 2;
    conv.shape.in_w = conv.shape.out_w = in_c;
    conv.shape.in_c = in_c;
    conv.shape.out_c = 1 + static_cast<int32_t>(random() % 70);
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

TYPED_TEST(Dense, DeepProducts) {
  std::mt19937 random(4);
  for (int32_t in_c : {512, 1000, 2049}) {
    TypeParam conv;
    conv.shape.in_h = conv.shape.out_h = 5;
    conv.shape.in_w = conv.shape.out_w = 7;
    conv.shape.in_c = in_c;
    conv.shape.out_c = 33;
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

// The first layer of MobileNets has kernels of its own.
TYPED_TEST(Dense, StemsOfEveryWidthAndOutputChannelCount) {
  std::mt19937 random(8);
  for (int32_t in_w = 1; in_w <= 66; ++in_w) {
    TypeParam conv;
    conv.shape.batch = 1 + in_w % 2;
    conv.shape.in_h = 1 + in_w % 5;
    conv.shape.in_w = in_w;
    conv.shape.filter_h = conv.shape.filter_w = 3;
    conv.shape.stride_h = conv.shape.stride_w = 2;
    conv.shape.in_c = 3;
    conv.shape = testing::with_padding(conv.shape, testing::Pad::kSame);
    for (int32_t out_c : {8, 16, 32, 1 + in_w % 40}) {
      conv.shape.out_c = out_c;
      ASSERT_NO_FATAL_FAILURE(compare(conv, random));
    }
  }
}

template <typename Params>
class Depthwise : public ::testing::Test {};
using DepthwiseParams = ::testing::Types<DepthwiseConv2DInt8, DepthwiseConv2DFloat>;
TYPED_TEST_SUITE(Depthwise, DepthwiseParams);

TYPED_TEST(Depthwise, EveryKernelOnEveryWindow) {
  std::mt19937 random(5);
  Ran ran;
  for (WindowShape shape : window_cases()) {
    for (const auto& [channels, multiplier] : {std::pair{1, 1},
                                               {8, 1},
                                               {16, 1},
                                               {21, 1},
                                               {48, 1},
                                               {70, 1},
                                               {1, 3},
                                               {3, 8},
                                               {5, 2},
                                               {11, 6}}) {
      TypeParam conv;
      conv.shape = shape;
      conv.shape.in_c = channels;
      conv.shape.out_c = channels * multiplier;
      conv.depth_multiplier = multiplier;
      ASSERT_NO_FATAL_FAILURE(compare(conv, random, &ran));
    }
  }
  ran.expect_all_of(table(TypeParam{}));
}

// More rows than are spread at a time.
TYPED_TEST(Depthwise, MultipliersOfLargePictures) {
  std::mt19937 random(9);
  for (int32_t stride : {1, 2}) {
    TypeParam conv;
    conv.shape.batch = 2;
    conv.shape.in_h = 61;
    conv.shape.in_w = 59;
    conv.shape.filter_h = conv.shape.filter_w = 3;
    conv.shape.stride_h = conv.shape.stride_w = stride;
    conv.shape = testing::with_padding(conv.shape, testing::Pad::kSame);
    conv.shape.in_c = 24;
    conv.shape.out_c = 144;
    conv.depth_multiplier = 6;
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

TYPED_TEST(Depthwise, EveryChannelCount) {
  std::mt19937 random(6);
  for (int32_t channels = 1; channels <= 150; ++channels) {
    TypeParam conv;
    conv.shape.in_h = conv.shape.in_w = 6;
    conv.shape.filter_h = conv.shape.filter_w = 3;
    conv.shape.stride_h = conv.shape.stride_w = 1 + channels % 2;
    conv.shape.in_c = conv.shape.out_c = channels;
    conv.shape = testing::with_padding(conv.shape, testing::Pad::kSame);
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

// Rows longer than what a kernel may interleave at a time.
TYPED_TEST(Depthwise, WideRows) {
  std::mt19937 random(9);
  for (int32_t in_w = 120; in_w <= 140; ++in_w) {
    TypeParam conv;
    conv.shape.in_h = 5;
    conv.shape.in_w = in_w;
    conv.shape.filter_h = conv.shape.filter_w = 3;
    conv.shape.stride_h = conv.shape.stride_w = 1 + in_w % 2;
    conv.shape.dilation_h = conv.shape.dilation_w = 1 + in_w % 3;
    conv.shape.in_c = conv.shape.out_c = 1 + static_cast<int32_t>(random() % 40);
    conv.shape = testing::with_padding(conv.shape, testing::Pad::kSame);
    ASSERT_NO_FATAL_FAILURE(compare(conv, random));
  }
}

TYPED_TEST(Depthwise, DepthMultiplierIsRefusedOrRight) {
  std::mt19937 random(7);
  TypeParam conv;
  conv.depth_multiplier = 3;
  conv.shape.in_h = conv.shape.in_w = 5;
  conv.shape.filter_h = conv.shape.filter_w = 3;
  conv.shape.in_c = 7;
  conv.shape.out_c = 21;
  conv.shape = testing::with_padding(conv.shape, testing::Pad::kSame);
  ASSERT_NO_FATAL_FAILURE(compare(conv, random));
}

TEST(KernelTables, FamiliesHaveTheirEntriesAndTheLastIsScalar) {
  // `families`: those with kernels of their own for such an op; others run the next best.
  const auto check = [](auto kernels, const std::vector<Isa>& families) {
    for (Isa isa : families) {
      const auto& isas = available_isas();
      if (std::find(isas.begin(), isas.end(), isa) == isas.end()) continue;
      EXPECT_EQ(choose(kernels, isa)->isa, isa) << isa_name(isa);
    }
    for (Isa isa : available_isas()) EXPECT_TRUE(runs(isa, choose(kernels, isa)->isa));
    EXPECT_EQ(kernels.back().isa, Isa::kScalar);
  };
  // ARM's dot product is for 8-bit sums over neighbours, AVX-VNNI's for any of 8 bits.
  check(conv2d_int8_kernels(),
        {Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni, Isa::kNeon, Isa::kNeonDot});
  check(conv2d_float_kernels(), {Isa::kAvx2, Isa::kAvx512Vnni, Isa::kNeon});
  check(depthwise_conv2d_int8_kernels(), {Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni, Isa::kNeon});
  check(depthwise_conv2d_float_kernels(), {Isa::kAvx2, Isa::kAvx512Vnni, Isa::kNeon});
}

}  // namespace
}  // namespace deeplab::kernels
