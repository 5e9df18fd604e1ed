#include "tflite/reader.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "tflite/shape_arithmetic.h"
#include "tflite/source.h"
#include "tflite/text.h"

namespace deeplab::tflite {
namespace {

constexpr uint32_t kSchemaVersion = 3;
/// More than any network of this family by two orders of magnitude; bounds the time a hostile
/// file can take.
constexpr size_t kMaxTensors = 1 << 16;
constexpr size_t kMaxModelTables = 1 << 19;
constexpr int kMaxModelDepth = 32;

/// FlatBuffers reads numbers where they lie: the file must start at an aligned address.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::span<const std::byte> bytes) : bytes_(bytes) {
    if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) == 0) return;
    copy_.assign(bytes.begin(), bytes.end());
    bytes_ = copy_;
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  std::span<const std::byte> get() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  std::vector<std::byte> copy_;
};

Result<const schema::Model*> verify(std::span<const std::byte> bytes) {
  constexpr size_t kHeader = 8;  // Offset of the root table, then the identifier.
  if (bytes.size() < kHeader || std::memcmp(bytes.data() + 4, schema::ModelIdentifier(), 4) != 0) {
    return invalid_model("not a TensorFlow Lite model: expected \"", schema::ModelIdentifier(),
                         "\" at byte 4 of a file of ", bytes.size(), " bytes");
  }
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
    return unsupported("the file has ", bytes.size(), " bytes, but a FlatBuffer is below 2 GB");
  }
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), kMaxModelDepth, kMaxModelTables);
  if (!schema::VerifyModelBuffer(verifier)) {
    return invalid_model("the file is damaged or cut off: FlatBuffers' verifier refuses it");
  }
  return schema::GetModel(data);
}

Result<const schema::SubGraph*> only_subgraph(const schema::Model& model,
                                              const graph::Limits& limits) {
  if (model.version() != kSchemaVersion) {
    return unsupported("expected schema version ", kSchemaVersion, ", found ", model.version());
  }
  if (size_of(model.subgraphs()) != 1) {
    return unsupported("expected one subgraph, found ", size_of(model.subgraphs()));
  }
  const schema::SubGraph* subgraph = model.subgraphs()->Get(0);
  const auto ops = static_cast<int64_t>(size_of(subgraph->operators()));
  if (size_of(subgraph->tensors()) > kMaxTensors || ops > limits.max_ops) {
    return resource_exhausted("the graph has ", size_of(subgraph->tensors()), " tensors and ", ops,
                              " ops; at most ", kMaxTensors, " and ", limits.max_ops, " are read");
  }
  return subgraph;
}

Result<std::vector<graph::TensorId>> border(const flatbuffers::Vector<int32_t>* ids,
                                            const char* what) {
  const auto list = elements(ids);
  if (list.empty() || list.size() > kMaxOperands) {
    return invalid_model("expected 1 to ", kMaxOperands, " graph ", what, ", found ", list.size());
  }
  return std::vector<graph::TensorId>(list.begin(), list.end());
}

/// An error that names every op that is not supported, with how often it occurs. Operators that are
/// `done` need no support.
Status check_all_supported(const Source& source, const std::vector<bool>& done) {
  std::map<std::string, int> missing;
  int32_t first = 0;
  for (size_t i = 0; i < done.size(); ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(const SourceOp op, source_op(source, i));
    if (done[i] || is_supported(op)) continue;
    if (op.custom_name == "edgetpu-custom-op") {
      return unsupported(
          "op ", i, " (", op.name,
          "): the file was compiled for an Edge TPU, whose "
          "code nothing else runs; use the .tflite file that it was compiled from, or "
          "TensorFlow Lite with its delegate and --allow-custom-ops");
    }
    if (op.custom_name == "ethos-u") {
      return unsupported("op ", i, " (", op.name,
                         "): the file was compiled by Vela for an Ethos-U, "
                         "whose code nothing else runs; use the .tflite file that it was compiled "
                         "from, or TensorFlow Lite with its delegate and --allow-custom-ops");
    }
    if (missing.empty()) first = op.index;
    ++missing[op.name];
  }
  if (missing.empty()) return {};
  if (missing.size() == 1 && missing.begin()->second == 1) {
    return unsupported("op ", first, " (", missing.begin()->first, "): this op is not supported");
  }
  std::string list;
  for (const auto& [name, count] : missing) {
    list += str_cat(list.empty() ? "" : ", ", name, " (", count, count == 1 ? " time)" : " times)");
  }
  return unsupported("these ops are not supported: ", list, "; the first is op ", first);
}

