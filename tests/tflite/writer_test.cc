// What is written is read back as it was; every refusal once.
#include "tflite/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "base/file.h"
#include "exec/naive_executor.h"
#include "passes/explicit_padding.h"
#include "passes/shift_uint8.h"
#include "tests/graph/graph_builder.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"
#include "tests/tflite/op_graphs.h"
#include "tests/tflite/same_graph.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::expect_same_graph;
using ::deeplab::testing::GraphBuilder;
using ::deeplab::testing::OpGraph;
using ::deeplab::testing::OpGraphs;
using ::deeplab::testing::per_tensor;
using ::deeplab::testing::small_deeplab;
using graph::DataType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::byte> write(const ModelFile& file) {
  auto bytes = write_model(file);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? std::move(*bytes) : std::vector<std::byte>();
}
std::vector<std::byte> write(const graph::Graph& graph) { return write(ModelFile{graph, {}, ""}); }

ModelFile read(const std::vector<std::byte>& bytes) {
  auto file = read_model(bytes, "written.tflite");
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? std::move(*file) : ModelFile{};
}

ModelFile read_path(const std::string& path) {
  const auto bytes = read_file(path, 1 << 28);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? read(*bytes) : ModelFile{};
}

std::string refusal(const graph::Graph& graph) {
  const auto bytes = write_model({graph, {}, ""});
  EXPECT_FALSE(bytes.ok());
  return bytes.status().message();
}

std::string refusal(const Metadata& metadata) {
  const auto bytes = write_model({small_deeplab(DataType::kFloat32), metadata, ""});
  EXPECT_FALSE(bytes.ok());
  return bytes.status().message();
}

class WriteOp : public ::testing::TestWithParam<OpGraph> {};

TEST_P(WriteOp, IsReadBack) {
  const auto bytes = write(GetParam().graph);
  const ModelFile file = read(bytes);
  expect_same_graph(GetParam().graph, file.graph);
  EXPECT_EQ(write(file), bytes) << "written again it is the same file";
}

INSTANTIATE_TEST_SUITE_P(Each, WriteOp, ::testing::ValuesIn(OpGraphs::make()),
                         [](const auto& each) { return each.param.name; });

/// So that a new op has a graph in op_graphs.h.
TEST(WriteOps, AreAllOfTheList) {
  std::set<size_t> written;
  std::set<std::string_view> names;
  for (const OpGraph& each : OpGraphs::make()) {
    for (const graph::Op& op : each.graph.ops) {
      written.insert(op.attributes.index());
      names.insert(graph::op_name(op.attributes));
    }
  }
  for (const graph::Attributes& op : graph::all_ops()) {
    EXPECT_TRUE(written.contains(op.index())) << graph::op_name(op);
  }
  for (std::string_view name : kUnaryNames) EXPECT_TRUE(names.contains(name)) << name;
  for (std::string_view name : kBinaryNames) EXPECT_TRUE(names.contains(name)) << name;
  for (std::string_view name : kReduceNames) EXPECT_TRUE(names.contains(name)) << name;
}

class WriteModel : public ::testing::TestWithParam<DataType> {};

TEST_P(WriteModel, IsReadBack) {
  const graph::Graph graph = small_deeplab(GetParam());
  const ModelFile file = read(write(ModelFile{graph, {}, "in one line"}));
  expect_same_graph(graph, file.graph);
  EXPECT_EQ(file.description, "in one line");
}

// Without the passes that take ops away, all that has changed can be said in a file.
TEST_P(WriteModel, IsReadBackAfterPasses) {
  graph::Graph graph = small_deeplab(GetParam());
  const graph::Graph original = graph;
  ASSERT_TRUE(passes::shift_uint8(graph).ok());
  for (graph::Op& op : graph.ops) {
    if (graph::Window* window = passes::convolution_window(op)) {
      const auto numbers = passes::with_explicit_padding(graph, op, *window);
      ASSERT_TRUE(numbers.has_value());
      *window = *numbers;
    }
  }
  expect_same_graph(original, read(write(graph)).graph);
}

INSTANTIATE_TEST_SUITE_P(Each, WriteModel,
                         ::testing::Values(DataType::kFloat32, DataType::kUInt8, DataType::kInt8),
                         [](const auto& each) { return std::string(type_name(each.param)); });

