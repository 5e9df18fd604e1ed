#include "tflite/writer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "tflite/source.h"
#include "tflite/text.h"
#include "tflite/writer_parts.h"
#include "tflite/zip.h"

namespace deeplab::tflite {

schema::TensorType file_type(graph::DataType type) {
  switch (type) {
    case graph::DataType::kFloat32:
      return schema::TensorType::FLOAT32;
    case graph::DataType::kInt8:
      return schema::TensorType::INT8;
    case graph::DataType::kUInt8:
      return schema::TensorType::UINT8;
    case graph::DataType::kInt32:
      return schema::TensorType::INT32;
    case graph::DataType::kInt64:
      return schema::TensorType::INT64;
  }
  return schema::TensorType::FLOAT32;
}

namespace {

constexpr uint32_t kSchemaVersion = 3;
/// What a FlatBuffer can hold, less what everything but the constants may take.
constexpr size_t kMaxConstants = (size_t{1} << 31) - (size_t{1} << 26);

std::unique_ptr<schema::QuantizationParametersT> quantization(const graph::Quantization& from) {
  if (!from.present()) return nullptr;
  auto to = std::make_unique<schema::QuantizationParametersT>();
  to->scale = from.scales;
  to->zero_point.assign(from.zero_points.begin(), from.zero_points.end());
  to->quantized_dimension = from.per_channel() ? from.axis : 0;
  return to;
}

/// Puts the file's tables together, one kind of thing after the other.
class Assembly {
 public:
  explicit Assembly(const graph::Graph& graph) : graph_(graph) {
    model_.version = kSchemaVersion;
    model_.buffers.push_back(std::make_unique<schema::BufferT>());  // "no data"
    model_.subgraphs.push_back(std::make_unique<schema::SubGraphT>());
    subgraph().name = "main";
    subgraph().inputs = graph.inputs;
    subgraph().outputs = graph.outputs;
  }

  void add_description(const std::string& text) {
    model_.description = clean_text(text, kMaxDescription);
  }

  Status add_tensors() {
    for (const graph::Tensor& from : graph_.tensors) {
      auto to = tensor(clean_text(from.name, kMaxName), from.type, from.shape);
      to->quantization = quantization(from.quantization);
      if (from.is_constant()) {
        DEEPLAB_ASSIGN_OR_RETURN(to->buffer, add_buffer(*from.data));
      }
      subgraph().tensors.push_back(std::move(to));
    }
    return {};
  }

  Status add_ops() {
    for (const graph::Op& op : graph_.ops) {
      DEEPLAB_ASSIGN_OR_RETURN(FileOp from, file_op(graph_, op));
      auto to = std::make_unique<schema::OperatorT>();
      to->opcode_index = opcode(from.code, from.version);
      to->inputs = op.inputs;
      if (from.swap_inputs) std::swap(to->inputs[0], to->inputs[1]);
      to->outputs = op.outputs;
      to->builtin_options = std::move(from.options);
      const std::string& output = subgraph().tensors[static_cast<size_t>(op.output())]->name;
      std::vector<graph::TensorId> operands;
      for (const ListOperand& operand : from.operands) {
        DEEPLAB_ASSIGN_OR_RETURN(operands.emplace_back(), add_operand(output, operand));
      }
      to->inputs.insert(from.operands_first ? to->inputs.begin() : to->inputs.end(),
                        operands.begin(), operands.end());
      if (from.fill) {
        DEEPLAB_ASSIGN_OR_RETURN(to->inputs.emplace_back(),
                                 add_fill(output, graph_.tensor(op.output()), *from.fill));
      }
      subgraph().operators.push_back(std::move(to));
    }
    return {};
  }

  void add_signature() {
    auto signature = std::make_unique<schema::SignatureDefT>();
    signature->signature_key = "serving_default";
    signature->inputs = named(graph_.inputs, "input_");
    signature->outputs = named(graph_.outputs, "output_");
    model_.signature_defs.push_back(std::move(signature));
  }

  Status add_metadata(std::string_view name, std::vector<uint8_t> bytes) {
    auto entry = std::make_unique<schema::MetadataT>();
    entry->name = name;
    DEEPLAB_ASSIGN_OR_RETURN(entry->buffer, add_buffer(std::as_bytes(std::span(bytes))));
    model_.metadata.push_back(std::move(entry));
    return {};
  }

  /// The oldest release that knows every op, in the 16 bytes that converters leave for it.
  Status add_min_runtime() {
    Release newest = {1, 5, 0};  // The first one.
    for (const auto& code : model_.operator_codes) {
      newest = std::max(newest, first_release(code->builtin_code, code->version));
    }
    const std::string text = str_cat(newest.major, ".", newest.minor, ".", newest.patch);
    std::vector<uint8_t> bytes(text.begin(), text.end());
    bytes.resize(16);
    return add_metadata("min_runtime_version", std::move(bytes));
  }

  std::vector<std::byte> bytes() const {
    flatbuffers::FlatBufferBuilder builder(constants_ + (size_t{1} << 16));
    schema::FinishModelBuffer(builder, schema::CreateModel(builder, &model_));
    const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    return {bytes.begin(), bytes.end()};
  }

 private:
  schema::SubGraphT& subgraph() { return *model_.subgraphs[0]; }

  static std::unique_ptr<schema::TensorT> tensor(std::string name, graph::DataType type,
                                                 const graph::Shape& shape) {
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = std::move(name);
    tensor->type = file_type(type);
    tensor->shape = shape;
    tensor->has_rank = true;
    return tensor;
  }