/// Of an op of float32 that has no kernel for an int8 filter, that filter, if it is a constant: the
/// engine's definition of "dynamic range" is float32 arithmetic there.
std::optional<size_t> int8_filter_read_as_float(const Source& source, const graph::Op& op) {
  if (!graph::needs_float_filter(op.attributes)) return std::nullopt;
  if (op.inputs.size() < 2) return std::nullopt;
  for (graph::TensorId id : {op.inputs[0], op.inputs[1]}) {
    if (id < 0 || static_cast<size_t>(id) >= source.tensor_count()) return std::nullopt;
  }
  const auto filter = static_cast<size_t>(op.inputs[1]);
  const bool dynamic_range =
      source.tensor(static_cast<size_t>(op.inputs[0])).type() == schema::TensorType::FLOAT32 &&
      source.tensor(filter).type() == schema::TensorType::INT8 &&
      source.tensor(filter).buffer() != 0;
  return dynamic_range ? std::optional(filter) : std::nullopt;
}

/// How many ops there are up to the last custom one that is not in the list.
Result<int32_t> count_opaque_ops(const Source& source) {
  int32_t count = 0;
  for (size_t i = 0; i < size_of(source.subgraph.operators()); ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(const SourceOp op, source_op(source, i));
    const bool is_custom = op.code == schema::BuiltinOperator::CUSTOM && !is_supported(op);
    if (is_custom) count = op.index + 1;
  }
  return count;
}

/// What the ops of the graph read, and its outputs, without anybody that writes it: more inputs.
void add_missing_inputs(graph::Graph& graph) {
  std::vector<bool> known(graph.tensors.size());
  const auto mark = [&](const std::vector<graph::TensorId>& ids) {
    for (graph::TensorId id : ids) {
      if (id >= 0 && static_cast<size_t>(id) < known.size()) known[static_cast<size_t>(id)] = true;
    }
  };
  const auto add = [&](const std::vector<graph::TensorId>& ids) {
    for (graph::TensorId id : ids) {
      if (id < 0 || static_cast<size_t>(id) >= known.size()) continue;
      if (known[static_cast<size_t>(id)] || graph.tensor(id).is_constant()) continue;
      known[static_cast<size_t>(id)] = true;
      graph.inputs.push_back(id);
    }
  };
  mark(graph.inputs);
  for (const graph::Op& op : graph.ops) mark(op.outputs);
  for (const graph::Op& op : graph.ops) add(op.inputs);
  add(graph.outputs);
}

