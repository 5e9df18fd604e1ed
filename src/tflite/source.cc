#include "tflite/source.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/checked.h"
#include "tflite/text.h"

namespace deeplab::tflite {

Result<std::span<const std::byte>> Source::buffer(uint32_t index) const {
  if (index >= size_of(model.buffers())) {
    // Buffer 0 stands for "no data", and a file without any constant may leave it out.
    if (index == 0) return std::span<const std::byte>();
    return invalid_model("buffer ", index, " is named, but there are ", size_of(model.buffers()),
                         " buffers");
  }
  const schema::Buffer& buffer = *model.buffers()->Get(index);
  if (buffer.offset() > 1 || buffer.size() > 1) {
    return unsupported("buffer ", index, " keeps its data outside the FlatBuffer");
  }
  return std::as_bytes(elements(buffer.data()));
}

std::string Source::label(size_t id) const {
  const flatbuffers::String* name = tensor(id).name();
  if (name == nullptr || name->size() == 0) return str_cat("tensor ", id);
  return str_cat("tensor ", id, " (\"", clean_text(name->string_view(), 120), "\")");
}

Result<SourceOp> source_op(const Source& source, size_t index) {
  const schema::Operator& op =
      *source.subgraph.operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const auto* codes = source.model.operator_codes();
  if (op.opcode_index() >= size_of(codes)) {
    return invalid_model("op ", index, ": operator code ", op.opcode_index(),
                         " is named, but there are ", size_of(codes));
  }
  const schema::OperatorCode& entry = *codes->Get(op.opcode_index());
  const int32_t code = std::max(static_cast<int32_t>(entry.builtin_code()),
                                int32_t{entry.deprecated_builtin_code()});
  const auto builtin = static_cast<schema::BuiltinOperator>(code);
  std::string name = schema::EnumNameBuiltinOperator(builtin);
  if (name.empty()) name = str_cat("BUILTIN ", code);
  std::string custom_name;
  if (builtin == schema::BuiltinOperator::CUSTOM) {
    if (entry.custom_code() != nullptr) {
      custom_name = clean_text(entry.custom_code()->string_view(), 120);
    }
    name += str_cat(" '", custom_name, "'");
  }
  return SourceOp{
      source, op, static_cast<int32_t>(index), builtin, std::move(name), std::move(custom_name)};
}

Result<size_t> SourceOp::input(size_t k, const char* what) const {
  const auto inputs = elements(op.inputs());
  if (k >= inputs.size()) {
    return error("expected ", what, " as input ", k, ", found ", inputs.size(), " inputs");
  }
  if (inputs[k] < 0 || static_cast<size_t>(inputs[k]) >= source.tensor_count()) {
    return error("input ", k, " (", what, ") is tensor ", inputs[k], ", but there are ",
                 source.tensor_count(), " tensors");
  }
  return static_cast<size_t>(inputs[k]);
}

Result<std::span<const int32_t>> SourceOp::shape(size_t k) const {
  DEEPLAB_ASSIGN_OR_RETURN(const size_t id, input(k, "a tensor"));
  const auto computed = source.computed.find(id);
  if (computed != source.computed.end()) return std::span<const int32_t>(computed->second.shape);
  const auto shape = elements(source.tensor(id).shape());
  if (shape.size() > kMaxRank) {
    return error(source.label(id), " has ", shape.size(), " dimensions, more than ", kMaxRank);
  }
  return shape;
}

namespace {

Result<std::vector<int32_t>> computed_numbers(const SourceOp& op, const Computed& computed,
                                              const char* what, size_t max) {
  std::vector<int32_t> numbers;
  for (double value : computed.values) {
    if (computed.real || std::abs(value) > std::numeric_limits<int32_t>::max()) {
      return op.error("the graph computes ", value, " in ", what, ", which is not an int32");
    }
    numbers.push_back(static_cast<int32_t>(value));
  }
  if (numbers.size() <= max) return numbers;
  return op.error("expected ", what, " of at most ", max, " numbers, the graph computes ",
                  numbers.size());
}

}  // namespace

Result<std::vector<int32_t>> SourceOp::numbers(size_t k, const char* what, size_t max) const {
  DEEPLAB_ASSIGN_OR_RETURN(const size_t id, input(k, what));
  const auto computed = source.computed.find(id);
  if (computed != source.computed.end()) {
    return computed_numbers(*this, computed->second, what, max);
  }
  const schema::Tensor& tensor = source.tensor(id);
  const bool wide = tensor.type() == schema::TensorType::INT64;
  if (!wide && tensor.type() != schema::TensorType::INT32) {
    return unsupported("expected ", what, " as int32 or int64, found type ",
                       schema::EnumNameTensorType(tensor.type()), " in ", source.label(id));
  }
  auto data = source.buffer(tensor.buffer());
  if (!data.ok()) return annotate(data.status(), str_cat("op ", index, " (", name, ")"));
  if (data->empty()) {
    return unsupported(what, " must be a constant, but ", source.label(id), " has no data");
  }
  const size_t width = wide ? sizeof(int64_t) : sizeof(int32_t);
  const auto count = checked_product(elements(tensor.shape()));
  if (!count || *count > static_cast<int64_t>(max) ||
      data->size() != static_cast<size_t>(*count) * width) {
    return error("expected ", what, " of at most ", max, " numbers, found ", data->size(),
                 " bytes in ", source.label(id));
  }
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < static_cast<size_t>(*count); ++i) {
    int64_t value = 0;
    if (wide) {
      std::memcpy(&value, data->data() + i * width, sizeof value);
    } else {
      int32_t narrow;
      std::memcpy(&narrow, data->data() + i * width, sizeof narrow);
      value = narrow;
    }
    if (value < std::numeric_limits<int32_t>::min() ||
        value > std::numeric_limits<int32_t>::max()) {
      return error(what, " holds ", value, ", which is not an int32");
    }
    numbers.push_back(static_cast<int32_t>(value));
  }
  return numbers;
}

Result<float> SourceOp::real(size_t k, const char* what) const {
  DEEPLAB_ASSIGN_OR_RETURN(const size_t id, input(k, what));
  const schema::Tensor& tensor = source.tensor(id);
  auto data = source.buffer(tensor.buffer());
  if (!data.ok()) return annotate(data.status(), str_cat("op ", index, " (", name, ")"));
  if (tensor.type() == schema::TensorType::FLOAT32 && data->size() == sizeof(float)) {
    float value;
    std::memcpy(&value, data->data(), sizeof value);
    return value;
  }
  const bool is_signed = tensor.type() == schema::TensorType::INT8;
  if ((is_signed || tensor.type() == schema::TensorType::UINT8) && data->size() == 1) {
    const auto byte = static_cast<uint8_t>((*data)[0]);
    const int32_t stored = is_signed ? static_cast<int8_t>(byte) : int32_t{byte};
    const auto* q = tensor.quantization();
    if (q != nullptr && size_of(q->scale()) == 1 && size_of(q->zero_point()) == 1) {
      return q->scale()->Get(0) * static_cast<float>(stored - int64_element(*q->zero_point(), 0));
    }
  }
  return unsupported("expected ", what, " as a constant of one number, found ", data->size(),
                     " bytes of ", schema::EnumNameTensorType(tensor.type()), " in ",
                     source.label(id));
}

}  // namespace deeplab::tflite
