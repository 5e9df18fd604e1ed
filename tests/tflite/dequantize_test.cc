// Constants that a DEQUANTIZE reads, and the order of operands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/tflite/model_builder.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::FileQuantization;
using ::deeplab::testing::ModelBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Type = schema::TensorType;
using Code = schema::BuiltinOperator;

const std::vector<int32_t> kPicture = {1, 4, 6, 2};

/// x + DEQUANTIZE(constant), of as many values as there are channels.
struct Sum {
  explicit Sum(const std::function<int32_t(ModelBuilder&)>& make_constant) {
    const int32_t x = b.input(Type::FLOAT32, kPicture);
    constant = make_constant(b);
    const int32_t values = b.add(Code::DEQUANTIZE, {constant}, b.activation(Type::FLOAT32, {2}));
    out = b.add(Code::ADD, {values, x}, b.activation(Type::FLOAT32, kPicture));
  }
  Result<ModelFile> read() { return read_model(b.build({out}), "test.tflite"); }
  /// The constant as the graph has it.
  std::vector<float> values() {
    const auto file = read();
    EXPECT_TRUE(file.ok()) << file.status().message();
    if (!file.ok() || file->graph.ops.size() != 1) return {};
    EXPECT_EQ(file->graph.ops[0].index, 1) << "positions are those of the file";
    const graph::Tensor& tensor = file->graph.tensor(file->graph.ops[0].inputs[1]);
    EXPECT_EQ(tensor.type, graph::DataType::kFloat32);
    EXPECT_EQ(tensor.shape, graph::Shape{2});
    const auto span = tensor.values<float>();
    return {span.begin(), span.end()};
  }
  std::string message() {
    const auto file = read();
    return file.ok() ? "accepted" : std::string(file.status().message());
  }
  ModelBuilder b;
  int32_t constant = 0;
  int32_t out = 0;
};

std::vector<float> halves(uint16_t first, uint16_t second) {
  Sum sum([&](ModelBuilder& b) {
    return b.constant(Type::FLOAT16, {2}, std::vector<uint16_t>{first, second});
  });
  return sum.values();
}

TEST(DequantizedConstants, Float16) {
  EXPECT_THAT(halves(0x3C00, 0xC000), ElementsAre(1.0f, -2.0f));
  EXPECT_THAT(halves(0x7BFF, 0xFBFF), ElementsAre(65504.0f, -65504.0f));  // The largest.
  EXPECT_THAT(halves(0x0400, 0x8400), ElementsAre(0x1p-14f, -0x1p-14f));  // The smallest normal,
  EXPECT_THAT(halves(0x0001, 0x83FF), ElementsAre(0x1p-24f, -1023 * 0x1p-24f));  // and less.
  EXPECT_THAT(halves(0x0000, 0x3555), ElementsAre(0.0f, 1365.0f / 4096));
  EXPECT_TRUE(std::signbit(halves(0x8000, 0)[0]));
  const auto specials = halves(0x7C00, 0x7E00);
  EXPECT_EQ(specials[0], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(specials[1]));
}

// Every value of the 65536 against the definition.
TEST(DequantizedConstants, EveryFloat16) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 1, 1, 65536});
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  const int32_t constant = b.constant(Type::FLOAT16, {65536}, all);
  const int32_t values = b.add(Code::DEQUANTIZE, {constant}, b.activation(Type::FLOAT32, {65536}));
  const int32_t out = b.add(Code::ADD, {x, values}, b.activation(Type::FLOAT32, {1, 1, 1, 65536}));
  const auto file = read_model(b.build({out}), "test.tflite");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto got = file->graph.tensor(file->graph.ops[0].inputs[1]).values<float>();
  ASSERT_EQ(got.size(), all.size());
  for (uint32_t i = 0; i < 65536; ++i) {
    const int exponent = static_cast<int>(i >> 10 & 31);
    const double mantissa = i & 1023;
    const double sign = i >> 15 != 0 ? -1 : 1;
    if (exponent == 31) {
      ASSERT_FALSE(std::isfinite(got[i]));
    } else if (exponent == 0) {
      ASSERT_EQ(got[i], sign * std::ldexp(mantissa, -24)) << i;
    } else {
      ASSERT_EQ(got[i], sign * std::ldexp(1024 + mantissa, exponent - 25)) << i;
    }
  }
}

TEST(DequantizedConstants, Int8AndUint8) {
  Sum per_tensor([](ModelBuilder& b) {
    return b.constant(Type::INT8, {2}, std::vector<int8_t>{-128, 5}, {{0.5f}, {-3}});
  });
  EXPECT_THAT(per_tensor.values(), ElementsAre(-62.5f, 4.0f));
  Sum per_channel([](ModelBuilder& b) {
    return b.constant(Type::INT8, {2}, std::vector<int8_t>{10, 10}, {{0.5f, 2.0f}, {0, 1}, 0});
  });
  EXPECT_THAT(per_channel.values(), ElementsAre(5.0f, 18.0f));
  Sum shifted([](ModelBuilder& b) {
    return b.constant(Type::UINT8, {2}, std::vector<uint8_t>{0, 255}, {{0.25f}, {128}});
  });
  EXPECT_THAT(shifted.values(), ElementsAre(-32.0f, 31.75f));
}