/// `opaque_ops`: see ModelFile.
Result<graph::Graph> read_graph(Source& source, int32_t opaque_ops) {
  graph::Graph graph;
  DEEPLAB_ASSIGN_OR_RETURN(graph.inputs, border(source.subgraph.inputs(), "inputs"));
  DEEPLAB_ASSIGN_OR_RETURN(graph.outputs, border(source.subgraph.outputs(), "outputs"));
  std::vector<bool> done = compute_shapes(source);
  std::fill_n(done.begin(), opaque_ops, true);
  DEEPLAB_RETURN_IF_ERROR(check_all_supported(source, done));
  ReadOps read;
  // Constants that a DEQUANTIZE turns into float32, by its output: what a converter makes of
  // float16 or int8 weights in a float network. They are float32 constants from here on.
  std::map<size_t, size_t> dequantized;
  for (size_t i = 0; i < done.size(); ++i) {
    if (done[i]) continue;
    DEEPLAB_ASSIGN_OR_RETURN(const SourceOp from, source_op(source, i));
    if (const auto constant = dequantized_constant(from);
        constant && dequantized.insert({constant->output, constant->input}).second) {
      continue;
    }
    DEEPLAB_RETURN_IF_ERROR(read_op(from, read));
  }
  graph.ops = std::move(read.ops);
  for (const graph::Op& op : graph.ops) {
    if (const auto filter = int8_filter_read_as_float(source, op)) {
      dequantized.insert({*filter, *filter});
    }
  }

  // Only what the graph refers to: a tensor that has become an attribute, or that nothing uses,
  // keeps its place in the numbering and nothing else.
  std::vector<bool> used(source.tensor_count() + read.like.size());
  const auto mark = [&](const std::vector<graph::TensorId>& ids) {
    for (graph::TensorId id : ids) {
      if (id >= 0 && static_cast<size_t>(id) < used.size()) used[static_cast<size_t>(id)] = true;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const graph::Op& op : graph.ops) {
    mark(op.inputs);
    mark(op.outputs);
  }
  TensorReader tensors(source);
  graph.tensors.resize(used.size());
  for (size_t id = 0; id < used.size(); ++id) {
    if (!used[id]) continue;
    if (id >= source.tensor_count()) {
      DEEPLAB_ASSIGN_OR_RETURN(graph.tensors[id],
                               tensors.read(read.like[id - source.tensor_count()]));
      graph.tensors[id].data = nullptr;
      continue;
    }
    const auto from = dequantized.find(id);
    DEEPLAB_ASSIGN_OR_RETURN(graph.tensors[id], from == dequantized.end()
                                                    ? tensors.read(id)
                                                    : tensors.read_dequantized(id, from->second));
  }
  if (opaque_ops > 0) add_missing_inputs(graph);
  return graph;
}

/// The first converters that quantized the filters of float convolutions called their int8 values
/// uint8. TensorFlow Lite still reads the bytes of such a CONV_2D as int8, without a zero point.
void read_filters_as_int8(graph::Graph& graph) {
  for (const graph::Op& op : graph.ops) {
    if (!std::holds_alternative<graph::Conv2D>(op.attributes) || op.inputs.size() < 2) continue;
    const auto known = [&](graph::TensorId id) {
      return id >= 0 && static_cast<size_t>(id) < graph.tensors.size();
    };
    if (!known(op.inputs[0]) || !known(op.inputs[1])) continue;
    graph::Tensor& filter = graph.tensor(op.inputs[1]);
    if (graph.tensor(op.inputs[0]).type != graph::DataType::kFloat32 ||
        filter.type != graph::DataType::kUInt8 || !filter.is_constant()) {
      continue;
    }
    filter.type = filter.file_type = graph::DataType::kInt8;
    for (int32_t& zero_point : filter.quantization.zero_points) zero_point = 0;
  }
}

/// A converter that knows no batch writes -1.
void settle_batch(graph::Graph& graph) {
  for (graph::TensorId id : graph.inputs) {
    if (id < 0 || static_cast<size_t>(id) >= graph.tensors.size()) continue;
    graph::Shape& shape = graph.tensor(id).shape;
    if (!shape.empty() && shape[0] == -1) shape[0] = 1;
  }
}

/// 8-bit numbers that no op computes with need no scale: pictures that are cast to float32, labels.
/// They get the one under which stored values are pixels.
void complete_scales(graph::Graph& graph) {
  const auto complete = [&](graph::TensorId id) {
    if (id < 0 || static_cast<size_t>(id) >= graph.tensors.size()) return;
    graph::Tensor& tensor = graph.tensor(id);
    const bool is_unsigned = tensor.type == graph::DataType::kUInt8;
    if ((!is_unsigned && tensor.type != graph::DataType::kInt8) || tensor.quantization.present()) {
      return;
    }
    tensor.quantization = {{1.0f / 128}, {is_unsigned ? 128 : 0}, 0};
  };
  for (const graph::Op& op : graph.ops) {
    if (!graph::ignores_scales(op.attributes)) continue;
    for (graph::TensorId id : op.inputs) complete(id);
    for (graph::TensorId id : op.outputs) complete(id);
  }
}

/// The IR wants the operand that is broadcast, or constant, second. Sums and products do not care;
/// a difference and a quotient say so.
void order_operands(graph::Graph& graph) {
  for (graph::Op& op : graph.ops) {
    if (op.inputs.size() != 2) continue;
    const auto known = [&](graph::TensorId id) {
      return id >= 0 && static_cast<size_t>(id) < graph.tensors.size();
    };
    if (!known(op.inputs[0]) || !known(op.inputs[1])) continue;
    const graph::Tensor& a = graph.tensor(op.inputs[0]);
    const graph::Tensor& b = graph.tensor(op.inputs[1]);
    // Of a constant the shape is known; what the file says of activations may be stale.
    const bool constant_first = a.is_constant() && !b.is_constant();
    const bool broadcast_first =
        !graph::broadcastable(b.shape, a.shape) && graph::broadcastable(a.shape, b.shape);
    if (!constant_first && (b.is_constant() || !broadcast_first)) continue;
    if (graph::swap_inputs(op.attributes)) std::swap(op.inputs[0], op.inputs[1]);
  }
}

Result<ModelFile> read_verified(Source source, const graph::Limits& limits, CustomOps custom) {
  ModelFile file;
  if (custom == CustomOps::kAllow) {
    DEEPLAB_ASSIGN_OR_RETURN(file.opaque_ops, count_opaque_ops(source));
  }
  if (const auto* text = source.model.description()) {
    file.description = clean_text(text->string_view(), kMaxDescription);
  }
  DEEPLAB_ASSIGN_OR_RETURN(file.graph, read_graph(source, file.opaque_ops));
  read_filters_as_int8(file.graph);
  settle_batch(file.graph);
  complete_scales(file.graph);
  order_operands(file.graph);
  DEEPLAB_RETURN_IF_ERROR(graph::settle_shapes(file.graph, limits));
  DEEPLAB_RETURN_IF_ERROR(graph::validate(file.graph, limits));
  DEEPLAB_ASSIGN_OR_RETURN(file.metadata, read_metadata(source, file.graph));
  return file;
}

Result<ModelFile> read_bytes(std::span<const std::byte> bytes,
                             const std::shared_ptr<const void>* owner, const graph::Limits& limits,
                             CustomOps custom) {
  DEEPLAB_ASSIGN_OR_RETURN(const schema::Model* model, verify(bytes));
  DEEPLAB_ASSIGN_OR_RETURN(const schema::SubGraph* subgraph, only_subgraph(*model, limits));
  return read_verified(Source{bytes, *model, *subgraph, owner}, limits, custom);
}

}  // namespace

Result<ModelFile> read_model(std::span<const std::byte> bytes, const std::string& name,
                             const graph::Limits& limits, CustomOps custom) {
  const AlignedBytes aligned(bytes);
  auto file = read_bytes(aligned.get(), nullptr, limits, custom);
  if (!file.ok()) return annotate(file.status(), name);
  return file;
}

Result<ModelFile> read_model_in_place(std::shared_ptr<const void> owner,
                                      std::span<const std::byte> bytes, const std::string& name,
                                      const graph::Limits& limits, CustomOps custom) {
  const AlignedBytes aligned(bytes);
  // A copy that had to be made dies with this call.
  const bool in_place = aligned.get().data() == bytes.data();
  auto file = read_bytes(aligned.get(), in_place ? &owner : nullptr, limits, custom);
  if (!file.ok()) return annotate(file.status(), name);
  return file;
}

}  // namespace deeplab::tflite
