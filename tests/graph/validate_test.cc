// Every rule: a good graph, one thing broken, and the sentence that must say so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "graph/graph.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::graph {
namespace {

using ::deeplab::testing::GraphBuilder;
using ::deeplab::testing::per_channel;
using ::deeplab::testing::per_tensor;
using ::deeplab::testing::small_deeplab;
using ::testing::HasSubstr;

struct Case {
  const char* name;
  DataType type;
  std::function<void(Graph&)> damage;
  StatusCode code;
  const char* message;
};

// Gtest prints the name of a failing case, not its bytes.
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

Tensor& filter(Graph& g, size_t op) { return g.tensor(g.ops[op].inputs[1]); }
Tensor& bias(Graph& g, size_t op) { return g.tensor(g.ops[op].inputs[2]); }
Tensor& output(Graph& g, size_t op) { return g.tensor(g.ops[op].output()); }
template <typename Attribute>
Attribute& attribute(Graph& g, size_t op) {
  return std::get<Attribute>(g.ops[op].attributes);
}

std::shared_ptr<const std::vector<std::byte>> bytes(size_t size) {
  return std::make_shared<const std::vector<std::byte>>(size);
}

/// An int8 filter in a float network.
void make_hybrid(Graph& g, size_t op, Quantization quantization) {
  Tensor& tensor = filter(g, op);
  tensor.type = tensor.file_type = DataType::kInt8;
  tensor.quantization = std::move(quantization);
  tensor.data = bytes(static_cast<size_t>(tensor.elements()));
}

constexpr auto kFloat = DataType::kFloat32;
constexpr auto kUint8 = DataType::kUInt8;
constexpr auto kInt8 = DataType::kInt8;
constexpr auto kBad = StatusCode::kInvalidModel;
constexpr auto kNot = StatusCode::kUnsupported;
constexpr auto kMuch = StatusCode::kResourceExhausted;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

const Case kCases[] = {
    // Ids and order.
    {"NoInput", kFloat, [](Graph& g) { g.inputs.clear(); }, kBad, "graph input"},
    {"NoOutput", kFloat, [](Graph& g) { g.outputs.clear(); }, kBad, "graph output"},
    {"InputRange", kFloat, [](Graph& g) { g.inputs[0] = 99; }, kBad, "graph input 99"},
    {"OutputRange", kFloat, [](Graph& g) { g.outputs[0] = -1; }, kBad, "graph output -1"},
    {"OpInputRange", kFloat, [](Graph& g) { g.ops[2].inputs[0] = 1000; }, kBad,
     "op 2 (CONV_2D): input 0 is tensor 1000"},
    {"OpInputNegative", kFloat, [](Graph& g) { g.ops[4].inputs[1] = kNoTensor; }, kBad,
     "op 4 (ADD): input 1 is tensor -1"},
    {"FilterAbsent", kFloat, [](Graph& g) { g.ops[2].inputs[1] = kNoTensor; }, kBad,
     "op 2 (CONV_2D): input 1 is tensor -1"},
    {"OpOutputRange", kFloat, [](Graph& g) { g.ops[2].outputs[0] = -7; }, kBad,
     "op 2 (CONV_2D): the output is tensor -7"},
    {"NoOutputOfOp", kFloat, [](Graph& g) { g.ops[2].outputs.clear(); }, kBad, "and 0"},
    {"TooManyInputs", kFloat, [](Graph& g) { g.ops[5].inputs.push_back(0); }, kBad,
     "op 5 (AVERAGE_POOL_2D): expected 1 inputs"},
    {"WrittenTwice", kFloat, [](Graph& g) { g.ops[3].outputs = g.ops[2].outputs; }, kBad,
     "written already"},
    {"InputWritten", kFloat, [](Graph& g) { g.ops[3].outputs = g.inputs; }, kBad,
     "op 3 (CONV_2D): writes tensor 0"},
    {"ConstantWritten", kFloat, [](Graph& g) { g.ops[3].outputs = {g.ops[0].inputs[1]}; }, kBad,
     "which is a constant"},
    {"SelfReference", kFloat, [](Graph& g) { g.ops[4].inputs[0] = g.ops[4].output(); }, kBad,
     "op 4 (ADD): reads"},
    {"Cycle", kFloat, [](Graph& g) { g.ops[1].inputs[0] = g.ops[2].output(); }, kBad,
     "op 1 (DEPTHWISE_CONV_2D): reads"},
    {"NotWritten", kFloat, [](Graph& g) { g.ops.pop_back(); }, kBad, "output that nothing writes"},
    {"InputTwice", kFloat, [](Graph& g) { g.inputs.push_back(g.inputs[0]); }, kBad, "twice"},
    {"ConstantInput", kFloat, [](Graph& g) { g.inputs.push_back(g.ops[0].inputs[1]); }, kBad,
     "cannot be a constant"},

    // Shapes and sizes.
    {"ZeroDimension", kFloat, [](Graph& g) { g.tensor(0).shape[1] = 0; }, kBad, "1x0x65x3"},
    {"NegativeDimension", kFloat, [](Graph& g) { g.tensor(0).shape[1] = -65; }, kBad,
     "dimensions of at least 1"},
    {"HugeTensor", kFloat,
     [](Graph& g) {
       g.tensor(0).shape = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
     },
     kMuch, "limit of 1073741824 bytes"},
    {"TooManyDimensions", kFloat, [](Graph& g) { g.tensor(0).shape = Shape(9, 1); }, kNot,
     "at most 8 dimensions"},
    {"WrongOutputShape", kFloat, [](Graph& g) { output(g, 4).shape[3] = 5; }, kBad,
     "op 4 (ADD): expected the output 1x17x17x4, found 1x17x17x5"},
    {"ShortConstant", kFloat, [](Graph& g) { filter(g, 0).data = bytes(8 * 27 * 4 - 1); }, kBad,
     "takes 864 bytes, but the constant has 863"},
    {"LongConstant", kUint8, [](Graph& g) { filter(g, 0).data = bytes(8 * 27 + 1); }, kBad,
     "takes 216 bytes, but the constant has 217"},
    {"FilterChannels", kFloat,
     [](Graph& g) {
       filter(g, 2).shape = {4, 1, 1, 7};
       filter(g, 2).data = bytes(4 * 7 * 4);
     },
     kBad, "op 2 (CONV_2D): the filter 4x1x1x7 reads 7 channels"},
    {"BiasLength", kFloat,
     [](Graph& g) {
       bias(g, 2).shape = {3};
       bias(g, 2).data = bytes(12);
     },
     kBad, "op 2 (CONV_2D): expected a bias of 4 values, found 3"},

    // Attributes.
    {"ZeroStride", kFloat, [](Graph& g) { attribute<Conv2D>(g, 0).window.stride_h = 0; }, kBad,
     "op 0 (CONV_2D): height: expected a stride"},
    {"HugeStride", kFloat, [](Graph& g) { attribute<Conv2D>(g, 0).window.stride_w = 1 << 30; },
     kBad, "op 0 (CONV_2D): width: expected a stride"},
    {"NegativeDilation", kFloat,
     [](Graph& g) { attribute<DepthwiseConv2D>(g, 1).window.dilation_h = -2; }, kBad,
     "op 1 (DEPTHWISE_CONV_2D): height: expected a dilation"},
    {"DilatedPool", kFloat, [](Graph& g) { attribute<AveragePool2D>(g, 5).window.dilation_h = 2; },
     kBad, "no dilation"},
    {"PoolTooLarge", kFloat, [](Graph& g) { attribute<AveragePool2D>(g, 5).filter_h = 18; }, kBad,
     "op 5 (AVERAGE_POOL_2D): height: a window of 18 does not fit into 17"},
    {"ConcatActivation", kFloat,
     [](Graph& g) { attribute<Concatenation>(g, 7).activation = Activation::kRelu; }, kNot,
     "op 7 (CONCATENATION): expected no fused activation"},

    // Types.
    {"FilterType", kFloat,
     [](Graph& g) {
       filter(g, 2).type = filter(g, 2).file_type = kUint8;
       filter(g, 2).quantization = per_tensor(0.1f, 0);
       filter(g, 2).data = bytes(32);
     },
     kNot, "op 2 (CONV_2D): expected a filter of float32, found uint8"},
    {"Int8FilterType", kUint8,
     [](Graph& g) {
       filter(g, 2).type = filter(g, 2).file_type = kInt8;
       filter(g, 2).quantization = per_tensor(0.1f, 0);
     },
     kNot, "op 2 (CONV_2D): expected a filter of uint8, found int8"},

    // Convolutions of float32 with an int8 filter.
    {"HybridBias", kFloat,
     [](Graph& g) {
       make_hybrid(g, 2, per_tensor(0.1f, 0));
       bias(g, 2).type = bias(g, 2).file_type = DataType::kInt32;
     },
     kNot, "op 2 (CONV_2D): expected a bias of float32, found int32"},
    {"HybridOutput", kFloat,
     [](Graph& g) {
       make_hybrid(g, 2, per_tensor(0.1f, 0));
       output(g, 2).type = output(g, 2).file_type = kInt8;
       output(g, 2).quantization = per_tensor(1, 0);
     },
     kNot, "op 2 (CONV_2D): expected output of float32, found int8"},
    {"HybridWithoutScale", kFloat, [](Graph& g) { make_hybrid(g, 2, {}); }, kBad,
     "a int8 tensor without a scale"},
    {"HybridZeroPoint", kFloat, [](Graph& g) { make_hybrid(g, 2, per_tensor(0.1f, 3)); }, kBad,
     "op 2 (CONV_2D): expected zero point 0 on an int8 filter, found 3"},
    {"HybridAxis", kFloat, [](Graph& g) { make_hybrid(g, 2, per_channel(8, 0.1f, 3)); }, kBad,
     "op 2 (CONV_2D): expected the filter's scales along dimension 0, found 3"},
    {"HybridDepthwiseAxis", kFloat, [](Graph& g) { make_hybrid(g, 1, per_channel(3, 0.1f, 1)); },
     kBad, "op 1 (DEPTHWISE_CONV_2D): expected the filter's scales along dimension 3, found 1"},
    {"ZeroFilterScale", kInt8, [](Graph& g) { filter(g, 0).quantization.scales[3] = 0; }, kNot,
     "op 0 (CONV_2D): expected scales above 0, found 0"},
    {"HybridNegative", kFloat, [](Graph& g) { make_hybrid(g, 2, per_tensor(-0.1f, 0)); }, kBad,
     "finite and above 0, found -0.1"},
    {"HybridInfinite", kFloat, [](Graph& g) { make_hybrid(g, 2, per_tensor(3e36f, 0)); }, kBad,
     "op 2 (CONV_2D): expected a filter whose values are finite, found a scale of 3e+36"},
    {"BiasType", kFloat,
     [](Graph& g) { bias(g, 2).type = bias(g, 2).file_type = DataType::kInt32; }, kNot,
     "op 2 (CONV_2D): expected a bias of float32, found int32"},
    {"QuantizedBiasType", kUint8,
     [](Graph& g) {
       bias(g, 2).type = bias(g, 2).file_type = kFloat;
       bias(g, 2).quantization = {};
     },
     kNot, "op 2 (CONV_2D): expected a bias of int32, found float32"},
    {"OutputType", kInt8,
     [](Graph& g) {
       output(g, 4).type = output(g, 4).file_type = kFloat;
       output(g, 4).quantization = {};
     },
     kNot, "op 4 (ADD): expected output of int8, found float32"},
    {"MixedConcat", kInt8,
     [](Graph& g) {
       output(g, 6).type = output(g, 6).file_type = kUint8;
       output(g, 5).type = output(g, 5).file_type = kUint8;
     },
     kNot, "op 5 (AVERAGE_POOL_2D): expected output of int8, found uint8"},
    {"ArgMaxType", kFloat, [](Graph& g) { output(g, 10).type = output(g, 10).file_type = kFloat; },
     kNot, "op 10 (ARG_MAX): expected an output of int32 or int64"},
    {"IntegerInput", kFloat,
     [](Graph& g) { g.tensor(0).type = g.tensor(0).file_type = DataType::kInt32; }, kNot,
     "graph input of float32, uint8 or int8, found int32"},
    {"FileType", kFloat, [](Graph& g) { output(g, 4).file_type = kUint8; }, kBad,
     "is float32, but uint8 in the file"},
    {"FilterNotConstant", kFloat, [](Graph& g) { filter(g, 2).data = nullptr; }, kBad,
     "op 2 (CONV_2D): reads"},

    // Quantization.
    {"NoScale", kUint8, [](Graph& g) { output(g, 4).quantization = {}; }, kBad, "without a scale"},
    {"FloatScale", kFloat, [](Graph& g) { output(g, 4).quantization = per_tensor(1, 0); }, kBad,
     "a float32 tensor with a scale"},
    {"NanScale", kUint8, [](Graph& g) { output(g, 4).quantization.scales[0] = kNan; }, kBad,
     "found nan"},
    {"InfiniteScale", kInt8, [](Graph& g) { filter(g, 0).quantization.scales[7] = kInf; }, kBad,
     "found inf"},
    {"ZeroScale", kUint8, [](Graph& g) { output(g, 4).quantization.scales[0] = 0; }, kBad,
     "above 0, found 0"},
    {"NegativeScale", kUint8, [](Graph& g) { output(g, 4).quantization.scales[0] = -1; }, kBad,
     "above 0, found -1"},
    {"SubnormalScale", kUint8, [](Graph& g) { output(g, 4).quantization.scales[0] = kTiny; }, kBad,
     "finite and above 0"},
    {"ZeroPointsMissing", kUint8, [](Graph& g) { output(g, 4).quantization.zero_points.clear(); },
     kBad, "as many zero points as scales"},
    {"Uint8ZeroPoint", kUint8, [](Graph& g) { output(g, 4).quantization.zero_points[0] = 256; },
     kBad, "uint8 zero point in [0, 255], found 256"},
    {"Int8ZeroPoint", kInt8, [](Graph& g) { output(g, 4).quantization.zero_points[0] = -129; },
     kBad, "int8 zero point in [-128, 127], found -129"},
    {"BiasZeroPoint", kUint8, [](Graph& g) { bias(g, 2).quantization.zero_points[0] = 1; }, kBad,
     "int32 zero point in [0, 0]"},
    {"ChannelCount", kInt8, [](Graph& g) { filter(g, 0).quantization = per_channel(7, 0.5f, 0); },
     kBad, "found 7 scales along dimension 0 of 8x3x3x3"},
    {"AxisRange", kInt8, [](Graph& g) { filter(g, 0).quantization.axis = 4; }, kBad,
     "along dimension 4"},
    {"AxisNegative", kInt8, [](Graph& g) { filter(g, 0).quantization.axis = -1; }, kBad,
     "along dimension -1"},
    {"WrongAxis", kInt8, [](Graph& g) { filter(g, 0).quantization = per_channel(3, 0.5f, 3); },
     kBad, "op 0 (CONV_2D): expected the filter's scales along dimension 0, found 3"},
    {"WrongDepthwiseAxis", kInt8,
     [](Graph& g) { filter(g, 1).quantization = per_channel(3, 0.5f, 1); }, kBad,
     "op 1 (DEPTHWISE_CONV_2D): expected the filter's scales along dimension 3, found 1"},
    {"ChannelsOnActivation", kInt8,
     [](Graph& g) { output(g, 4).quantization = per_channel(4, 1, 3); }, kNot, "on an activation"},
    {"ChannelsOnUint8", kUint8,
     [](Graph& g) { filter(g, 0).quantization = per_channel(8, 0.5f, 0); }, kNot,
     "on uint8 weights"},
    {"Int8FilterZeroPoint", kInt8, [](Graph& g) { filter(g, 0).quantization.zero_points[2] = 1; },
     kBad, "op 0 (CONV_2D): expected zero point 0 on an int8 filter, found 1"},
    {"ConcatParameters", kInt8, [](Graph& g) { output(g, 7).quantization = per_tensor(2, 0); },
     kBad, "op 7 (CONCATENATION): expected the input's scale"},
    {"Rescale", kUint8, [](Graph& g) { output(g, 4).quantization = per_tensor(1e-6f, 0); }, kNot,
     "op 4 (ADD): expected a ratio of input to output scale"},
    {"RescaleOfConvolution", kInt8,
     [](Graph& g) { output(g, 8).quantization = per_tensor(1e-10f, 0); }, kNot,
     "op 8 (CONV_2D): expected a ratio"},
};

class Validate : public ::testing::TestWithParam<Case> {};

TEST_P(Validate, Names) {
  Graph graph = small_deeplab(GetParam().type);
  ASSERT_TRUE(validate(graph).ok()) << validate(graph).message();
  GetParam().damage(graph);
  const Status status = validate(graph);
  EXPECT_EQ(status.code(), GetParam().code) << status.message();
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Each, Validate, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return each.param.name; });

