// Whole model files: what the reader makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using graph::DataType;
using ::testing::HasSubstr;

struct Expected {
  const char* file;
  size_t ops;
  int quantize;
  int64_t parameters;
  int64_t macs;
  const char* input;
  const char* output;
};

// ops, and multiply-accumulates of the 513 networks: docs of the models. The 257 network has
// output stride 8.
const Expected kModels[] = {
    {"deeplabv3_mnv2_dm05_pascal_quant", 72, 1, 688357, 867496704, "uint8 1x513x513x3",
     "int64 1x513x513"},
    {"deeplabv3_mnv2_pascal_quant", 72, 1, 2097013, 2740709056, "uint8 1x513x513x3",
     "int64 1x513x513"},
    {"deeplabv3_mnv2_dm05_int8_labels", 72, 1, 688357, 867496704, "int8 1x513x513x3",
     "int64 1x513x513"},
    {"deeplabv3_mnv2_dm05_int8_f32io", 73, 2, 688357, 867496704, "float32 1x513x513x3",
     "float32 1x513x513x21"},
    {"deeplabv3_mnv2_dm05_513_float", 71, 0, 688357, 867496704, "float32 1x513x513x3",
     "int64 1x513x513"},
    {"deeplabv3_257_mv_gpu", 70, 0, 688357, 725849344, "float32 1x257x257x3",
     "float32 1x257x257x21"},
};

graph::Graph read_graph(const std::string& path) {
  const auto bytes = read_file(path, 1 << 28);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  if (!bytes.ok()) return {};
  auto file = read_model(*bytes, path);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? std::move(file->graph) : graph::Graph();
}

std::string text(const graph::Graph& graph, graph::TensorId id) {
  const graph::Tensor& tensor = graph.tensor(id);
  return std::string(graph::type_name(tensor.type)) + " " + graph::shape_text(tensor.shape);
}

void expect_read_whole(const graph::Graph& graph, const Expected& expected) {
  EXPECT_EQ(graph.ops.size(), expected.ops);
  std::map<std::string_view, int> counts;
  std::map<graph::TensorId, int64_t> parameters;
  for (const graph::Op& op : graph.ops) {
    ++counts[graph::op_name(op.attributes)];
    for (graph::TensorId id : op.inputs) {
      if (graph.tensor(id).is_constant()) parameters[id] = graph.tensor(id).elements();
    }
  }
  EXPECT_EQ(counts["CONV_2D"], 38);
  EXPECT_EQ(counts["DEPTHWISE_CONV_2D"], 17);
  EXPECT_EQ(counts["ADD"], 10);
  EXPECT_EQ(counts["AVERAGE_POOL_2D"], 1);
  EXPECT_EQ(counts["RESIZE_BILINEAR"], 3);
  EXPECT_EQ(counts["CONCATENATION"], 1);
  EXPECT_EQ(counts["QUANTIZE"], expected.quantize);
  int64_t sum = 0;
  for (const auto& [id, elements] : parameters) sum += elements;
  EXPECT_EQ(sum, expected.parameters);
  EXPECT_EQ(graph::macs(graph), expected.macs);
  EXPECT_EQ(text(graph, graph.inputs[0]), expected.input);
  EXPECT_EQ(text(graph, graph.outputs[0]), expected.output);
}

TEST(RealModels, AreReadWhole) {
  DEEPLAB_NEEDS_TEST_DATA();
  for (const Expected& expected : kModels) {
    SCOPED_TRACE(expected.file);
    expect_read_whole(
        read_graph(testing::test_data("models/" + std::string(expected.file) + ".tflite")),
        expected);
  }
}

class SampleModel : public ::testing::TestWithParam<std::string> {};

TEST_P(SampleModel, IsDumped) {
  const graph::Graph graph = read_graph(GetParam());
  const std::string dump = graph::dump(graph);
  EXPECT_THAT(dump, HasSubstr("0 "));
  EXPECT_THAT(dump, HasSubstr(" CONV_2D"));
  EXPECT_EQ(std::ranges::count(dump, '\n'), static_cast<ptrdiff_t>(graph.ops.size() + 4));
}

/// The shape of what the pooled branch looks at, through its global pooling.
graph::Shape features(const graph::Graph& graph) {
  for (const graph::Op& op : graph.ops) {
    if (std::holds_alternative<graph::AveragePool2D>(op.attributes)) {
      return graph.tensor(op.inputs[0]).shape;
    }
  }
  return {};
}

TEST_P(SampleModel, FollowsEveryCanvas) {
  const graph::Graph original = read_graph(GetParam());
  const graph::Tensor& input = original.tensor(original.inputs[0]);
  const int32_t stride = (input.shape[1] - 1) / (features(original)[1] - 1);
  const std::pair<int32_t, int32_t> sizes[] = {{257, 257}, {321, 321}, {385, 385}, {513, 513},
                                               {640, 360}, {360, 640}, {500, 375}, {1, 1}};
  for (const auto& [height, width] : sizes) {
    SCOPED_TRACE(::testing::Message() << height << "x" << width);
    graph::Graph graph = original;
    const Status status = graph::resize_input(graph, height, width);
    ASSERT_TRUE(status.ok()) << status.message();
    const graph::Shape& out = graph.tensor(graph.outputs[0]).shape;
    EXPECT_EQ(out[1], height);
    EXPECT_EQ(out[2], width);
    const graph::Shape at = features(graph);
    EXPECT_EQ(at[1], (height + stride - 1) / stride);
    EXPECT_EQ(at[2], (width + stride - 1) / stride);
  }
}

INSTANTIATE_TEST_SUITE_P(, SampleModel, ::testing::ValuesIn(testing::kSampleModels),
                         [](const auto& model) { return testing::sample_name(model.param); });

TEST(SampleModels, KnowTheirQuantization) {
  const auto depthwise_filter = [](const std::string& path) {
    const graph::Graph graph = read_graph(path);
    for (const graph::Op& op : graph.ops) {
      if (std::holds_alternative<graph::DepthwiseConv2D>(op.attributes)) {
        return graph.tensor(op.inputs[1]);
      }
    }
    return graph::Tensor();
  };
  const graph::Tensor uint8 = depthwise_filter(testing::kUint8Labels);
  EXPECT_EQ(uint8.type, DataType::kUInt8);
  EXPECT_FALSE(uint8.quantization.per_channel());
  const graph::Tensor int8 = depthwise_filter(testing::kInt8Labels);
  EXPECT_EQ(int8.type, DataType::kInt8);
  EXPECT_EQ(int8.quantization.axis, 3);
  EXPECT_EQ(int8.quantization.scales.size(), 16u);
}

}  // namespace
}  // namespace deeplab::tflite
