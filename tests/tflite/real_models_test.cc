// The model files that users hold, if they are on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
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
  /// Spatial size of the features at 513 pixels.
  int32_t features_at_513;
};
void PrintTo(const Expected& e, std::ostream* out) { *out << e.file; }

// ops, and multiply-accumulates of the 513 networks: docs of the models. The 257 network has
// output stride 8.
const Expected kModels[] = {
    {"deeplabv3_mnv2_dm05_pascal_quant", 72, 1, 688357, 867496704, "uint8 1x513x513x3",
     "int64 1x513x513", 33},
    {"deeplabv3_mnv2_pascal_quant", 72, 1, 2097013, 2740709056, "uint8 1x513x513x3",
     "int64 1x513x513", 33},
    {"deeplabv3_mnv2_dm05_int8_labels", 72, 1, 688357, 867496704, "int8 1x513x513x3",
     "int64 1x513x513", 33},
    {"deeplabv3_mnv2_dm05_int8_f32io", 73, 2, 688357, 867496704, "float32 1x513x513x3",
     "float32 1x513x513x21", 33},
    {"deeplabv3_mnv2_dm05_513_float", 71, 0, 688357, 867496704, "float32 1x513x513x3",
     "int64 1x513x513", 33},
    {"deeplabv3_257_mv_gpu", 70, 0, 688357, 725849344, "float32 1x257x257x3",
     "float32 1x257x257x21", 65},
};

class RealModel : public ::testing::TestWithParam<Expected> {
 protected:
  void SetUp() override {
    DEEPLAB_NEEDS_TEST_DATA();
    const std::string path =
        testing::test_data("models/" + std::string(GetParam().file) + ".tflite");
    auto bytes = read_file(path, 1 << 28);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    auto file = read_model(*bytes, path);
    ASSERT_TRUE(file.ok()) << file.status().message();
    graph_ = std::move(file->graph);
  }

  std::string text(graph::TensorId id) const {
    const graph::Tensor& tensor = graph_.tensor(id);
    return std::string(graph::type_name(tensor.type)) + " " + graph::shape_text(tensor.shape);
  }
  /// The output shape of the global pooling's input.
  graph::Shape features() const {
    for (const graph::Op& op : graph_.ops) {
      if (std::holds_alternative<graph::AveragePool2D>(op.attributes)) {
        return graph_.tensor(op.inputs[0]).shape;
      }
    }
    return {};
  }

  graph::Graph graph_;
};

TEST_P(RealModel, IsReadWhole) {
  const Expected& expected = GetParam();
  EXPECT_EQ(graph_.ops.size(), expected.ops);
  std::map<std::string_view, int> counts;
  std::map<graph::TensorId, int64_t> parameters;
  for (const graph::Op& op : graph_.ops) {
    ++counts[graph::op_name(op.attributes)];
    for (graph::TensorId id : op.inputs) {
      if (graph_.tensor(id).is_constant()) parameters[id] = graph_.tensor(id).elements();
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
  EXPECT_EQ(graph::macs(graph_), expected.macs);
  EXPECT_EQ(text(graph_.inputs[0]), expected.input);
  EXPECT_EQ(text(graph_.outputs[0]), expected.output);
}

TEST_P(RealModel, IsDumped) {
  const std::string text = graph::dump(graph_);
  EXPECT_THAT(text, HasSubstr("0 "));
  EXPECT_THAT(text, HasSubstr("38 CONV_2D"));
  EXPECT_EQ(std::ranges::count(text, '\n'), static_cast<ptrdiff_t>(graph_.ops.size() + 4));
}

TEST_P(RealModel, FollowsEveryCanvas) {
  const graph::Graph original = graph_;
  const int32_t stride = 512 / (GetParam().features_at_513 - 1);
  const std::pair<int32_t, int32_t> sizes[] = {{257, 257}, {321, 321}, {385, 385}, {513, 513},
                                               {640, 360}, {360, 640}, {500, 375}, {1, 1}};
  for (const auto& [height, width] : sizes) {
    SCOPED_TRACE(::testing::Message() << height << "x" << width);
    graph_ = original;
    const Status status = graph::resize_input(graph_, height, width);
    ASSERT_TRUE(status.ok()) << status.message();
    const graph::Shape& out = graph_.tensor(graph_.outputs[0]).shape;
    EXPECT_EQ(out[1], height);
    EXPECT_EQ(out[2], width);
    const graph::Shape at = features();
    EXPECT_EQ(at[1], (height + stride - 1) / stride);
    EXPECT_EQ(at[2], (width + stride - 1) / stride);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, RealModel, ::testing::ValuesIn(kModels),
                         [](const auto& each) { return std::string(each.param.file); });

TEST(RealModels, KnowTheirQuantization) {
  DEEPLAB_NEEDS_TEST_DATA();
  const auto first_filter = [](const char* name) {
    const auto bytes = read_file(testing::test_data(std::string("models/") + name), 1 << 28);
    const auto file = read_model(*bytes, name);
    return file->graph.tensor(file->graph.ops[1].inputs[1]);
  };
  const graph::Tensor uint8 = first_filter("deeplabv3_mnv2_dm05_pascal_quant.tflite");
  EXPECT_EQ(uint8.type, DataType::kUInt8);
  EXPECT_FALSE(uint8.quantization.per_channel());
  const graph::Tensor int8 = first_filter("deeplabv3_mnv2_dm05_int8_labels.tflite");
  EXPECT_EQ(int8.type, DataType::kInt8);
  EXPECT_EQ(int8.quantization.axis, 3);
  EXPECT_EQ(int8.quantization.scales.size(), 16u);
}

}  // namespace
}  // namespace deeplab::tflite