Status status_of(GraphBuilder& b, TensorId out) { return validate(b.build({out})); }

TEST(ValidateOps, TooManyTapsForTheAccumulator) {
  for (const int32_t channels : {3640, 3641}) {
    GraphBuilder b;
    const auto x = b.input(kInt8, {1, 3, 3, channels}, per_tensor(1, 0));
    const auto f = b.constant(kInt8, {1, 3, 3, channels}, int8_t{1}, per_tensor(1, 0));
    const Status status = status_of(b, b.op(Conv2D{}, {x, f, kNoTensor}, kInt8, per_tensor(1, 0)));
    // 9 * 3641 taps of 2^16 are more than 2^31.
    EXPECT_EQ(status.ok(), channels == 3640) << status.message();
    EXPECT_THAT(status.message(),
                HasSubstr(channels == 3640 ? "" : "a sum over 32769 filter taps"));
  }
}

TEST(ValidateOps, FloatActivationsAndInt8Filters) {
  for (const bool each : {false, true}) {
    Graph graph = small_deeplab(kFloat);
    make_hybrid(graph, 0, each ? per_channel(8, 0.5f, 0) : per_tensor(0.5f, 0));
    make_hybrid(graph, 1, each ? per_channel(8, 0.5f, 3) : per_tensor(0.5f, 0));
    filter(graph, 0).quantization.scales.back() = 0;  // A converter's, of a channel of zeros.
    EXPECT_TRUE(validate(graph).ok()) << validate(graph).message();
  }
  // TensorFlow Lite's sum of them is an int32.
  for (const int32_t channels : {3640, 3641}) {
    GraphBuilder b;
    const auto x = b.input(kFloat, {1, 3, 3, channels});
    const auto f = b.constant(kInt8, {1, 3, 3, channels}, int8_t{1}, per_tensor(1, 0));
    const Status status = status_of(b, b.op(Conv2D{}, {x, f, kNoTensor}, kFloat));
    EXPECT_EQ(status.ok(), channels == 3640) << status.message();
  }
}