TEST(WriteGraph, DropsWhatIsUnused) {
  graph::Graph graph = small_deeplab(DataType::kInt8);
  const graph::Graph original = graph;
  graph::Tensor unused;
  unused.shape = {-7};
  graph.tensors.insert(graph.tensors.begin(), 3, unused);
  const auto shift = [](std::vector<graph::TensorId>& ids) {
    for (graph::TensorId& id : ids) id += 3;
  };
  shift(graph.inputs);
  shift(graph.outputs);
  for (graph::Op& op : graph.ops) {
    shift(op.inputs);
    shift(op.outputs);
  }
  EXPECT_EQ(write(graph), write(original));
}

TEST(WriteGraph, PaddingThatIsValid) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 9, 9, 2});
  const auto filter = b.constant(DataType::kFloat32, {4, 3, 3, 2}, 1.0f);
  graph::Conv2D conv;
  conv.window.padding = graph::Padding::kExplicit;
  const graph::Graph graph = b.build({b.op(conv, {x, filter}, DataType::kFloat32)});
  const ModelFile file = read(write(graph));
  EXPECT_EQ(std::get<graph::Conv2D>(file.graph.ops[0].attributes).window.padding,
            graph::Padding::kValid);
}

// What SAME leaves out after the last window is never read, whatever the numbers say.
TEST(WriteGraph, PaddingBehindTheLastWindow) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 9, 9, 2});
  const auto filter = b.constant(DataType::kFloat32, {4, 1, 1, 2}, 1.0f);
  graph::Conv2D conv;
  conv.window = {graph::Padding::kExplicit, 2, 2, 1, 1, 0, 1, 0, 1};
  const graph::Graph graph = b.build({b.op(conv, {x, filter}, DataType::kFloat32)});
  EXPECT_EQ(std::get<graph::Conv2D>(read(write(graph)).graph.ops[0].attributes).window,
            (graph::Window{graph::Padding::kSame, 2, 2}));
}

TEST(WriteGraph, ABiasWithoutAScaleHasOne) {
  GraphBuilder b;
  const auto x = b.input(DataType::kInt8, {1, 9, 9, 2}, per_tensor(0.5f, 3));
  graph::Quantization scales = testing::per_channel(4, 0.25f, 0);
  scales.scales[1] = 2.0f;
  const auto filter = b.constant(DataType::kInt8, {4, 1, 1, 2}, int8_t{1}, scales);
  const auto other = b.constant(DataType::kInt8, {4, 1, 1, 4}, int8_t{1}, per_tensor(0.5f, 0));
  const auto bias = b.constant(DataType::kInt32, {4}, int32_t{0});
  const auto y = b.op(graph::Conv2D{}, {x, filter, bias}, DataType::kInt8, per_tensor(0.125f, 0));
  const auto z = b.op(graph::Conv2D{}, {y, other, bias}, DataType::kInt8, per_tensor(1, 0));
  const graph::Graph graph = read(write(b.build({z}))).graph;
  EXPECT_THAT(graph.tensor(graph.ops[0].inputs[2]).quantization.scales,
              ElementsAre(0.125f, 1.0f, 0.125f, 0.125f));
  EXPECT_THAT(graph.tensor(graph.ops[1].inputs[2]).quantization.scales, ElementsAre(0.0625f));
}

// TensorFlow Lite's CONV_2D does not run without one.
TEST(WriteGraph, ABiasThatIsNotThere) {
  for (const bool listed : {false, true}) {
    for (const bool quantized : {false, true}) {
      GraphBuilder b;
      const auto type = quantized ? DataType::kInt8 : DataType::kFloat32;
      const auto parameters = quantized ? per_tensor(0.5f, 3) : graph::Quantization{};
      const auto x = b.input(type, {1, 9, 9, 2}, parameters);
      const auto filter =
          quantized ? b.constant(type, {4, 1, 1, 2}, int8_t{1}, testing::per_channel(4, 0.25f, 0))
                    : b.constant(type, {4, 1, 1, 2}, 1.0f);
      std::vector<graph::TensorId> inputs = {x, filter};
      if (listed) inputs.push_back(graph::kNoTensor);
      const auto y = b.op(graph::Conv2D{}, inputs, type, parameters);
      const graph::Graph graph = read(write(b.build({y}))).graph;
      ASSERT_THAT(graph.ops[0].inputs, SizeIs(3));
      const graph::Tensor& bias = graph.tensor(graph.ops[0].inputs[2]);
      EXPECT_EQ(bias.name, "t2/bias");
      EXPECT_THAT(bias.shape, ElementsAre(4));
      EXPECT_THAT(*bias.data, ::testing::Each(std::byte{0}));
      EXPECT_EQ(bias.quantization.scales, std::vector<float>(quantized ? 4 : 0, 0.125f));
    }
  }
}

