// The written bytes as other readers of the format find them: tables, alignment, versions,
// signature, metadata, archive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "tests/graph/graph_builder.h"
#include "tests/tflite/op_graphs.h"
#include "tflite/metadata_generated.h"
#include "tflite/schema_generated.h"
#include "tflite/writer.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::GraphBuilder;
using ::deeplab::testing::OpGraph;
using ::deeplab::testing::OpGraphs;
using ::deeplab::testing::small_deeplab;
using graph::DataType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fb = metadata_schema;

/// A written file and its tables.
class File {
 public:
  explicit File(const ModelFile& file) {
    auto written = write_model(file);
    EXPECT_TRUE(written.ok()) << written.status().message();
    if (written.ok()) bytes_ = std::move(*written);
    flatbuffers::Verifier verifier(data(), bytes_.size());
    EXPECT_TRUE(schema::VerifyModelBuffer(verifier));
    schema::GetModel(data())->UnPackTo(&model);
  }
  explicit File(const graph::Graph& graph) : File(ModelFile{graph, {}, ""}) {}

  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(bytes_.data()); }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  const schema::Model& tables() const { return *schema::GetModel(data()); }
  const schema::SubGraphT& graph() const { return *model.subgraphs[0]; }
  const schema::OperatorCodeT& code(size_t op) const {
    return *model.operator_codes[graph().operators[op]->opcode_index];
  }
  const schema::TensorT& tensor(int32_t id) const {
    return *graph().tensors[static_cast<size_t>(id)];
  }
  std::vector<uint8_t> entry(const std::string& name) const {
    for (const auto& each : model.metadata) {
      if (each->name == name) return model.buffers[each->buffer]->data;
    }
    return {};
  }

  schema::ModelT model;

 private:
  std::vector<std::byte> bytes_;
};

Metadata sample_metadata() {
  Metadata metadata;
  metadata.name = "DeepLab";
  metadata.description = "Finds things.\nAnd draws them.";
  metadata.author = "s\xC3\xB6mebody";
  metadata.license = "Apache-2.0";
  metadata.version = "v1";
  metadata.labels = {"background", "", "potted plant"};
  metadata.normalization = {{127.5f}, {127.5f}};
  return metadata;
}

fb::ModelMetadataT unpack_metadata(const File& file) {
  const auto bytes = file.entry("TFLITE_METADATA");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  EXPECT_TRUE(fb::VerifyModelMetadataBuffer(verifier));
  fb::ModelMetadataT metadata;
  fb::GetModelMetadata(bytes.data())->UnPackTo(&metadata);
  return metadata;
}

TEST(WrittenFile, HasTheFormatsMarks) {
  const File file(small_deeplab(DataType::kInt8));
  EXPECT_EQ(0, std::memcmp(file.data() + 4, "TFL3", 4));
  EXPECT_EQ(file.model.version, 3u);
  EXPECT_THAT(file.model.buffers[0]->data, IsEmpty());
  EXPECT_THAT(file.model.subgraphs, SizeIs(1));
  EXPECT_THAT(file.model.metadata, SizeIs(1)) << "the oldest release, and nothing else";
}

TEST(WrittenFile, AlignsEveryBuffer) {
  for (const DataType type : {DataType::kFloat32, DataType::kUInt8, DataType::kInt8}) {
    const File file({small_deeplab(type), sample_metadata(), "x"});
    size_t checked = 0;
    for (const schema::Buffer* buffer : *file.tables().buffers()) {
      if (buffer->data() == nullptr) continue;
      EXPECT_EQ((buffer->data()->data() - file.data()) % 16, 0);
      ++checked;
    }
    EXPECT_GT(checked, 10u);
  }
}

TEST(WrittenFile, StoresEqualConstantsOnce) {
  const File file(small_deeplab(DataType::kInt8));
  std::set<std::vector<uint8_t>> contents;
  for (const auto& buffer : file.model.buffers) {
    EXPECT_TRUE(contents.insert(buffer->data).second);
  }
  size_t constants = 0;
  for (const auto& tensor : file.graph().tensors) constants += tensor->buffer != 0;
  EXPECT_GT(constants, contents.size()) << "the miniature has equal biases";
}

TEST(WrittenFile, HasTensorFlowLitesOpVersions) {
  for (const OpGraph& each : OpGraphs::make()) {
    SCOPED_TRACE(each.name);
    const File file(each.graph);
    const schema::OperatorCodeT& code = file.code(0);
    const bool filled = each.name.starts_with("Pad_Value");
    EXPECT_EQ(schema::EnumNameBuiltinOperator(code.builtin_code),
              filled ? "PADV2" : graph::op_name(each.graph.ops[0].attributes));
    EXPECT_EQ(code.deprecated_builtin_code, static_cast<int32_t>(code.builtin_code));
    EXPECT_EQ(code.version, each.version);
  }
}

TEST(WrittenFile, ListsAnOpOnceForEachVersion) {
  const File file(small_deeplab(DataType::kInt8));
  std::set<std::pair<schema::BuiltinOperator, int32_t>> codes;
  for (const auto& code : file.model.operator_codes) {
    EXPECT_TRUE(codes.emplace(code->builtin_code, code->version).second);
  }
  EXPECT_THAT(codes, SizeIs(7)) << "of 11 ops";
}