TEST(ValidateOps, FloatHasNoSuchLimit) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 3, 3, 5000});
  const auto f = b.constant(kFloat, {1, 3, 3, 5000}, 1.0f);
  EXPECT_TRUE(status_of(b, b.op(Conv2D{}, {x, f}, kFloat)).ok());
}

TEST(ValidateOps, Uint8ConcatenationMayRescale) {
  for (const DataType type : {kUint8, kInt8}) {
    GraphBuilder b;
    const auto x = b.input(type, {1, 2, 2, 2}, per_tensor(1, 0));
    const auto y = b.input(type, {1, 2, 2, 2}, per_tensor(2, 0));
    const Status status = status_of(b, b.op(Concatenation{3}, {x, y}, type, per_tensor(1, 0)));
    EXPECT_EQ(status.ok(), type == kUint8) << status.message();
  }
}

// A pass may turn uint8 into int8; the rules of the file's type still hold.
TEST(ValidateOps, ShiftedUint8KeepsItsRules) {
  Graph graph = small_deeplab(kUint8);
  for (Tensor& tensor : graph.tensors) {
    if (tensor.type != kUint8) continue;
    tensor.type = kInt8;
    tensor.quantization.zero_points[0] -= 128;
  }
  output(graph, 7).quantization.scales[0] *= 2;
  bias(graph, 8).quantization.scales[0] *= 2;
  EXPECT_TRUE(validate(graph).ok()) << validate(graph).message();
}