TEST(WriteGraph, NamesThatAreNotText) {
  graph::Graph graph = small_deeplab(DataType::kFloat32);
  graph.tensor(graph.inputs[0]).name = "a\nb\xff" + std::string(400, 'c');
  const ModelFile file = read(write(ModelFile{graph, {}, "x\x01y"}));
  EXPECT_EQ(file.graph.tensor(file.graph.inputs[0]).name, "a?b?" + std::string(252, 'c'));
  EXPECT_EQ(file.description, "x?y");
}

TEST(WriteRefuses, AGraphThatIsNotValid) {
  graph::Graph graph = small_deeplab(DataType::kFloat32);
  graph.tensor(graph.outputs[0]).shape[1] += 1;
  EXPECT_THAT(refusal(graph), HasSubstr("op 10 (ARG_MAX): expected the output"));
}

TEST(WriteRefuses, PaddingThatIsNeither) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 2});
  const auto filter = b.constant(DataType::kFloat32, {1, 3, 3, 2}, 1.0f);
  graph::DepthwiseConv2D conv;
  conv.window = {graph::Padding::kExplicit, 2, 2, 1, 1, 1, 0, 1, 0};
  const auto message = refusal(b.build({b.op(conv, {x, filter}, DataType::kFloat32)}));
  EXPECT_THAT(message, HasSubstr("op 0 (DEPTHWISE_CONV_2D): a padding of 1 above, 0 below, 1 left "
                                 "and 0 right is neither SAME nor VALID"));
}

template <typename Pool>
graph::Graph pool_with_padding(int32_t before) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 2});
  Pool pool;
  pool.window = {graph::Padding::kExplicit, 2, 2, 1, 1, before, 1, before, 1};
  pool.filter_h = pool.filter_w = 3;
  return b.build({b.op(pool, {x}, DataType::kFloat32)});
}

TEST(WriteGraph, PaddingOfPoolsByItsName) {
  const auto average = read(write(pool_with_padding<graph::AveragePool2D>(0))).graph;
  EXPECT_EQ(std::get<graph::AveragePool2D>(average.ops[0].attributes).window.padding,
            graph::Padding::kSame);
  const auto largest = read(write(pool_with_padding<graph::MaxPool2D>(0))).graph;
  EXPECT_EQ(std::get<graph::MaxPool2D>(largest.ops[0].attributes).window.padding,
            graph::Padding::kSame);
  EXPECT_EQ(largest.tensor(largest.outputs[0]).shape, (graph::Shape{1, 4, 4, 2}));
}

TEST(WriteRefuses, PaddingOfPoolsThatIsNeither) {
  EXPECT_THAT(refusal(pool_with_padding<graph::AveragePool2D>(1)),
              HasSubstr("op 0 (AVERAGE_POOL_2D): a padding of 1 above, 1 below, 1 left"));
  EXPECT_THAT(refusal(pool_with_padding<graph::MaxPool2D>(1)),
              HasSubstr("op 0 (MAX_POOL_2D): a padding of 1 above, 1 below, 1 left"));
}

TEST(WriteRefuses, UInt8WithAScaleAChannel) {
  graph::Graph graph = small_deeplab(DataType::kInt8);
  graph.tensor(graph.ops[0].inputs[1]).file_type = DataType::kUInt8;
  EXPECT_THAT(refusal(graph), HasSubstr("uint8 with"));
}

// An int8 op between uint8 ones: the file has no op that reads one and writes the other.
TEST(WriteRefuses, TypesThatMeet) {
  graph::Graph graph = small_deeplab(DataType::kUInt8);
  ASSERT_TRUE(passes::shift_uint8(graph).ok());
  graph.tensor(graph.ops[4].output()).file_type = DataType::kInt8;
  EXPECT_THAT(refusal(graph), HasSubstr("op 4 (ADD): expected output of uint8, found int8"));
}

TEST(WriteRefuses, AListWithoutNumbers) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 8, 8, 2});
  const auto y = b.op(graph::Mean{}, {x}, DataType::kFloat32);
  EXPECT_THAT(refusal(b.build({y})), HasSubstr("op 0 (MEAN): axes without a number"));
}

