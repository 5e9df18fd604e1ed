// Every op of the list, read from a built file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tflite/model_builder.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::FileQuantization;
using ::deeplab::testing::ModelBuilder;
using ::deeplab::testing::small_int8_model;
using ::testing::ElementsAre;
using Type = schema::TensorType;
using Code = schema::BuiltinOperator;

const std::vector<int32_t> kPicture = {1, 4, 6, 2};

/// Reads a model and returns it; fails the test when it is refused.
ModelFile read(const std::vector<std::byte>& bytes) {
  auto file = read_model(bytes, "test.tflite");
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? std::move(*file) : ModelFile{};
}

template <typename Attribute>
Attribute only_op(const ModelFile& file) {
  if (file.graph.ops.size() != 1) return {};
  const auto* attribute = std::get_if<Attribute>(&file.graph.ops[0].attributes);
  EXPECT_NE(attribute, nullptr);
  return attribute == nullptr ? Attribute{} : *attribute;
}

/// The attributes of one float op {x, operands...} -> shape.
template <typename Attribute, typename... Options>
Attribute read_one(Code code, const std::vector<int32_t>& shape,
                   const std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>>& lists,
                   Options... options) {
  ModelBuilder b;
  std::vector<int32_t> inputs = {b.input(Type::FLOAT32, kPicture)};
  for (const auto& [values, dims] : lists) inputs.push_back(b.numbers(values, dims));
  const int32_t out = b.activation(Type::FLOAT32, shape);
  b.add(code, inputs, out, options...);
  const ModelFile file = read(b.build({out}));
  if (!file.graph.ops.empty()) {
    EXPECT_THAT(file.graph.ops[0].inputs, ElementsAre(0)) << "only data stays an input";
  }
  return only_op<Attribute>(file);
}

TEST(ReadOps, Conv2D) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 9, 9, 2});
  const int32_t filter = b.constant(Type::FLOAT32, {5, 3, 2, 2}, std::vector<float>(60, 1.5f));
  schema::Conv2DOptionsT options;
  options.padding = schema::Padding::VALID;
  options.stride_h = 1;
  options.stride_w = 2;
  options.dilation_h_factor = 3;
  options.dilation_w_factor = 4;
  options.fused_activation_function = schema::ActivationFunctionType::RELU_N1_TO_1;
  const int32_t out = b.activation(Type::FLOAT32, {1, 3, 3, 5});
  b.add(Code::CONV_2D, {x, filter, -1}, out, options);
  const ModelFile file = read(b.build({out}));
  const auto a = only_op<graph::Conv2D>(file);
  EXPECT_EQ(a.window, (graph::Window{graph::Padding::kValid, 1, 2, 3, 4}));
  EXPECT_EQ(a.activation, graph::Activation::kReluN1To1);
  EXPECT_THAT(file.graph.ops[0].inputs, ElementsAre(x, filter, graph::kNoTensor));
  EXPECT_EQ(file.graph.tensor(filter).values<float>()[59], 1.5f);
  EXPECT_EQ(file.graph.tensor(filter).name, "t1");
  EXPECT_EQ(file.description, "built by a test");
}

TEST(ReadOps, DepthwiseConv2D) {
  // Newer writers leave the multiplier 0: the filter says it.
  for (const int32_t stated : {0, 3}) {
    ModelBuilder b;
    const int32_t x = b.input(Type::FLOAT32, {1, 9, 9, 2});
    const int32_t filter = b.constant(Type::FLOAT32, {1, 3, 3, 6}, std::vector<float>(54));
    const int32_t bias = b.constant(Type::FLOAT32, {6}, std::vector<float>(6));
    schema::DepthwiseConv2DOptionsT options;
    options.stride_h = options.stride_w = 1;
    options.dilation_h_factor = options.dilation_w_factor = 2;
    options.depth_multiplier = stated;
    options.fused_activation_function = schema::ActivationFunctionType::RELU;
    const int32_t out = b.activation(Type::FLOAT32, {1, 9, 9, 6});
    b.add(Code::DEPTHWISE_CONV_2D, {x, filter, bias}, out, options);
    const auto a = only_op<graph::DepthwiseConv2D>(read(b.build({out})));
    EXPECT_EQ(a.depth_multiplier, 3);
    EXPECT_EQ(a.window, (graph::Window{graph::Padding::kSame, 1, 1, 2, 2}));
    EXPECT_EQ(a.activation, graph::Activation::kRelu);
  }
}

