// Private to this folder: the verified file as the parsing functions see it. FlatBuffers'
// verifier has checked that every table, vector and string lies inside the file; no number in
// it has been checked for meaning yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "tflite/metadata_generated.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

namespace deeplab::tflite {

/// Where the metadata is, among the model's metadata entries.
inline constexpr std::string_view kMetadataEntry = "TFLITE_METADATA";
/// A tensor's rank is at most this; the ops of the list need 4.
inline constexpr size_t kMaxRank = 8;
/// Longest operand list of one op (a concatenation).
inline constexpr size_t kMaxOperands = 1024;

/// The elements of a FlatBuffers vector; empty if it is absent. The verifier holds vectors to an
/// alignment of four bytes, whatever is in them: see int64_element() for wider ones.
template <typename T>
std::span<const T> elements(const flatbuffers::Vector<T>* vector) {
  static_assert(alignof(T) <= 4);
  if (vector == nullptr) return {};
  return {vector->data(), vector->size()};
}
/// The size of any FlatBuffers vector; 0 if it is absent.
template <typename T>
size_t size_of(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

/// Element i of a vector; i is in range.
inline int64_t int64_element(const flatbuffers::Vector<int64_t>& vector, size_t i) {
  int64_t value;
  std::memcpy(&value, vector.Data() + i * sizeof value, sizeof value);
  return value;
}

/// Numbers that the file computes from shapes. Integers are exact; float32 ones are `real`.
struct Computed {
  std::vector<double> values;
  std::vector<int32_t> shape;
  bool real = false;
};

/// One model file, verified.
struct Source {
  std::span<const std::byte> bytes;
  const schema::Model& model;
  const schema::SubGraph& subgraph;
  /// What keeps `bytes` alive for the graph's constants; null: they are copied.
  const std::shared_ptr<const void>* owner = nullptr;
  /// By tensor: what compute_shapes() has found.
  std::map<size_t, Computed> computed = {};

  size_t tensor_count() const { return size_of(subgraph.tensors()); }
  const schema::Tensor& tensor(size_t id) const {
    return *subgraph.tensors()->Get(static_cast<flatbuffers::uoffset_t>(id));
  }
  /// The bytes of buffer `index`, empty for an activation's. Errors: out of range, or kept
  /// outside the FlatBuffer.
  Result<std::span<const std::byte>> buffer(uint32_t index) const;
  /// `tensor 12 ("conv/weights")`.
  std::string label(size_t id) const;
};

/// One operator of the file, named as messages name it.
struct SourceOp {
  const Source& source;
  const schema::Operator& op;
  int32_t index;
  schema::BuiltinOperator code;
  std::string name;         ///< "CONV_2D", "CUSTOM 'Foo'", "BUILTIN 190".
  std::string custom_name;  ///< "Foo"; empty for a builtin op.

  /// "op 12 (CONV_2D): " and the rest, as an error.
  template <typename... Parts>
  Status error(const Parts&... parts) const {
    return invalid_model("op ", index, " (", name, "): ", parts...);
  }
  template <typename... Parts>
  Status unsupported(const Parts&... parts) const {
    return deeplab::unsupported("op ", index, " (", name, "): ", parts...);
  }

  /// Tensor id of input `k`, in range, or an error that calls it `what`.
  Result<size_t> input(size_t k, const char* what) const;
  /// The shape of input `k` (rank at most kMaxRank).
  Result<std::span<const int32_t>> shape(size_t k) const;
  size_t input_count() const { return elements(op.inputs()).size(); }
  /// Input `k` as a list of at most `max` numbers: it must be an int32 or int64 constant, or
  /// computed from shapes.
  Result<std::vector<int32_t>> numbers(size_t k, const char* what, size_t max) const;
  /// Input `k` as one real number: a constant of float32, or of 8 bits and a scale.
  Result<float> real(size_t k, const char* what) const;
};

/// Names op `index` and finds its code.
Result<SourceOp> source_op(const Source& source, size_t index);

/// What operators become. An operator of the file may be several ops of the IR, with tensors
/// between them that the file does not have.
struct ReadOps {
  std::vector<graph::Op> ops;
  /// Tensor tensor_count() + i has the type and the quantization of file tensor `like[i]`.
  std::vector<size_t> like;
};

/// Appends what one operator becomes: attributes out of its options and its shape-like operands;
/// inputs are the rest.
Status read_op(const SourceOp& op, ReadOps& to);

/// Whether read_op() knows the operator.
bool is_supported(const SourceOp& op);

/// The tensors of a DEQUANTIZE whose input is a constant: nothing for every other op.
struct DequantizedConstant {
  size_t input;
  size_t output;
};
std::optional<DequantizedConstant> dequantized_constant(const SourceOp& op);

/// Converts tensors one at a time. A buffer that several tensors name is copied once.
class TensorReader {
 public:
  explicit TensorReader(const Source& source) : source_(source) {}
  Result<graph::Tensor> read(size_t id);
  /// Tensor `id` as what DEQUANTIZE makes of `constant`, which dequantized_constant() has found.
  Result<graph::Tensor> read_dequantized(size_t id, size_t constant);

 private:
  Status spend(size_t bytes, size_t id);
  Result<graph::Quantization> read_quantization(size_t id);

  const Source& source_;
  std::map<uint32_t, std::shared_ptr<const std::vector<std::byte>>> buffers_;
  size_t copied_ = 0;
};

/// The metadata entry, and the labels out of the ZIP after the model. Empty parts if the file
/// has none; damaged ones are an error. `graph` is the validated graph of the same file.
Result<Metadata> read_metadata(const Source& source, const graph::Graph& graph);

}  // namespace deeplab::tflite
