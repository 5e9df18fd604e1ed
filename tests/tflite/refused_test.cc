// What a file may ask for and does not get: the sentence must say what, and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/tflite/model_builder.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::ModelBuilder;
using ::deeplab::testing::small_int8_model;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Type = schema::TensorType;
using Code = schema::BuiltinOperator;

constexpr auto kBad = StatusCode::kInvalidModel;
constexpr auto kNot = StatusCode::kUnsupported;
constexpr auto kMuch = StatusCode::kResourceExhausted;

struct Case {
  const char* name;
  std::function<void(ModelBuilder&)> damage;
  StatusCode code;
  const char* message;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

void set_code(ModelBuilder& b, size_t op, int32_t code) {
  auto& entry = *b.model.operator_codes[b.op(op).opcode_index];
  entry.builtin_code = static_cast<Code>(code);
  entry.deprecated_builtin_code = static_cast<int8_t>(std::min(code, 127));
}
schema::TensorT& out(ModelBuilder& b, size_t op) { return b.tensor(b.op(op).outputs[0]); }
schema::TensorT& in(ModelBuilder& b, size_t op, size_t k) { return b.tensor(b.op(op).inputs[k]); }

// The ops of small_int8_model(): 0 CONV_2D, 1 ADD, 2 AVERAGE_POOL_2D, 3 RESIZE_BILINEAR,
// 4 CONCATENATION, 5 ARG_MAX.
const Case kCases[] = {
    // The file.
    {"Version", [](ModelBuilder& b) { b.model.version = 2; }, kNot, "schema version 3, found 2"},
    {"NoSubgraph", [](ModelBuilder& b) { b.model.subgraphs.clear(); }, kNot, "one subgraph"},
    {"TwoSubgraphs",
     [](ModelBuilder& b) { b.model.subgraphs.push_back(std::make_unique<schema::SubGraphT>()); },
     kNot, "expected one subgraph, found 2"},
    {"NoBuffers", [](ModelBuilder& b) { b.model.buffers.clear(); }, kBad, "buffer"},
    {"NoInputs", [](ModelBuilder& b) { b.graph().inputs.clear(); }, kBad, "graph inputs"},
    {"NoOutputs", [](ModelBuilder& b) { b.graph().outputs.clear(); }, kBad, "graph outputs"},
    {"NoTensors", [](ModelBuilder& b) { b.graph().tensors.clear(); }, kBad, "0 tensors"},
    {"InputRange", [](ModelBuilder& b) { b.graph().inputs[0] = -2; }, kBad, "graph input -2"},

    // Ops.
    {"Lstm", [](ModelBuilder& b) { set_code(b, 2, 16); }, kNot,
     "op 2 (LSTM): this op is not supported"},
    {"L2Pool", [](ModelBuilder& b) { set_code(b, 2, 12); }, kNot,
     "op 2 (L2_POOL_2D): this op is not supported"},
    {"NewOp", [](ModelBuilder& b) { set_code(b, 2, 150); }, kNot, "op 2 (GELU)"},
    {"UnknownOp", [](ModelBuilder& b) { set_code(b, 2, 4711); }, kNot, "op 2 (BUILTIN 4711)"},
    {"CustomOp",
     [](ModelBuilder& b) {
       set_code(b, 2, 32);
       b.model.operator_codes[2]->custom_code = "TfLite\nFoo\x1b[31m";
     },
     kNot, "op 2 (CUSTOM 'TfLite?Foo?[31m'): this op is not supported"},
    {"OperatorCode", [](ModelBuilder& b) { b.op(1).opcode_index = 77; }, kBad,
     "op 1: operator code 77"},
    {"OpInput", [](ModelBuilder& b) { b.op(0).inputs[0] = 12345; }, kBad,
     "op 0 (CONV_2D): input 0 is tensor 12345"},
    {"OpInputNegative", [](ModelBuilder& b) { b.op(4).inputs[1] = -1; }, kBad,
     "op 4 (CONCATENATION): input 1 is tensor -1"},
    {"OpOutput", [](ModelBuilder& b) { b.op(0).outputs[0] = -3; }, kBad,
     "op 0 (CONV_2D): the output is tensor -3"},
    {"TwoOutputs", [](ModelBuilder& b) { b.op(0).outputs.push_back(1); }, kBad,
     "op 0 (CONV_2D): expected 1 output, found 2"},
    {"NoInputsOfOp", [](ModelBuilder& b) { b.op(1).inputs.clear(); }, kBad, "op 1 (ADD)"},
    {"ManyInputs", [](ModelBuilder& b) { b.op(4).inputs.assign(5000, 0); }, kBad,
     "op 4 (CONCATENATION): expected at most 1024 inputs"},
    {"Cycle", [](ModelBuilder& b) { b.op(0).inputs[0] = b.op(1).outputs[0]; }, kBad,
     "op 0 (CONV_2D): reads tensor"},
    {"OptionsMissing", [](ModelBuilder& b) { b.op(0).builtin_options.Reset(); }, kBad,
     "op 0 (CONV_2D): its options are missing"},
    {"OptionsOfAnotherOp",
     [](ModelBuilder& b) { b.op(2).builtin_options.Set(schema::Conv2DOptionsT{}); }, kBad,
     "op 2 (AVERAGE_POOL_2D): its options are missing or of another"},
    {"Tanh",
     [](ModelBuilder& b) {
       b.op(0).builtin_options.AsConv2DOptions()->fused_activation_function =
           schema::ActivationFunctionType::TANH;
     },
     kNot, "op 0 (CONV_2D): fused activation TANH"},
    {"UnknownActivation",
     [](ModelBuilder& b) {
       b.op(0).builtin_options.AsConv2DOptions()->fused_activation_function =
           static_cast<schema::ActivationFunctionType>(99);
     },
     kNot, "op 0 (CONV_2D): fused activation 99"},
    {"Padding",
     [](ModelBuilder& b) {
       b.op(0).builtin_options.AsConv2DOptions()->padding = static_cast<schema::Padding>(2);
     },
     kBad, "op 0 (CONV_2D): unknown padding 2"},
    {"StrideZero", [](ModelBuilder& b) { b.op(0).builtin_options.AsConv2DOptions()->stride_h = 0; },
     kBad, "op 0 (CONV_2D): height: expected a stride"},
    {"StrideNegative",
     [](ModelBuilder& b) { b.op(0).builtin_options.AsConv2DOptions()->stride_w = -1; }, kBad,
     "op 0 (CONV_2D): width: expected a stride"},
    {"ConcatAxis",
     [](ModelBuilder& b) { b.op(4).builtin_options.AsConcatenationOptions()->axis = -5; }, kBad,
     "op 4 (CONCATENATION): axis -1"},

    {"OddPaddings",
     [](ModelBuilder& b) {
       set_code(b, 1, 34);
       b.op(1).inputs = {b.op(0).outputs[0], b.numbers({1, 1, 1})};
     },
     kBad, "op 1 (PAD): expected paddings in pairs, found 3 numbers"},
    {"BlockOfThree",
     [](ModelBuilder& b) {
       set_code(b, 1, 38);
       b.op(1).inputs = {b.op(0).outputs[0], b.numbers({2, 2, 2}),
                         b.numbers({0, 0, 0, 0, 0, 0}, {3, 2})};
     },
     kNot, "op 1 (SPACE_TO_BATCH_ND): expected a block of height and width, found 3 block"},
    {"ReshapeToNineDimensions",
     [](ModelBuilder& b) {
       set_code(b, 1, 22);
       b.op(1).inputs = {b.op(0).outputs[0]};
       schema::ReshapeOptionsT reshape;
       reshape.new_shape.assign(9, 1);
       b.op(1).builtin_options.Set(std::move(reshape));
     },
     kNot, "op 1 (RESHAPE): the new shape has 9 dimensions, more than 8"},

    // Operands that must be constants.
    {"SizeNotConstant", [](ModelBuilder& b) { in(b, 3, 1).buffer = 0; }, kNot,
     "op 3 (RESIZE_BILINEAR): a target size must be a constant"},
    {"SizeMissing", [](ModelBuilder& b) { b.op(3).inputs.pop_back(); }, kBad,
     "op 3 (RESIZE_BILINEAR): expected a target size as input 1"},
    {"SizeType", [](ModelBuilder& b) { in(b, 3, 1).type = Type::FLOAT32; }, kNot,
     "op 3 (RESIZE_BILINEAR): expected a target size as int32 or int64, found type FLOAT32"},
    {"SizeLength", [](ModelBuilder& b) { in(b, 3, 1).shape = {1}; }, kBad,
     "op 3 (RESIZE_BILINEAR): expected a target size"},
    {"SizeShape",
     [](ModelBuilder& b) {
       in(b, 3, 1).shape = {1 << 30, 1 << 30, 1 << 30};
     },
     kBad, "op 3 (RESIZE_BILINEAR): expected a target size"},
    {"SizeNegative", [](ModelBuilder& b) { b.data(b.op(3).inputs[1])[3] = 0x80; }, kBad,
     "op 3 (RESIZE_BILINEAR): expected a target size of 1x1 to 65536x65536"},
    {"AxisWide",
     [](ModelBuilder& b) {
       in(b, 5, 1).type = Type::INT64;
       b.data(b.op(5).inputs[1]) = {0, 0, 0, 0, 0, 0, 0, 1};
     },
     kBad, "op 5 (ARG_MAX): an axis holds 72057594037927936"},

    // Tensors.
    {"Int16", [](ModelBuilder& b) { out(b, 0).type = Type::INT16; }, kNot, "type INT16"},
    {"Float16", [](ModelBuilder& b) { in(b, 0, 1).type = Type::FLOAT16; }, kNot,
     "tensor 1 (\"t1\"): type FLOAT16 is not supported"},
    {"UnknownType", [](ModelBuilder& b) { out(b, 0).type = static_cast<Type>(55); }, kNot,
     "type 55 is not supported"},
    {"Variable", [](ModelBuilder& b) { out(b, 0).is_variable = true; }, kNot, "variable"},
    {"Sparse", [](ModelBuilder& b) { in(b, 0, 1).sparsity = std::make_unique<schema::UnreadT>(); },
     kNot, "tensor 1 (\"t1\"): sparse"},
    {"CustomQuantization",
     [](ModelBuilder& b) { in(b, 0, 1).quantization->details.Set(schema::CustomQuantizationT{}); },
     kNot, "custom quantization"},
    {"BufferRange", [](ModelBuilder& b) { in(b, 0, 1).buffer = 1000; }, kBad,
     "buffer 1000 is named"},
    {"BufferOutside",
     [](ModelBuilder& b) {
       b.model.buffers[1]->offset = 4096;
       b.model.buffers[1]->size = 108;
     },
     kNot, "buffer 1 keeps its data outside"},
    {"SwappedBuffers", [](ModelBuilder& b) { std::swap(in(b, 0, 1).buffer, in(b, 0, 2).buffer); },
     kBad, "takes 108 bytes, but the constant has 16"},
    {"EmptyBuffer", [](ModelBuilder& b) { b.data(1).clear(); }, kBad,
     "op 0 (CONV_2D): reads tensor 1 (\"t1\") before"},
    {"ZeroDimension", [](ModelBuilder& b) { b.tensor(0).shape[1] = 0; }, kBad,
     "dimensions of at least 1, found 1x0x9x3"},
    {"NegativeDimension", [](ModelBuilder& b) { b.tensor(0).shape[1] = -9; }, kBad,
     "dimensions of at least 1, found 1x-9x9x3"},
    {"HugeShape",
     [](ModelBuilder& b) {
       b.tensor(0).shape = {1, 60000, 60000, 3};
     },
     kMuch, "limit of"},
    {"OverflowingShape",
     [](ModelBuilder& b) { b.tensor(0).shape.assign(4, std::numeric_limits<int32_t>::max()); },
     kMuch, "limit of"},
    {"LongShape", [](ModelBuilder& b) { b.tensor(0).shape.assign(1000, 1); }, kNot, "more than 8"},
    {"ScaleNan",
     [](ModelBuilder& b) {
       in(b, 0, 1).quantization->scale[2] = std::numeric_limits<float>::quiet_NaN();
     },
     kBad, "found nan"},
    {"ScaleInfinite",
     [](ModelBuilder& b) {
       out(b, 0).quantization->scale[0] = std::numeric_limits<float>::infinity();
     },
     kBad, "found inf"},
    {"ScaleZero", [](ModelBuilder& b) { out(b, 0).quantization->scale[0] = 0; }, kBad, "found 0"},
    {"ScaleAbsent", [](ModelBuilder& b) { out(b, 0).quantization.reset(); }, kBad,
     "without a scale"},
    {"ChannelCount", [](ModelBuilder& b) { in(b, 0, 1).quantization->scale.pop_back(); }, kBad,
     "as many zero points as scales, found 4 and 3"},
    {"ChannelCountOfBoth",
     [](ModelBuilder& b) {
       in(b, 0, 1).quantization->scale.pop_back();
       in(b, 0, 1).quantization->zero_point.pop_back();
     },
     kBad, "found 3 scales along dimension 0 of 4x3x3x3"},
    {"ChannelAxis", [](ModelBuilder& b) { in(b, 0, 1).quantization->quantized_dimension = 3; },
     kBad, "found 4 scales along dimension 3"},
    {"ZeroPointWide", [](ModelBuilder& b) { out(b, 0).quantization->zero_point[0] = 1ll << 40; },
     kBad, "zero point 1099511627776 is not an int32"},
    {"ZeroPointRange", [](ModelBuilder& b) { out(b, 0).quantization->zero_point[0] = 128; }, kBad,
     "int8 zero point in [-128, 127], found 128"},
    {"NameOfManyLines",
     [](ModelBuilder& b) {
       out(b, 0).name = "a\nb\xff";
       out(b, 0).quantization->scale[0] = 0;
     },
     kBad, "(\"a?b?\")"},
};

class Refused : public ::testing::TestWithParam<Case> {};

TEST_P(Refused, Names) {
  ModelBuilder b = small_int8_model();
  GetParam().damage(b);
  const auto file = read_model(b.build(), "some.tflite");
  ASSERT_FALSE(file.ok());
  const Status status = file.status();
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(GetParam().code)) << status.message();
  EXPECT_THAT(status.message(), StartsWith("some.tflite: "));
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
  EXPECT_THAT(status.message(), Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(Each, Refused, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return each.param.name; });

TEST(RefusedFiles, NotAModel) {
  const auto message = [](std::string_view text) {
    return read_model(std::as_bytes(std::span(text)), "x").status().message();
  };
  EXPECT_THAT(message(""), HasSubstr("not a TensorFlow Lite model"));
  EXPECT_THAT(message("TFL3"), HasSubstr("not a TensorFlow Lite model"));
  EXPECT_THAT(message("#!/bin/sh\necho hello\n"), HasSubstr("not a TensorFlow Lite model"));
  EXPECT_THAT(message("1234TFL3"), HasSubstr("damaged or cut off"));
  EXPECT_THAT(message(std::string_view("\0\0\0\0TFL3", 8)), HasSubstr("damaged or cut off"));
}

TEST(RefusedFiles, DepthMultiplier) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 9, 9, 2});
  const int32_t filter = b.constant(Type::FLOAT32, {1, 3, 3, 6}, std::vector<float>(54));
  schema::DepthwiseConv2DOptionsT options;
  options.stride_h = options.stride_w = 1;
  options.depth_multiplier = 2;
  const int32_t y = b.activation(Type::FLOAT32, {1, 9, 9, 6});
  b.add(Code::DEPTHWISE_CONV_2D, {x, filter}, y, options);
  EXPECT_THAT(read_model(b.build({y}), "x").status().message(),
              HasSubstr("op 0 (DEPTHWISE_CONV_2D): the depth multiplier 2 does not fit"));
  b.tensor(filter).shape = {1, 3, 3, 0};
  EXPECT_FALSE(read_model(b.build({y}), "x").ok());
}

TEST(RefusedFiles, OverALimit) {
  graph::Limits limits;
  limits.max_tensor_bytes = 200;
  const auto file = read_model(small_int8_model().build(), "x", limits);
  EXPECT_EQ(static_cast<int>(file.status().code()), static_cast<int>(kMuch));
}

}  // namespace
}  // namespace deeplab::tflite