/// A float convolution of either kind with an 8-bit filter, as TensorFlow Lite's dynamic range
/// quantization leaves it.
std::vector<std::byte> hybrid_model(Code code, Type filter_type, FileQuantization q) {
  const bool dense = code == Code::CONV_2D;
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 9, 9, 2});
  const int32_t filter =
      b.constant(filter_type, dense ? std::vector<int32_t>{2, 3, 3, 2} : std::vector{1, 3, 3, 2},
                 std::vector<int8_t>(dense ? 36 : 18, -2), std::move(q));
  const int32_t bias = b.constant(Type::FLOAT32, {2}, std::vector<float>{0.5f, -1});
  const int32_t out = b.activation(Type::FLOAT32, {1, 9, 9, 2});
  if (dense) {
    schema::Conv2DOptionsT options;
    options.stride_h = options.stride_w = 1;
    b.add(code, {x, filter, bias}, out, options);
  } else {
    schema::DepthwiseConv2DOptionsT options;
    options.stride_h = options.stride_w = 1;
    b.add(code, {x, filter, bias}, out, options);
  }
  return b.build({out});
}

TEST(ReadOps, ConvolutionsOfFloatWithInt8Filters) {
  for (const Code code : {Code::CONV_2D, Code::DEPTHWISE_CONV_2D}) {
    const int32_t axis = code == Code::CONV_2D ? 0 : 3;
    for (const FileQuantization& q :
         {FileQuantization{{0.5f}, {0}, 0}, {{0.5f, 0.25f}, {0, 0}, axis}}) {
      const ModelFile file = read(hybrid_model(code, Type::INT8, q));
      ASSERT_EQ(file.graph.ops.size(), 1u);
      const graph::Tensor& filter = file.graph.tensor(file.graph.ops[0].inputs[1]);
      EXPECT_EQ(filter.type, graph::DataType::kInt8);
      EXPECT_EQ(filter.quantization.scales, q.scales);
      EXPECT_EQ(filter.values<int8_t>()[17], -2);
      EXPECT_EQ(file.graph.tensor(file.graph.ops[0].output()).type, graph::DataType::kFloat32);
    }
  }
}

TEST(ReadOps, Uint8FiltersOfFloatConvolutionsHoldInt8) {
  const ModelFile file = read(hybrid_model(Code::CONV_2D, Type::UINT8, {{0.5f}, {7}, 0}));
  ASSERT_EQ(file.graph.ops.size(), 1u);
  const graph::Tensor& filter = file.graph.tensor(file.graph.ops[0].inputs[1]);
  EXPECT_EQ(filter.type, graph::DataType::kInt8);
  EXPECT_EQ(filter.file_type, graph::DataType::kInt8);
  EXPECT_THAT(filter.quantization.zero_points, ElementsAre(0));
  EXPECT_EQ(filter.values<int8_t>()[0], -2);
  // TensorFlow Lite's depthwise kernel refuses them.
  const auto refused =
      read_model(hybrid_model(Code::DEPTHWISE_CONV_2D, Type::UINT8, {{0.5f}, {7}, 0}), "test");
  EXPECT_THAT(refused.status().message(),
              ::testing::HasSubstr("op 0 (DEPTHWISE_CONV_2D): expected a filter of float32, "
                                   "found uint8"));
}

TEST(ReadOps, SmallInt8Model) {
  const ModelFile file = read(small_int8_model().build());
  ASSERT_EQ(file.graph.ops.size(), 6u);
  const graph::Op& conv = file.graph.ops[0];
  const graph::Tensor& filter = file.graph.tensor(conv.inputs[1]);
  EXPECT_THAT(filter.quantization.scales, ElementsAre(0.5f, 0.25f, 0.5f, 0.5f));
  EXPECT_EQ(filter.quantization.axis, 0);
  EXPECT_THAT(file.graph.tensor(conv.inputs[2]).values<int32_t>(), ElementsAre(1, -2, 3, 4));
  const graph::Op& add = file.graph.ops[1];
  EXPECT_EQ(add.inputs[0], conv.output()) << "the constant is the second operand";
  EXPECT_TRUE(file.graph.tensor(add.inputs[1]).is_constant());
  EXPECT_EQ(std::get<graph::Concatenation>(file.graph.ops[4].attributes).axis, 3);
  EXPECT_EQ(file.graph.tensor(file.graph.outputs[0]).type, graph::DataType::kInt32);
}