TEST(DequantizedConstants, BadOnesAreNamed) {
  const auto float16 = [](ModelBuilder& b) {
    return b.constant(Type::FLOAT16, {2}, std::vector<uint16_t>{1, 2});
  };
  Sum short_by_one(float16);
  short_by_one.b.data(short_by_one.constant).resize(3);
  EXPECT_THAT(short_by_one.message(), HasSubstr("shape 2 does not fit its 3 bytes"));
  Sum negative(float16);
  negative.b.tensor(negative.constant).shape = {-2};
  EXPECT_THAT(negative.message(), HasSubstr("does not fit"));
  Sum no_scale([](ModelBuilder& b) {
    return b.constant(Type::INT8, {2}, std::vector<int8_t>{1, 2});
  });
  EXPECT_THAT(no_scale.message(), HasSubstr("expected a scale"));
  Sum far_zero([](ModelBuilder& b) {
    return b.constant(Type::INT8, {2}, std::vector<int8_t>{1, 2}, {{1.0f}, {-2147483648}});
  });
  EXPECT_THAT(far_zero.message(), HasSubstr("zero point -2147483648 is not a value of its type"));
  Sum other_axis([](ModelBuilder& b) {
    return b.constant(Type::INT8, {2}, std::vector<int8_t>{1, 2}, {{1, 2, 3}, {0, 0, 0}, 0});
  });
  EXPECT_THAT(other_axis.message(), HasSubstr("3 scales along dimension 0 of 2"));
  Sum an_input([](ModelBuilder& b) { return b.input(Type::FLOAT16, {2}); });
  EXPECT_THAT(an_input.message(), HasSubstr("FLOAT16"));
}

TEST(DequantizedConstants, WrittenTwiceIsAnError) {
  Sum sum([](ModelBuilder& b) {
    return b.constant(Type::FLOAT16, {2}, std::vector<uint16_t>{1, 2});
  });
  const int32_t values = sum.b.op(0).outputs[0];
  sum.b.add(Code::DEQUANTIZE, {sum.constant}, values);
  EXPECT_NE(sum.message(), "accepted");
}

// A few bytes that many tensors name must not become any amount of memory.
TEST(DequantizedConstants, OneBufferNamedManyTimesIsBounded) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 1, 1, 20000});
  const int32_t constant =
      b.constant(Type::INT8, {20000}, std::vector<int8_t>(20000, 1), {{1.0f}, {0}});
  int32_t sum = x;
  for (int i = 0; i < 40; ++i) {
    const int32_t values =
        b.add(Code::DEQUANTIZE, {constant}, b.activation(Type::FLOAT32, {20000}));
    sum = b.add(Code::ADD, {sum, values}, b.activation(Type::FLOAT32, {1, 1, 1, 20000}));
  }
  const auto file = read_model(b.build({sum}), "test.tflite");
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("more data than"));
}

/// {a, b} as a file lists them, of which one is a constant of 2 values.
graph::Op ordered(Code code, bool constant_first) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t c = b.constant(Type::FLOAT32, {2}, std::vector<float>{1, 2});
  const int32_t out = b.activation(Type::FLOAT32, kPicture);
  b.add(code, constant_first ? std::vector{c, x} : std::vector{x, c}, out);
  const auto file = read_model(b.build({out}), "test.tflite");
  EXPECT_TRUE(file.ok()) << file.status().message();
  if (!file.ok()) return {};
  EXPECT_EQ(file->graph.ops[0].inputs, (std::vector<graph::TensorId>{x, c}));
  return file->graph.ops[0];
}

TEST(ReadArithmetic, TheConstantIsSecondAndADifferenceSaysWhichWayRound) {
  for (bool constant_first : {false, true}) {
    EXPECT_TRUE(std::holds_alternative<graph::Mul>(ordered(Code::MUL, constant_first).attributes));
    const graph::Op sub = ordered(Code::SUB, constant_first);
    ASSERT_TRUE(std::holds_alternative<graph::Sub>(sub.attributes));
    EXPECT_EQ(std::get<graph::Sub>(sub.attributes).reversed, constant_first);
  }
}

TEST(ReadArithmetic, Activations) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  schema::MulOptionsT mul;
  mul.fused_activation_function = schema::ActivationFunctionType::RELU6;
  const int32_t y = b.add(Code::MUL, {x, x}, b.activation(Type::FLOAT32, kPicture), mul);
  schema::SubOptionsT sub;
  sub.fused_activation_function = schema::ActivationFunctionType::RELU;
  const int32_t z = b.add(Code::SUB, {x, y}, b.activation(Type::FLOAT32, kPicture), sub);
  const auto file = read_model(b.build({z}), "test.tflite");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(std::get<graph::Mul>(file->graph.ops[0].attributes).activation,
            graph::Activation::kRelu6);
  EXPECT_EQ(std::get<graph::Sub>(file->graph.ops[1].attributes).activation,
            graph::Activation::kRelu);
}

}  // namespace
}  // namespace deeplab::tflite
