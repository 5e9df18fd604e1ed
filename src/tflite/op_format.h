// Private to this folder: what the files in ops/ say of each op of graph/op_list.h, which is how it
// lies in a model file.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "graph/dequantize.h"
#include "graph/graph.h"
#include "tflite/source.h"
#include "tflite/writer_parts.h"

namespace deeplab::tflite {

using Code = schema::BuiltinOperator;

/// Which of an operator's inputs are data, in the IR's order; the others have become attributes.
struct DataInputs {
  size_t count;
  std::array<size_t, 3> at;
};
inline constexpr DataInputs kFirst = {1, {0}};
/// As many as there are.
inline constexpr DataInputs kAll = {0, {}};

/// How an operator of the file is read.
struct OpReader {
  Code code;
  /// Null: `expand` reads it.
  Result<graph::Attributes> (*read)(const SourceOp& op);
  /// How many inputs the file may list.
  size_t max_inputs;
  DataInputs data_inputs;
  Status (*expand)(const SourceOp& op, ReadOps& to) = nullptr;
  std::string_view custom_name = {};  ///< Of Code::CUSTOM.
};

/// The first TensorFlow Lite release that runs `version` of an operator. Versions and releases are
/// those of TensorFlow's tools/versioning (op_version.cc, runtime_version.cc), for the types of the
/// IR.
struct OpVersion {
  Code code;
  int32_t version;
  Release release;
};

/// Of one op of the IR.
struct OpFormat {
  std::span<const OpReader> readers;    ///< Every operator that is read as this op, or as several.
  std::span<const OpVersion> versions;  ///< Of those that are written.
};

/// One op of a file_graph() that is written.
class OpWriter {
 public:
  OpWriter(const graph::Graph& graph, const graph::Op& op) : graph_(graph), op_(op) {}

  const graph::Op& op() const { return op_; }
  const graph::Tensor& in(size_t k = 0) const { return graph_.tensor(op_.inputs[k]); }
  const graph::Tensor& out() const { return graph_.tensor(op_.output()); }
  size_t rank() const { return in().shape.size(); }
  bool float32() const { return in().type == graph::DataType::kFloat32; }
  bool int8() const { return in().type == graph::DataType::kInt8; }
  bool hybrid() const { return graph::is_hybrid(graph_, op_); }
  /// Most ops have one version for what was there before int8, and one for int8.
  int32_t since_int8(int32_t version) const { return int8() ? version : 1; }

 private:
  const graph::Graph& graph_;
  const graph::Op& op_;
};

// For each op of the list, in ops/:
//   format(): the operators that it is read from, and their versions.
//   write(): the operator that it is written as; its options, and its attributes that are operands.
#define DEEPLAB_FORMAT(Name)                        \
  OpFormat format(std::type_identity<graph::Name>); \
  FileOp write(const OpWriter& from, const graph::Name& a);
DEEPLAB_OPS(DEEPLAB_FORMAT)
#undef DEEPLAB_FORMAT

// ---- For reading -----------------------------------------------------------------------------

Result<graph::Activation> read_activation(const SourceOp& op, schema::ActivationFunctionType type);
Result<graph::Padding> read_padding(const SourceOp& op, schema::Padding type);

template <typename Options>
Result<const Options*> need(const SourceOp& op, const Options* options) {
  if (options != nullptr) return options;
  return op.error("its options are missing or of another op's type");
}

template <typename Options>
Result<graph::Window> read_window(const SourceOp& op, const Options& options) {
  graph::Window window;
  DEEPLAB_ASSIGN_OR_RETURN(window.padding, read_padding(op, options.padding()));
  window.stride_h = options.stride_h();
  window.stride_w = options.stride_w();
  return window;
}

/// Of an op without options.
template <typename Attribute>
Result<graph::Attributes> read_plain(const SourceOp& /*op*/) {
  return graph::Attributes(Attribute{});
}

/// A negative axis counts from the end. Out-of-range ones are left for validate() to name.
inline int32_t from_front(int32_t axis, size_t rank) {
  return axis < 0 ? axis + static_cast<int32_t>(rank) : axis;
}

/// Input `k` as {before, after} for each of at most `max` dimensions.
Result<graph::Amounts> read_pairs(const SourceOp& op, size_t k, const char* what, size_t max);

/// A tensor between two ops that one operator becomes, like tensor `like` of the file.
graph::TensorId add_tensor(const SourceOp& op, ReadOps& to, size_t like);
void add_op(const SourceOp& op, ReadOps& to, graph::Attributes attributes,
            std::vector<graph::TensorId> inputs, graph::TensorId output);

// ---- For writing -----------------------------------------------------------------------------

schema::ActivationFunctionType file_activation(graph::Activation activation);

template <typename Options>
void set_window(Options& options, const graph::Window& window) {
  const bool same = window.padding == graph::Padding::kSame;
  options.padding = same ? schema::Padding::SAME : schema::Padding::VALID;
  options.stride_h = window.stride_h;
  options.stride_w = window.stride_w;
}

ListOperand list(const char* name, std::vector<int32_t> values);
ListOperand pairs(const char* name, std::span<const std::array<int32_t, 2>> pairs);

FileOp make_op(Code code, int32_t version);
template <typename Options>
FileOp make_op(Code code, int32_t version, Options options,
               std::vector<ListOperand> operands = {}) {
  FileOp op = make_op(code, version);
  op.options.Set(std::move(options));
  op.operands = std::move(operands);
  return op;
}

}  // namespace deeplab::tflite