TEST(ReadOps, AddOfABroadcastActivation) {
  ModelBuilder b;
  const int32_t small = b.input(Type::FLOAT32, {1, 1, 1, 2});
  const int32_t large = b.input(Type::FLOAT32, kPicture);
  schema::AddOptionsT options;
  options.fused_activation_function = schema::ActivationFunctionType::RELU6;
  const int32_t out = b.activation(Type::FLOAT32, kPicture);
  b.add(Code::ADD, {small, large}, out, options);
  const ModelFile file = read(b.build({out}));
  EXPECT_EQ(only_op<graph::Add>(file).activation, graph::Activation::kRelu6);
  EXPECT_THAT(file.graph.ops[0].inputs, ElementsAre(large, small));
}

// TensorFlow Lite computes every shape again when it loads a file, and so do we.
TEST(ReadOps, ShapesThatTheFileDeclaresWrongly) {
  ModelBuilder b = small_int8_model();
  const ModelFile good = read(b.build());
  for (size_t i = 0; i < good.graph.ops.size(); ++i) {
    b.tensor(b.op(i).outputs[0]).shape = {7, -1, 0, 3};  // A rank is believed: axes count from it.
  }
  const ModelFile file = read(b.build());
  ASSERT_EQ(file.graph.ops.size(), good.graph.ops.size());
  for (size_t i = 0; i < good.graph.ops.size(); ++i) {
    const graph::TensorId id = good.graph.ops[i].output();
    EXPECT_EQ(file.graph.tensor(id).shape, good.graph.tensor(id).shape) << i;
  }
}

TEST(ReadOps, AveragePool2D) {
  schema::Pool2DOptionsT options;
  options.stride_h = 2;
  options.stride_w = 3;
  options.filter_height = 3;
  options.filter_width = 2;
  const auto a = read_one<graph::AveragePool2D>(Code::AVERAGE_POOL_2D, {1, 2, 2, 2}, {}, options);
  EXPECT_EQ(a.window, (graph::Window{graph::Padding::kSame, 2, 3}));
  EXPECT_EQ(a.filter_h, 3);
  EXPECT_EQ(a.filter_w, 2);
}

TEST(ReadOps, Mean) {
  schema::ReducerOptionsT keep;
  keep.keep_dims = true;
  auto a = read_one<graph::Mean>(Code::MEAN, {1, 1, 1, 2}, {{{-2, 1, 2}, {3}}}, keep);
  EXPECT_THAT(a.axes, ElementsAre(1, 2)) << "sorted, from the front, without repetition";
  EXPECT_TRUE(a.keep_dims);
  a = read_one<graph::Mean>(Code::MEAN, {1, 6, 2}, {{{1}, {1}}});
  EXPECT_THAT(a.axes, ElementsAre(1));
  EXPECT_FALSE(a.keep_dims);
}

TEST(ReadOps, Resize) {
  for (const bool align : {false, true}) {
    for (const bool half : {false, true}) {
      if (align && half) continue;  // TensorFlow Lite refuses it, and so does validate()
      schema::ResizeBilinearOptionsT bilinear;
      bilinear.align_corners = align;
      bilinear.half_pixel_centers = half;
      const auto a = read_one<graph::ResizeBilinear>(Code::RESIZE_BILINEAR, {1, 7, 5, 2},
                                                     {{{7, 5}, {2}}}, bilinear);
      EXPECT_EQ(a.height, 7);
      EXPECT_EQ(a.width, 5);
      EXPECT_EQ(a.align_corners, align);
      EXPECT_EQ(a.half_pixel_centers, half);
      schema::ResizeNearestNeighborOptionsT nearest;
      nearest.align_corners = align;
      nearest.half_pixel_centers = half;
      const auto n = read_one<graph::ResizeNearestNeighbor>(Code::RESIZE_NEAREST_NEIGHBOR,
                                                            {1, 7, 5, 2}, {{{7, 5}, {2}}}, nearest);
      EXPECT_EQ(n.height, 7);
      EXPECT_EQ(n.width, 5);
      EXPECT_EQ(n.align_corners, align);
      EXPECT_EQ(n.half_pixel_centers, half);
    }
  }
}