  /// The index of a buffer of these bytes: equal constants share one.
  Result<uint32_t> add_buffer(std::span<const std::byte> bytes) {
    const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const auto known = buffers_.find(key); known != buffers_.end()) return known->second;
    constants_ += bytes.size() + 64;  // With its share of tables and alignment.
    if (constants_ > kMaxConstants) {
      return resource_exhausted("the constants take more than the ", kMaxConstants,
                                " bytes that fit into one file");
    }
    auto buffer = std::make_unique<schema::BufferT>();
    const auto* first = reinterpret_cast<const uint8_t*>(bytes.data());
    buffer->data.assign(first, first + bytes.size());
    const std::string_view kept(reinterpret_cast<const char*>(buffer->data.data()), bytes.size());
    const auto index = static_cast<uint32_t>(model_.buffers.size());
    buffers_.emplace(kept, index);
    model_.buffers.push_back(std::move(buffer));
    return index;
  }

  uint32_t opcode(schema::BuiltinOperator code, int32_t version) {
    const auto index = static_cast<uint32_t>(model_.operator_codes.size());
    const auto [known, is_new] = opcodes_.emplace(std::pair(code, version), index);
    if (is_new) {
      auto entry = std::make_unique<schema::OperatorCodeT>();
      entry->builtin_code = code;
      // All of the list are below 127, where the old field ends.
      entry->deprecated_builtin_code = static_cast<int8_t>(code);
      entry->version = version;
      model_.operator_codes.push_back(std::move(entry));
    }
    return known->second;
  }

  Result<graph::TensorId> add_operand(const std::string& output, const ListOperand& operand) {
    auto to = tensor(clean_text(str_cat(output, "/", operand.name), kMaxName),
                     graph::DataType::kInt32, operand.shape);
    DEEPLAB_ASSIGN_OR_RETURN(to->buffer, add_buffer(std::as_bytes(std::span(operand.values))));
    subgraph().tensors.push_back(std::move(to));
    return static_cast<graph::TensorId>(subgraph().tensors.size() - 1);
  }

  /// A scalar of the type and the scale of `like`.
  Result<graph::TensorId> add_fill(const std::string& output, const graph::Tensor& like,
                                   float value) {
    auto to = tensor(clean_text(str_cat(output, "/value"), kMaxName), like.type, {});
    to->quantization = quantization(like.quantization);
    if (like.type == graph::DataType::kFloat32) {
      DEEPLAB_ASSIGN_OR_RETURN(to->buffer, add_buffer(std::as_bytes(std::span(&value, 1))));
    } else {
      const float least = like.type == graph::DataType::kUInt8 ? 0 : -128;
      const float steps = std::round(value / like.quantization.scale()) +
                          static_cast<float>(like.quantization.zero_point());
      const auto stored =
          static_cast<std::byte>(static_cast<int32_t>(std::clamp(steps, least, least + 255)));
      DEEPLAB_ASSIGN_OR_RETURN(to->buffer, add_buffer(std::span(&stored, 1)));
    }
    subgraph().tensors.push_back(std::move(to));
    return static_cast<graph::TensorId>(subgraph().tensors.size() - 1);
  }

  /// The tensors under their own names, or `prefix` and a number if these are not different.
  std::vector<std::unique_ptr<schema::TensorMapT>> named(const std::vector<graph::TensorId>& ids,
                                                         const char* prefix) {
    std::set<std::string> names;
    for (graph::TensorId id : ids) names.insert(subgraph().tensors[static_cast<size_t>(id)]->name);
    const bool usable = names.size() == ids.size() && !names.contains("");
    std::vector<std::unique_ptr<schema::TensorMapT>> maps;
    for (size_t i = 0; i < ids.size(); ++i) {
      auto map = std::make_unique<schema::TensorMapT>();
      map->name =
          usable ? subgraph().tensors[static_cast<size_t>(ids[i])]->name : str_cat(prefix, i);
      map->tensor_index = static_cast<uint32_t>(ids[i]);
      maps.push_back(std::move(map));
    }
    return maps;
  }

  const graph::Graph& graph_;
  schema::ModelT model_;
  std::map<std::string_view, uint32_t> buffers_;  ///< Keys lie in model_.buffers.
  std::map<std::pair<schema::BuiltinOperator, int32_t>, uint32_t> opcodes_;
  size_t constants_ = 0;
};

}  // namespace

Result<std::vector<std::byte>> write_model(const ModelFile& file) {
  DEEPLAB_ASSIGN_OR_RETURN(const graph::Graph graph, file_graph(file.graph));
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<uint8_t> metadata, metadata_entry(file.metadata, graph));
  DEEPLAB_ASSIGN_OR_RETURN(const std::string labels, label_file(file.metadata.labels));
  Assembly assembly(graph);
  assembly.add_description(file.description);
  DEEPLAB_RETURN_IF_ERROR(assembly.add_tensors());
  DEEPLAB_RETURN_IF_ERROR(assembly.add_ops());
  assembly.add_signature();
  DEEPLAB_RETURN_IF_ERROR(assembly.add_min_runtime());
  if (!metadata.empty()) {
    DEEPLAB_RETURN_IF_ERROR(assembly.add_metadata(kMetadataEntry, std::move(metadata)));
  }
  std::vector<std::byte> bytes = assembly.bytes();
  if (!labels.empty()) append_zip_entry(bytes, kLabelFile, labels);
  return bytes;
}

}  // namespace deeplab::tflite