TEST(WrittenFile, SaysTheOldestRelease) {
  const auto release = [](const graph::Graph& graph) {
    const auto bytes = File(graph).entry("min_runtime_version");
    EXPECT_THAT(bytes, SizeIs(16));
    return std::string(reinterpret_cast<const char*>(bytes.data()));
  };
  EXPECT_EQ(release(small_deeplab(DataType::kFloat32)), "1.9.0");  // ARG_MAX
  EXPECT_EQ(release(small_deeplab(DataType::kInt8)), "1.14.0");
  const std::map<std::string, std::string> releases = {{"Tile_int8", "2.8.0"},
                                                       {"Relu_uint8", "2.1.0"},
                                                       {"ResizeBilinear_Half_int8", "2.2.0"},
                                                       {"ResizeNearest_float32", "1.13.1"}};
  size_t found = 0;
  for (const OpGraph& each : OpGraphs::make()) {
    const auto expected = releases.find(each.name);
    if (expected == releases.end()) continue;
    EXPECT_EQ(release(each.graph), expected->second) << each.name;
    ++found;
  }
  EXPECT_EQ(found, releases.size());
}

TEST(WrittenFile, OffersASignature) {
  graph::Graph graph = small_deeplab(DataType::kFloat32);
  graph.tensor(graph.inputs[0]).name = "photo";
  const auto signature = [](const graph::Graph& from) {
    const File file(from);
    EXPECT_THAT(file.model.signature_defs, SizeIs(1));
    return std::move(*file.model.signature_defs[0]);
  };
  const schema::SignatureDefT named = signature(graph);
  EXPECT_EQ(named.signature_key, "serving_default");
  EXPECT_EQ(named.subgraph_index, 0u);
  ASSERT_THAT(named.inputs, SizeIs(1));
  EXPECT_EQ(named.inputs[0]->name, "photo");
  EXPECT_EQ(static_cast<graph::TensorId>(named.inputs[0]->tensor_index), graph.inputs[0]);
  ASSERT_THAT(named.outputs, SizeIs(1));
  EXPECT_EQ(static_cast<graph::TensorId>(named.outputs[0]->tensor_index), graph.outputs[0]);
  // Names that are missing or not different cannot be asked for.
  graph.tensor(graph.inputs[0]).name.clear();
  graph.outputs.push_back(graph.ops[0].output());
  graph.tensor(graph.outputs[0]).name = graph.tensor(graph.outputs[1]).name = "same";
  const schema::SignatureDefT numbered = signature(graph);
  EXPECT_EQ(numbered.inputs[0]->name, "input_0");
  EXPECT_EQ(numbered.outputs[1]->name, "output_1");
}

TEST(WrittenFile, HasAttributesAsConstants) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 4, 6, 2});
  const auto y = b.op(graph::Pad{{{0, 0}, {1, 2}, {3, 4}, {0, 0}}}, {x}, DataType::kFloat32);
  const auto z = b.op(graph::ArgMax{2}, {y}, DataType::kInt32);
  const File file(b.build({z}));
  const schema::OperatorT& pad = *file.graph().operators[0];
  ASSERT_THAT(pad.inputs, SizeIs(2));
  const schema::TensorT& paddings = file.tensor(pad.inputs[1]);
  EXPECT_EQ(paddings.name, "t1/paddings");
  EXPECT_EQ(paddings.type, schema::TensorType::INT32);
  EXPECT_THAT(paddings.shape, ElementsAre(4, 2));
  const auto& data = file.model.buffers[paddings.buffer]->data;
  ASSERT_THAT(data, SizeIs(32));
  EXPECT_EQ(data[2 * 4], 1);
  EXPECT_EQ(data[5 * 4], 4);
  const schema::OperatorT& arg_max = *file.graph().operators[1];
  const schema::TensorT& axis = file.tensor(arg_max.inputs[1]);
  EXPECT_THAT(axis.shape, IsEmpty());
  EXPECT_TRUE(axis.has_rank) << "so that no shape is a scalar's";
  EXPECT_THAT(file.model.buffers[axis.buffer]->data, ElementsAre(2, 0, 0, 0));
}

TEST(WrittenFile, SaysHowTensorsAreQuantized) {
  graph::Graph graph = small_deeplab(DataType::kInt8);
  const File file(graph);
  const schema::OperatorT& depthwise = *file.graph().operators[1];
  const auto& filter = *file.tensor(depthwise.inputs[1]).quantization;
  EXPECT_GT(filter.scale.size(), 1u);
  EXPECT_EQ(filter.scale.size(), filter.zero_point.size());
  EXPECT_EQ(filter.quantized_dimension, 3);
  EXPECT_EQ(file.tensor(depthwise.inputs[2]).quantization->quantized_dimension, 0);
  EXPECT_EQ(file.tensor(graph.outputs[0]).quantization, nullptr);
}