TEST(ReadOps, TileAndPad) {
  const auto tile = read_one<graph::Tile>(Code::TILE, {1, 12, 12, 2}, {{{1, 3, 2, 1}, {4}}},
                                          schema::TileOptionsT{});
  EXPECT_THAT(tile.multiples, ElementsAre(1, 3, 2, 1));
  const auto pad = read_one<graph::Pad>(
      Code::PAD, {1, 7, 13, 2}, {{{0, 0, 1, 2, 3, 4, 0, 0}, {4, 2}}}, schema::PadOptionsT{});
  EXPECT_THAT(pad.amounts, ElementsAre(ElementsAre(0, 0), ElementsAre(1, 2), ElementsAre(3, 4),
                                       ElementsAre(0, 0)));
}

TEST(ReadOps, PadWithInt64Amounts) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t amounts =
      b.constant(Type::INT64, {4, 2}, std::vector<int64_t>{0, 0, 1, 2, 3, 4, 0, 0});
  const int32_t out = b.activation(Type::FLOAT32, {1, 7, 13, 2});
  b.add(Code::PAD, {x, amounts}, out);
  EXPECT_THAT(only_op<graph::Pad>(read(b.build({out}))).amounts[2], ElementsAre(3, 4));
}

TEST(ReadOps, QuantizeAndDequantize) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t y = b.add(Code::QUANTIZE, {x}, b.activation(Type::UINT8, kPicture, {{0.5f}, {128}}),
                          schema::QuantizeOptionsT{});
  const int32_t z = b.add(Code::QUANTIZE, {y}, b.activation(Type::INT8, kPicture, {{0.25f}, {-3}}),
                          schema::QuantizeOptionsT{});
  const int32_t out = b.add(Code::DEQUANTIZE, {z}, b.activation(Type::FLOAT32, kPicture),
                            schema::DequantizeOptionsT{});
  const ModelFile file = read(b.build({out}));
  ASSERT_EQ(file.graph.ops.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<graph::Quantize>(file.graph.ops[1].attributes));
  EXPECT_TRUE(std::holds_alternative<graph::Dequantize>(file.graph.ops[2].attributes));
  EXPECT_EQ(file.graph.tensor(y).quantization.zero_point(), 128);
  EXPECT_EQ(file.graph.tensor(z).quantization.scale(), 0.25f);
}

TEST(ReadOps, ArgMax) {
  for (const Type type : {Type::INT32, Type::INT64}) {
    ModelBuilder b;
    const int32_t x = b.input(Type::FLOAT32, kPicture);
    const int32_t axis = type == Type::INT32 ? b.numbers({-1}, {1})
                                             : b.constant(Type::INT64, {}, std::vector<int64_t>{3});
    const int32_t out = b.activation(type, {1, 4, 6});
    b.add(Code::ARG_MAX, {x, axis}, out, schema::ArgMaxOptionsT{});
    EXPECT_EQ(only_op<graph::ArgMax>(read(b.build({out}))).axis, 3);
  }
}

TEST(ReadOps, Activations) {
  schema::SoftmaxOptionsT softmax;
  softmax.beta = 0.5f;
  EXPECT_EQ(read_one<graph::Softmax>(Code::SOFTMAX, kPicture, {}, softmax).beta, 0.5f);
  read_one<graph::Relu>(Code::RELU, kPicture, {});
  read_one<graph::Relu6>(Code::RELU6, kPicture, {});
}

TEST(ReadOps, Reshape) {
  schema::ReshapeOptionsT options;
  options.new_shape = {4, 12};
  EXPECT_THAT(read_one<graph::Reshape>(Code::RESHAPE, {4, 12}, {}, options).shape,
              ElementsAre(4, 12));
  // The operand counts if there are both, as in TensorFlow Lite.
  EXPECT_THAT(read_one<graph::Reshape>(Code::RESHAPE, {48}, {{{-1}, {1}}}, options).shape,
              ElementsAre(-1));
}