// What TensorFlow Lite does not look at: the stored numbers are what they are.
TEST(ValidateOps, ScalesThatNothingIsComputedFrom) {
  for (DataType type : {kInt8, kUint8}) {
    Graph graph = small_deeplab(type);
    output(graph, 5).quantization = per_tensor(2, 3);  // AVERAGE_POOL_2D
    output(graph, 9).quantization = per_tensor(3, 5);  // RESIZE_BILINEAR
    bias(graph, 0).quantization = per_tensor(100, 0);
    EXPECT_TRUE(validate(graph).ok()) << validate(graph).message();
  }
}

TEST(ValidateOps, ABiasOfTheSmallestInt32) {
  Graph graph = small_deeplab(kInt8);
  std::vector<std::byte> values(bias(graph, 2).data->size(), std::byte{0});
  for (size_t i = 3; i < values.size(); i += 4) values[i] = std::byte{0x80};
  bias(graph, 2).data = std::make_shared<const std::vector<std::byte>>(std::move(values));
  EXPECT_TRUE(validate(graph).ok()) << validate(graph).message();
}

TEST(ValidateOps, Softmax) {
  const auto status = [](DataType type, Quantization out, float beta, int32_t classes) {
    GraphBuilder b;
    const auto x = b.input(type, {1, 2, 2, classes}, per_tensor(0.1f, 3));
    return status_of(b, b.op(Softmax{beta}, {x}, type, std::move(out)));
  };
  EXPECT_TRUE(status(kUint8, per_tensor(1.0f / 256, 0), 1, 21).ok());
  EXPECT_TRUE(status(kInt8, per_tensor(1.0f / 256, -128), 1, 21).ok());
  EXPECT_THAT(status(kInt8, per_tensor(1.0f / 256, 0), 1, 21).message(),
              HasSubstr("op 0 (SOFTMAX): expected an output of scale 1/256 and zero point -128"));
  EXPECT_THAT(status(kUint8, per_tensor(1.0f / 255, 0), 1, 21).message(), HasSubstr("1/256"));
  EXPECT_THAT(status(kUint8, per_tensor(1.0f / 256, 0), 0, 21).message(), HasSubstr("beta"));
  EXPECT_THAT(status(kUint8, per_tensor(1.0f / 256, 0), kNan, 21).message(), HasSubstr("beta"));
  EXPECT_THAT(status(kUint8, per_tensor(1.0f / 256, 0), 1, 4097).message(), HasSubstr("4096"));
}