TEST(WriteRefuses, LabelsThatWouldNotBeReadBack) {
  const auto message = [](std::vector<std::string> labels) {
    Metadata metadata;
    metadata.labels = std::move(labels);
    return refusal(metadata);
  };
  EXPECT_THAT(message({"background", "a\nb"}), HasSubstr("label 1 (\"a?b\"): expected one line"));
  EXPECT_THAT(message({"background", "dog "}), HasSubstr("label 1 (\"dog \")"));
  EXPECT_THAT(message({"background", ""}), HasSubstr("label 1 (\"\")"));
  EXPECT_THAT(message({"\xff"}), HasSubstr("label 0 (\"?\")"));
  EXPECT_THAT(message({std::string(257, 'x')}), HasSubstr("label 0"));
  EXPECT_THAT(message(std::vector<std::string>(5000, std::string(250, 'x'))),
              HasSubstr("the labels take 1255000 bytes; at most 1048576"));
}

TEST(WriteRefuses, ANormalizationThatCannotBe) {
  const auto message = [](std::vector<float> mean, std::vector<float> stddev) {
    Metadata metadata;
    metadata.normalization = {std::move(mean), std::move(stddev)};
    return refusal(metadata);
  };
  EXPECT_THAT(message({1, 2}, {1}), HasSubstr("expected 1 or 3 values of mean, found 2"));
  EXPECT_THAT(message({1}, {}), HasSubstr("expected 1 or 3 values of std, found 0"));
  EXPECT_THAT(message({1}, {0}), HasSubstr("expected std above 0, found 0"));
  EXPECT_THAT(message({std::numeric_limits<float>::infinity()}, {1}), HasSubstr("mean is inf"));
}

void expect_read_back(const std::string& path) {
  const ModelFile file = read_path(path);
  const auto bytes = write(file);
  const ModelFile again = read(bytes);
  expect_same_graph(file.graph, again.graph);
  EXPECT_EQ(again.description, file.description);
  EXPECT_EQ(again.metadata.labels, file.metadata.labels);
  EXPECT_EQ(write(again), bytes);

  // The engine's own int8 form of a uint8 file is that file.
  graph::Graph shifted = file.graph;
  ASSERT_TRUE(passes::shift_uint8(shifted).ok());
  expect_same_graph(file.graph, read(write(shifted)).graph);
}

TEST(WriteModels, AreReadBack) {
  for (const std::string& path : testing::kSampleModels) {
    SCOPED_TRACE(path);
    expect_read_back(path);
  }
}

// Written by TensorFlow Lite's converters.
TEST(WriteRealModels, AreReadBack) {
  DEEPLAB_NEEDS_TEST_DATA();
  for (const char* name : {"deeplabv3_mnv2_dm05_pascal_quant", "deeplabv3_mnv2_pascal_quant",
                           "deeplabv3_mnv2_dm05_int8_labels", "deeplabv3_mnv2_dm05_int8_f32io",
                           "deeplabv3_mnv2_dm05_513_float", "deeplabv3_257_mv_gpu"}) {
    SCOPED_TRACE(name);
    expect_read_back(testing::test_data(std::string("models/") + name + ".tflite"));
  }
}

/// The scores of a noise picture, 129x129 so that the reference kernels take no time.
std::vector<std::byte> noise_scores(graph::Graph graph) {
  const Status status = graph::resize_input(graph, 129, 129);
  EXPECT_TRUE(status.ok()) << status.message();
  auto executor = exec::NaiveExecutor::create(std::move(graph), kernels::Rounding::kTfLite);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  std::mt19937 random(1);
  const auto input = (*executor)->tensor((*executor)->graph().inputs[0]);
  for (size_t i = 0; i < input.size(); i += sizeof(float)) {
    const float value = static_cast<float>(random() % 256) / 127.5f - 1;
    std::memcpy(&input[i], &value, sizeof value);
  }
  (*executor)->run();
  const auto output = (*executor)->tensor((*executor)->graph().outputs[0]);
  return {output.begin(), output.end()};
}

TEST(WriteModels, GiveTheSameScores) {
  const ModelFile file = read_path(testing::kInt8FloatIo);
  const auto scores = noise_scores(file.graph);
  EXPECT_GT(std::set(scores.begin(), scores.end()).size(), 20u) << "they say little";
  EXPECT_EQ(scores, noise_scores(read(write(file)).graph));
}

}  // namespace
}  // namespace deeplab::tflite