TEST(ReadOps, ReshapeOfLabels) {
  testing::ModelBuilder b = testing::small_int8_model();
  const int32_t labels = b.graph().outputs[0];
  const int32_t flat = b.activation(Type::INT32, {1, 25});
  b.add(Code::RESHAPE, {labels, b.numbers({1, -1})}, flat);
  const auto file = read_model(b.build({flat}), "file");
  ASSERT_TRUE(file.ok()) << file.status().message();
  b.tensor(flat).type = Type::INT64;
  const auto converted = read_model(b.build(), "file");
  ASSERT_FALSE(converted.ok());
  EXPECT_THAT(converted.status().message(),
              ::testing::HasSubstr("expected output of int32, found int64"));
}

TEST(ReadOps, SpaceToBatchAndBack) {
  const auto there = read_one<graph::SpaceToBatchNd>(Code::SPACE_TO_BATCH_ND, {4, 4, 4, 2},
                                                     {{{2, 2}, {2}}, {{2, 2, 1, 1}, {2, 2}}},
                                                     schema::SpaceToBatchNDOptionsT{});
  EXPECT_EQ(there.block_h, 2);
  EXPECT_THAT(there.pad_h, ElementsAre(2, 2));
  EXPECT_THAT(there.pad_w, ElementsAre(1, 1));
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {6, 4, 4, 2});
  const int32_t out = b.activation(Type::FLOAT32, {1, 5, 11, 2});
  b.add(Code::BATCH_TO_SPACE_ND, {x, b.numbers({2, 3}), b.numbers({1, 2, 0, 1}, {2, 2})}, out,
        schema::BatchToSpaceNDOptionsT{});
  const auto back = only_op<graph::BatchToSpaceNd>(read(b.build({out})));
  EXPECT_EQ(back.block_h, 2);
  EXPECT_EQ(back.block_w, 3);
  EXPECT_THAT(back.crop_h, ElementsAre(1, 2));
  EXPECT_THAT(back.crop_w, ElementsAre(0, 1));
}

// The op's code stands in the old byte field, in the new one, or (from 127 on) in both.
TEST(ReadOps, OldAndNewOperatorCodes) {
  for (const bool old : {true, false}) {
    ModelBuilder b = small_int8_model();
    for (auto& code : b.model.operator_codes) {
      if (old) {
        code->builtin_code = Code::ADD;
      } else {
        code->deprecated_builtin_code = 0;
      }
    }
    EXPECT_EQ(read(b.build()).graph.ops.size(), 6u);
  }
}

TEST(ReadOps, ToleratesWhatIsNotUsed) {
  ModelBuilder b = small_int8_model();
  b.activation(Type::STRING, {-7});
  b.tensor(b.constant(Type::FLOAT16, {3}, std::vector<int16_t>{1})).shape = {1 << 30, 1 << 30};
  const int32_t dead = b.activation(Type::INT8, {1, 5, 5, 4}, {{1.0f}, {0}});
  b.add(Code::RELU, {b.graph().operators[0]->outputs[0]}, dead);
  EXPECT_EQ(read(b.build()).graph.ops.size(), 7u);
}

TEST(ReadOps, FloatTensorsLoseTheirTrainingRanges) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture, {{0.5f}, {3}});
  b.tensor(x).quantization->min = {-1};
  const int32_t out = b.activation(Type::FLOAT32, kPicture);
  b.add(Code::RELU, {x}, out);
  EXPECT_FALSE(read(b.build({out})).graph.tensor(x).quantization.present());
}

TEST(ReadOps, BuffersAreShared) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t c = b.constant(Type::FLOAT32, {2}, std::vector<float>{1, 2});
  const int32_t d = b.activation(Type::FLOAT32, {1, 2});
  b.tensor(d).buffer = b.tensor(c).buffer;
  const int32_t y = b.add(Code::ADD, {x, c}, b.activation(Type::FLOAT32, kPicture));
  const int32_t z = b.add(Code::ADD, {y, d}, b.activation(Type::FLOAT32, kPicture));
  const ModelFile file = read(b.build({z}));
  EXPECT_EQ(file.graph.tensor(c).data->data(), file.graph.tensor(d).data->data());
}

// A caller's bytes may start anywhere.
TEST(ReadOps, UnalignedBytes) {
  const std::vector<std::byte> bytes = small_int8_model().build();
  for (size_t offset = 0; offset < 8; ++offset) {
    std::vector<std::byte> shifted(offset);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    EXPECT_TRUE(read_model(std::span(shifted).subspan(offset), "test.tflite").ok());
  }
}