TEST(ValidateOps, QuantizeAndDequantize) {
  const auto status = [](Attributes a, DataType in, DataType out) {
    const auto quantization = [](DataType type) {
      return type == kFloat ? Quantization{} : per_tensor(0.5f, 1);
    };
    GraphBuilder b;
    const auto x = b.input(in, {1, 2, 2, 2}, quantization(in));
    return status_of(b, b.op(std::move(a), {x}, out, quantization(out)));
  };
  EXPECT_TRUE(status(Quantize{}, kFloat, kInt8).ok());
  EXPECT_TRUE(status(Quantize{}, kFloat, kUint8).ok());
  EXPECT_TRUE(status(Quantize{}, kUint8, kInt8).ok());
  EXPECT_TRUE(status(Quantize{}, kUint8, kUint8).ok());
  EXPECT_TRUE(status(Dequantize{}, kUint8, kFloat).ok());
  EXPECT_TRUE(status(Dequantize{}, kInt8, kFloat).ok());
  EXPECT_THAT(status(Quantize{}, kInt8, kFloat).message(), HasSubstr("op 0 (QUANTIZE)"));
  EXPECT_THAT(status(Dequantize{}, kFloat, kFloat).message(), HasSubstr("op 0 (DEQUANTIZE)"));
  EXPECT_THAT(status(Dequantize{}, kUint8, kInt8).message(), HasSubstr("op 0 (DEQUANTIZE)"));
}