TEST(WrittenMetadata, IsReadBack) {
  const Metadata metadata = sample_metadata();
  const auto bytes = write_model({small_deeplab(DataType::kInt8), metadata, ""});
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const auto file = read_model(*bytes, "m");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const Metadata& m = file->metadata;
  EXPECT_EQ(m.name, metadata.name);
  EXPECT_EQ(m.description, metadata.description);
  EXPECT_EQ(m.author, metadata.author);
  EXPECT_EQ(m.license, metadata.license);
  EXPECT_EQ(m.version, metadata.version);
  EXPECT_EQ(m.labels, metadata.labels);
  ASSERT_TRUE(m.normalization.has_value());
  EXPECT_EQ(m.normalization->mean, metadata.normalization->mean);
  EXPECT_EQ(m.normalization->stddev, metadata.normalization->stddev);
  EXPECT_EQ(*write_model(*file), *bytes);
}

TEST(WrittenMetadata, OfOnePartAlone) {
  Metadata metadata;
  metadata.labels = {"background", "dog"};
  const auto bytes = write_model({small_deeplab(DataType::kInt8), metadata, ""});
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(read_model(*bytes, "m")->metadata.labels, ElementsAre("background", "dog"));
  metadata = {};
  metadata.normalization = {{1, 2, 3}, {4, 5, 6}};
  const auto normalized = write_model({small_deeplab(DataType::kInt8), metadata, ""});
  ASSERT_TRUE(normalized.ok());
  EXPECT_THAT(read_model(*normalized, "m")->metadata.normalization->stddev, ElementsAre(4, 5, 6));
}

// What the task libraries ask for: a photo in, normalized; a mask out, with labels.
TEST(WrittenMetadata, DescribesTensors) {
  graph::Graph graph = small_deeplab(DataType::kFloat32);
  for (const bool scores : {false, true}) {
    if (scores) graph.outputs = {graph.ops[9].output()};
    const fb::ModelMetadataT metadata = unpack_metadata(File({graph, sample_metadata(), ""}));
    EXPECT_EQ(metadata.min_parser_version, "1.0.0");
    ASSERT_THAT(metadata.subgraph_metadata, SizeIs(1));
    const fb::SubGraphMetadataT& subgraph = *metadata.subgraph_metadata[0];
    ASSERT_THAT(subgraph.input_tensor_metadata, SizeIs(1));
    const fb::TensorMetadataT& input = *subgraph.input_tensor_metadata[0];
    EXPECT_EQ(input.content->content_properties.AsImageProperties()->color_space,
              fb::ColorSpaceType::RGB);
    EXPECT_THAT(input.process_units, SizeIs(1));
    ASSERT_THAT(subgraph.output_tensor_metadata, SizeIs(1));
    const fb::TensorMetadataT& output = *subgraph.output_tensor_metadata[0];
    EXPECT_EQ(output.name, scores ? "segmentation_masks" : "category_mask");
    EXPECT_EQ(output.content->content_properties.AsImageProperties()->color_space,
              fb::ColorSpaceType::GRAYSCALE);
    EXPECT_EQ(output.content->range->min, 1);
    EXPECT_EQ(output.content->range->max, 2);
    ASSERT_THAT(output.associated_files, SizeIs(1));
    EXPECT_EQ(output.associated_files[0]->name, "labels.txt");
    EXPECT_EQ(output.associated_files[0]->type, scores
                                                    ? fb::AssociatedFileType::TENSOR_AXIS_LABELS
                                                    : fb::AssociatedFileType::TENSOR_VALUE_LABELS);
  }
}

// By the positions of the format (APPNOTE 4.3), not by our own reader.
TEST(WrittenMetadata, AppendsAnArchive) {
  const File with({small_deeplab(DataType::kInt8), sample_metadata(), ""});
  const std::string_view bytes(reinterpret_cast<const char*>(with.data()), with.bytes().size());
  const auto u32 = [&](size_t at) {
    uint32_t value;
    std::memcpy(&value, bytes.data() + at, 4);
    return size_t{value};
  };
  ASSERT_GT(bytes.size(), 22u);
  const size_t end = bytes.size() - 22;
  EXPECT_EQ(bytes.substr(end, 4), "PK\5\6");
  const size_t directory = u32(end + 16);
  EXPECT_EQ(directory + u32(end + 12), end);
  EXPECT_EQ(bytes.substr(directory, 4), "PK\1\2");
  EXPECT_EQ(bytes.substr(directory + 46, 10), "labels.txt");
  const size_t header = u32(directory + 42);
  EXPECT_EQ(bytes.substr(header, 4), "PK\3\4");
  constexpr std::string_view kContent = "background\n\npotted plant\n";
  EXPECT_EQ(u32(header + 22), kContent.size());
  EXPECT_EQ(bytes.substr(header + 30 + 10, kContent.size()), kContent);

  Metadata without_labels = sample_metadata();
  without_labels.labels.clear();
  const File without({small_deeplab(DataType::kInt8), without_labels, ""});
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(without.data()), without.bytes().size())
                .find("PK\5\6"),
            std::string_view::npos);
}

}  // namespace
}  // namespace deeplab::tflite