TEST(ReadOps, SlicesByNumpysRules) {
  schema::StridedSliceOptionsT options;
  options.begin_mask = 1;
  options.end_mask = 1 << 2;
  options.shrink_axis_mask = 1 << 3;
  const auto a = read_one<graph::Slice>(
      Code::STRIDED_SLICE, {1, 2, 3},
      {{{7, -3, 4, -1}, {}}, {{1, 100, 0, 0}, {}}, {{1, 2, -2, 1}, {}}}, options);
  EXPECT_THAT(a.begin, ElementsAre(0, 1, 4, 1));
  EXPECT_THAT(a.size, ElementsAre(1, 2, 3, 1));
  EXPECT_THAT(a.step, ElementsAre(1, 2, -2, 1));
  EXPECT_THAT(a.dropped, ElementsAre(3));

  const auto b =
      read_one<graph::Slice>(Code::SLICE, {1, 2, 6, 1}, {{{0, 1, 0, 1}, {}}, {{1, 2, -1, 1}, {}}});
  EXPECT_THAT(b.begin, ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(b.size, ElementsAre(1, 2, 6, 1));
}

TEST(ReadOps, SplitAndUnpackAreSlices) {
  ModelBuilder b;
  const int32_t axis = b.numbers({-1});
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t first = b.activation(Type::FLOAT32, {1, 4, 6, 1});
  const int32_t second = b.activation(Type::FLOAT32, {1, 4, 6, 1});
  b.add(Code::SPLIT, {axis, x}, first);
  b.op(0).outputs = {first, second};
  const int32_t sizes = b.numbers({1, -1});
  const int32_t rows = b.numbers({1});
  const int32_t top = b.activation(Type::FLOAT32, {1, 1, 6, 2});
  const int32_t rest = b.activation(Type::FLOAT32, {1, 3, 6, 2});
  b.add(Code::SPLIT_V, {x, sizes, rows}, top);
  b.op(1).outputs = {top, rest};
  schema::UnpackOptionsT unpack;
  unpack.num = 2;
  unpack.axis = 3;
  const int32_t left = b.activation(Type::FLOAT32, {1, 4, 6});
  const int32_t right = b.activation(Type::FLOAT32, {1, 4, 6});
  b.add(Code::UNPACK, {x}, left, unpack);
  b.op(2).outputs = {left, right};
  const ModelFile file = read(b.build({first, second, top, rest, left, right}));
  ASSERT_EQ(file.graph.ops.size(), 6u);
  const auto slice = [&](size_t i) { return std::get<graph::Slice>(file.graph.ops[i].attributes); };
  EXPECT_THAT(slice(1).begin, ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(slice(1).size, ElementsAre(1, 4, 6, 1));
  EXPECT_THAT(slice(3).begin, ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(slice(3).size, ElementsAre(1, 3, 6, 2));
  EXPECT_THAT(slice(5).dropped, ElementsAre(3));
  EXPECT_THAT(file.graph.tensor(right).shape, ElementsAre(1, 4, 6));
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(file.graph.ops[i].index, static_cast<int32_t>(i / 2));
}

TEST(ReadOps, PackJoinsAlongANewDimension) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 4, 6});
  const int32_t y = b.input(Type::FLOAT32, {1, 4, 6});
  schema::PackOptionsT options;
  options.values_count = 2;
  options.axis = -1;
  const int32_t out = b.add(Code::PACK, {x, y}, b.activation(Type::FLOAT32, {1, 4, 6, 2}), options);
  const ModelFile file = read(b.build({out}));
  ASSERT_EQ(file.graph.ops.size(), 3u);
  EXPECT_EQ(std::get<graph::Concatenation>(file.graph.ops[2].attributes).axis, 3);
  EXPECT_THAT(file.graph.tensor(file.graph.ops[0].output()).shape, ElementsAre(1, 4, 6, 1));
}