TEST(ValidateOps, ConstantOperands) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 2, 2, 2});
  const auto c = b.constant(kFloat, {1, 2, 2, 2}, 1.0f);
  const auto sum = b.op(Add{}, {x, c}, kFloat);
  const auto joined = b.op(Concatenation{3}, {c, sum}, kFloat);
  EXPECT_TRUE(status_of(b, joined).ok());
  const auto bad = b.op(Add{}, {c, x}, kFloat);
  EXPECT_THAT(status_of(b, bad).message(), HasSubstr("op 2 (ADD): input 0 is a constant"));
}

TEST(ValidateOps, FiltersAreConstantsAndPicturesAreNot) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {2, 3, 3, 2});
  EXPECT_THAT(status_of(b, b.op(Conv2D{}, {x, x}, kFloat)).message(),
              HasSubstr("op 0 (CONV_2D): expected a constant filter"));
  GraphBuilder other;
  other.input(kFloat, {1});
  const auto d = other.constant(kFloat, {2, 3, 3, 2}, 1.0f);
  EXPECT_THAT(status_of(other, other.op(Conv2D{}, {d, d}, kFloat)).message(),
              HasSubstr("op 0 (CONV_2D): input 0 is a constant"));
  GraphBuilder bias;
  const auto y = bias.input(kFloat, {1, 3, 3, 2});
  const auto z = bias.input(kFloat, {2});
  const auto f = bias.constant(kFloat, {2, 3, 3, 2}, 1.0f);
  EXPECT_THAT(status_of(bias, bias.op(Conv2D{}, {y, f, z}, kFloat)).message(),
              HasSubstr("op 0 (CONV_2D): expected a constant bias"));
}

