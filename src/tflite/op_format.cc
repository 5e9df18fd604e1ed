#include "tflite/op_format.h"

#include <algorithm>

namespace deeplab::tflite {
namespace {

std::span<const OpFormat> formats() {
#define DEEPLAB_FORMAT(Name) format(std::type_identity<graph::Name>()),
  static const OpFormat kFormats[] = {DEEPLAB_OPS(DEEPLAB_FORMAT)};
#undef DEEPLAB_FORMAT
  return kFormats;
}

const OpReader* find_reader(const SourceOp& op) {
  for (const OpFormat& format : formats()) {
    for (const OpReader& reader : format.readers) {
      if (reader.code == op.code && reader.custom_name == op.custom_name) return &reader;
    }
  }
  return nullptr;
}

}  // namespace

bool is_supported(const SourceOp& op) { return find_reader(op) != nullptr; }

Status read_op(const SourceOp& from, ReadOps& to) {
  const OpReader* reader = find_reader(from);
  if (reader == nullptr) return from.unsupported("this op is not supported");
  const auto inputs = elements(from.op.inputs());
  const auto outputs = elements(from.op.outputs());
  if (inputs.size() > reader->max_inputs) {
    return from.error("expected at most ", reader->max_inputs, " inputs, found ", inputs.size());
  }
  if (reader->read == nullptr) return reader->expand(from, to);
  DEEPLAB_ASSIGN_OR_RETURN(graph::Attributes attributes, reader->read(from));
  if (outputs.size() != 1) return from.error("expected 1 output, found ", outputs.size());
  graph::Op op{std::move(attributes), {}, {outputs[0]}, from.index};
  if (reader->data_inputs.count == 0) {
    op.inputs.assign(inputs.begin(), inputs.end());
  } else {
    for (size_t i = 0; i < reader->data_inputs.count; ++i) {
      const size_t k = reader->data_inputs.at[i];
      if (k < inputs.size()) op.inputs.push_back(inputs[k]);
    }
  }
  to.ops.push_back(std::move(op));
  return {};
}

Result<FileOp> file_op(const graph::Graph& graph, const graph::Op& op) {
  const OpWriter from(graph, op);
  FileOp file = std::visit([&](const auto& a) { return write(from, a); }, op.attributes);
  for (const ListOperand& operand : file.operands) {
    if (operand.values.empty()) {
      return unsupported(graph::op_label(op), ": ", operand.name,
                         " without a number cannot be written: a constant is never empty");
    }
  }
  return file;
}

Release first_release(schema::BuiltinOperator code, int32_t version) {
  for (const OpFormat& format : formats()) {
    for (const OpVersion& entry : format.versions) {
      if (entry.code == code && entry.version == version) return entry.release;
    }
  }
  return {};
}

// ---- What the files in ops/ share ------------------------------------------------------------

Result<graph::Activation> read_activation(const SourceOp& op, schema::ActivationFunctionType type) {
  switch (type) {
    case schema::ActivationFunctionType::NONE:
      return graph::Activation::kNone;
    case schema::ActivationFunctionType::RELU:
      return graph::Activation::kRelu;
    case schema::ActivationFunctionType::RELU_N1_TO_1:
      return graph::Activation::kReluN1To1;
    case schema::ActivationFunctionType::RELU6:
      return graph::Activation::kRelu6;
    default:
      break;
  }
  const std::string name = schema::EnumNameActivationFunctionType(type);
  return op.unsupported("fused activation ",
                        name.empty() ? std::to_string(static_cast<int>(type)) : name,
                        " (NONE, RELU, RELU_N1_TO_1 and RELU6 are supported)");
}

Result<graph::Padding> read_padding(const SourceOp& op, schema::Padding type) {
  if (type == schema::Padding::SAME) return graph::Padding::kSame;
  if (type == schema::Padding::VALID) return graph::Padding::kValid;
  return op.error("unknown padding ", static_cast<int>(type));
}

Result<graph::Amounts> read_pairs(const SourceOp& op, size_t k, const char* what, size_t max) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto flat, op.numbers(k, what, 2 * max));
  if (flat.size() % 2 != 0) {
    return op.error("expected ", what, " in pairs, found ", flat.size(), " numbers");
  }
  graph::Amounts pairs;
  for (size_t i = 0; i < flat.size(); i += 2) pairs.push_back({flat[i], flat[i + 1]});
  return pairs;
}

graph::TensorId add_tensor(const SourceOp& op, ReadOps& to, size_t like) {
  to.like.push_back(like);
  return static_cast<graph::TensorId>(op.source.tensor_count() + to.like.size() - 1);
}

void add_op(const SourceOp& op, ReadOps& to, graph::Attributes attributes,
            std::vector<graph::TensorId> inputs, graph::TensorId output) {
  to.ops.push_back({std::move(attributes), std::move(inputs), {output}, op.index});
}

schema::ActivationFunctionType file_activation(graph::Activation activation) {
  switch (activation) {
    case graph::Activation::kNone:
      return schema::ActivationFunctionType::NONE;
    case graph::Activation::kRelu:
      return schema::ActivationFunctionType::RELU;
    case graph::Activation::kReluN1To1:
      return schema::ActivationFunctionType::RELU_N1_TO_1;
    case graph::Activation::kRelu6:
      return schema::ActivationFunctionType::RELU6;
  }
  return schema::ActivationFunctionType::NONE;
}

ListOperand list(const char* name, std::vector<int32_t> values) {
  graph::Shape shape = {static_cast<int32_t>(values.size())};
  return {name, std::move(values), std::move(shape)};
}

ListOperand pairs(const char* name, std::span<const std::array<int32_t, 2>> pairs) {
  ListOperand operand{name, {}, {static_cast<int32_t>(pairs.size()), 2}};
  for (const auto& [before, after] : pairs) {
    operand.values.push_back(before);
    operand.values.push_back(after);
  }
  return operand;
}

FileOp make_op(Code code, int32_t version) {
  FileOp op;
  op.code = code;
  op.version = version;
  return op;
}

}  // namespace deeplab::tflite