TEST(ReadOps, NewAndDroppedDimensionsAreReshapes) {
  EXPECT_THAT(read_one<graph::Reshape>(Code::EXPAND_DIMS, {1, 4, 6, 2, 1}, {{{-1}, {}}}).shape,
              ElementsAre(1, 4, 6, 2, 1));
  schema::SqueezeOptionsT squeeze;
  squeeze.squeeze_dims = {0};
  EXPECT_THAT(read_one<graph::Reshape>(Code::SQUEEZE, {4, 6, 2}, {}, squeeze).shape,
              ElementsAre(4, 6, 2));
}

TEST(ReadOps, TransposeConvOfBothKinds) {
  ModelBuilder b;
  const int32_t shape = b.numbers({1, 8, 12, 5});
  const int32_t filter = b.constant(Type::FLOAT32, {5, 4, 4, 2}, std::vector<float>(160, 1));
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t bias = b.constant(Type::FLOAT32, {5}, std::vector<float>(5, 1));
  schema::TransposeConvOptionsT options;
  options.padding = schema::Padding::SAME;
  options.stride_h = options.stride_w = 2;
  const int32_t y = b.add(Code::TRANSPOSE_CONV, {shape, filter, x, bias},
                          b.activation(Type::FLOAT32, {1, 8, 12, 5}), options);
  const int32_t z =
      b.add(Code::CUSTOM, {x, filter, bias}, b.activation(Type::FLOAT32, {1, 10, 14, 5}));
  b.model.operator_codes[1]->custom_code = "Convolution2DTransposeBias";
  const int32_t numbers[] = {2, 2, 2};  // VALID, strides
  b.op(1).custom_options.resize(sizeof numbers);
  std::memcpy(b.op(1).custom_options.data(), numbers, sizeof numbers);
  const ModelFile file = read(b.build({y, z}));
  ASSERT_EQ(file.graph.ops.size(), 2u);
  EXPECT_THAT(file.graph.ops[0].inputs, ElementsAre(x, filter, bias));
  const auto same = std::get<graph::TransposeConv>(file.graph.ops[0].attributes);
  EXPECT_EQ(same.height, 8);
  EXPECT_EQ(same.width, 12);
  EXPECT_EQ(same.pad_top, 1);
  EXPECT_EQ(same.pad_left, 1);
  const auto valid = std::get<graph::TransposeConv>(file.graph.ops[1].attributes);
  EXPECT_EQ(valid.height, 10);
  EXPECT_EQ(valid.width, 14);
  EXPECT_EQ(valid.pad_top, 0);
}

TEST(ReadOps, SizesComputedFromShapes) {
  const ModelFile file = read(::deeplab::testing::computed_shapes_model().build());
  ASSERT_EQ(file.graph.ops.size(), 3u);
  const auto shape_of = [&](size_t op) {
    return file.graph.tensor(file.graph.ops[op].output()).shape;
  };
  EXPECT_THAT(shape_of(0), ElementsAre(1, 8, 12, 5));
  const auto resize = std::get<graph::ResizeBilinear>(file.graph.ops[1].attributes);
  EXPECT_EQ(resize.height, 2);
  EXPECT_EQ(resize.width, 3);
  EXPECT_THAT(shape_of(2), ElementsAre(1, 6, 5));
}

// What would need numbers that are not known is refused by the name of the op.
TEST(ReadOps, SizesThatNobodyKnows) {
  for (const int32_t index : {1, 9}) {
    ModelBuilder b;
    const int32_t x = b.input(Type::FLOAT32, {1, -1, 6, 2});
    const int32_t y = b.input(Type::FLOAT32, {1, 4});
    const int32_t shape =
        b.add(Code::SHAPE, {index == 1 ? x : y}, b.activation(Type::INT32, {index == 1 ? 4 : 2}));
    const int32_t size =
        b.add(Code::GATHER, {shape, b.numbers({index, index})}, b.activation(Type::INT32, {2}));
    const int32_t z = b.add(Code::RESIZE_BILINEAR, {x, size}, b.activation(Type::FLOAT32, kPicture),
                            schema::ResizeBilinearOptionsT{});
    const auto file = read_model(b.build({z}), "m.tflite");
    EXPECT_FALSE(file.ok());
    EXPECT_THAT(file.status().message(), ::testing::HasSubstr("GATHER"));
  }
}

TEST(ReadOps, BroadcastToIsATile) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 1, 1, 4});
  const int32_t y = b.add(Code::BROADCAST_TO, {x, b.numbers({1, 3, 5, 4})},
                          b.activation(Type::FLOAT32, {1, 3, 5, 4}));
  EXPECT_THAT(only_op<graph::Tile>(read(b.build({y}))).multiples, ElementsAre(1, 3, 5, 1));
}