TEST(ValidateOps, UnusedTensorsMayBeAnything) {
  Graph graph = small_deeplab(kUint8);
  Tensor unused;
  unused.shape = {-5, 0};
  unused.quantization.scales = {kNan};
  graph.tensors.push_back(unused);
  EXPECT_TRUE(validate(graph).ok()) << validate(graph).message();
}

TEST(ValidateOps, AnInputMayBeAnOutput) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 2, 2, 2});
  EXPECT_TRUE(status_of(b, x).ok());
}

TEST(ValidateLimits, AreExact) {
  const Graph graph = small_deeplab(kUint8);
  Limits limits;
  limits.max_tensor_bytes = 65 * 65 * 8;  // the label map, in int64
  EXPECT_TRUE(validate(graph, limits).ok()) << validate(graph, limits).message();
  --limits.max_tensor_bytes;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);

  int64_t total = 65 * 65 * 3;
  for (const Op& op : graph.ops)
    total += static_cast<int64_t>(graph.tensor(op.output()).byte_size());
  limits = {};
  limits.max_total_bytes = total;
  EXPECT_TRUE(validate(graph, limits).ok());
  --limits.max_total_bytes;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);

  limits = {};
  limits.max_macs = macs(graph) + 17 * 17 * 4;  // and the pooling's additions
  EXPECT_TRUE(validate(graph, limits).ok());
  --limits.max_macs;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);
  EXPECT_EQ(check_work(graph, limits).code(), kMuch);

  limits = {};
  limits.max_ops = static_cast<int64_t>(graph.ops.size());
  EXPECT_TRUE(validate(graph, limits).ok());
  --limits.max_ops;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);

  // Each convolution has less than 64 channels: one panel, of its taps and 16.
  limits = {};
  limits.max_weights = 64 * ((3 * 3 * 3 + 16) + (3 * 3 + 16) + 3 * (8 + 16));
  EXPECT_TRUE(validate(graph, limits).ok()) << validate(graph, limits).message();
  --limits.max_weights;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);
}

TEST(ValidateLimits, InputsAreAtMostFourAnOp) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 1, 1, 1});
  const auto joined = b.op(Concatenation{3}, std::vector<TensorId>(12, x), kFloat);
  Graph graph = b.build({b.op(Relu{}, {joined}, kFloat)});
  Limits limits;
  limits.max_ops = 3;  // 13 inputs of 2 ops
  EXPECT_TRUE(validate(graph, limits).ok()) << validate(graph, limits).message();
  limits.max_ops = 2;
  EXPECT_EQ(validate(graph, limits).code(), kMuch);
}

TEST(ValidateLimits, SidesOfResizedPictures) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 1, 1, 1});
  EXPECT_TRUE(status_of(b, b.op(ResizeBilinear{1, 65536, true, false}, {x}, kFloat)).ok());
  Graph graph = b.build({x});
  const Op larger{ResizeNearestNeighbor{65537, 1, false, false}, {x}, {x}, 0};
  EXPECT_THAT(infer_shape(graph, larger).status().message(), HasSubstr("found 65537x1"));
}

// Work that does not show in any tensor's size: a large window over a large picture.
TEST(ValidateLimits, CountPoolingWindows) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 4096, 4096, 1});
  AveragePool2D pool;
  pool.filter_h = pool.filter_w = 4096;
  EXPECT_EQ(status_of(b, b.op(pool, {x}, kFloat)).code(), kMuch);
}

TEST(ValidateLimits, AveragedValuesFitTheAccumulator) {
  GraphBuilder b;
  const auto x = b.input(kUint8, {1, 4096, 4096, 1}, per_tensor(1, 0));
  const auto mean = b.op(Mean{{1, 2}, true}, {x}, kUint8, per_tensor(1, 0));
  EXPECT_THAT(status_of(b, mean).message(), HasSubstr("found 16777216"));
}

}  // namespace
}  // namespace deeplab::graph