TEST(ReadOps, AQuotientByAConstantFirst) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  const int32_t one = b.constant(Type::FLOAT32, {}, std::vector<float>{1});
  const int32_t y =
      b.add(Code::DIV, {one, x}, b.activation(Type::FLOAT32, kPicture), schema::DivOptionsT{});
  const ModelFile file = read(b.build({y}));
  EXPECT_TRUE(only_op<graph::Binary>(file).reversed);
  EXPECT_THAT(file.graph.ops[0].inputs, ElementsAre(x, one));
}

// Their int8 weights become float32 constants.
TEST(ReadOps, DynamicRangeWithoutAHybridKernel) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 1, 1, 2});
  const int32_t weights =
      b.constant(Type::INT8, {3, 2}, std::vector<int8_t>{1, -2, 3, 4, -128, 127}, {{0.5f}, {0}});
  const int32_t y = b.add(Code::FULLY_CONNECTED, {x, weights, -1},
                          b.activation(Type::FLOAT32, {1, 3}), schema::FullyConnectedOptionsT{});
  const ModelFile file = read(b.build({y}));
  const graph::Tensor& filter = file.graph.tensor(weights);
  EXPECT_EQ(filter.type, graph::DataType::kFloat32);
  std::vector<float> values(6);
  ASSERT_EQ(filter.data->size(), 24u);
  std::memcpy(values.data(), filter.data->data(), 24);
  EXPECT_THAT(values, ElementsAre(0.5f, -1, 1.5f, 2, -64, 63.5f));
}

TEST(ReadOps, PadWithAValue) {
  ModelBuilder b;
  const FileQuantization q{{0.5f}, {3}};
  const int32_t x = b.input(Type::INT8, kPicture, q);
  const int32_t amounts = b.numbers({0, 0, 1, 1, 0, 0, 0, 0}, {4, 2});
  const int32_t value = b.constant(Type::INT8, {}, std::vector<int8_t>{13}, q);
  const int32_t y =
      b.add(Code::PADV2, {x, amounts, value}, b.activation(Type::INT8, {1, 6, 6, 2}, q));
  EXPECT_EQ(only_op<graph::Pad>(read(b.build({y}))).value, 5.0f);
}

TEST(ReadOps, PixelsWithoutAScaleAreCast) {
  ModelBuilder b;
  const int32_t x = b.input(Type::UINT8, {-1, 4, 6, 2});
  const int32_t y = b.add(Code::CAST, {x}, b.activation(Type::FLOAT32, {1, 4, 6, 2}));
  const ModelFile file = read(b.build({y}));
  EXPECT_THAT(file.graph.tensor(x).shape, ElementsAre(1, 4, 6, 2));
  EXPECT_EQ(file.graph.tensor(x).quantization.zero_point(), 128);
}

TEST(ReadOps, EveryMissingOpIsNamed) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, kPicture);
  int32_t t = x;
  for (Code code : {Code::SIN, Code::RELU, Code::CUMSUM, Code::SIN}) {
    t = b.add(code, {t}, b.activation(Type::FLOAT32, kPicture));
  }
  const auto file = read_model(b.build({t}), "m.tflite");
  EXPECT_EQ(
      file.status().message(),
      "m.tflite: these ops are not supported: CUMSUM (1 time), SIN (2 times); the first is op 0");

  ModelBuilder compiled;
  const int32_t in = compiled.input(Type::UINT8, kPicture, {{1.0f}, {0}});
  const int32_t out = compiled.add(Code::CUSTOM, {in}, compiled.activation(Type::UINT8, kPicture));
  for (const auto& [name, device] :
       {std::pair{"edgetpu-custom-op", "Edge TPU"}, {"ethos-u", "Vela"}}) {
    compiled.model.operator_codes[0]->custom_code = name;
    const auto refused = read_model(compiled.build({out}), "m.tflite");
    EXPECT_NE(refused.status().message().find(device), std::string::npos);
    EXPECT_NE(refused.status().message().find("was compiled from"), std::string::npos)
        << refused.status().message();
  }
}

}  // namespace
}  // namespace deeplab::tflite
