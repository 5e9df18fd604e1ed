#include "tflite/file_copy.h"

#include <algorithm>

#include "tflite/source.h"

namespace deeplab::tflite {
namespace {

const schema::Model& model_of(std::span<const std::byte> bytes) {
  return *schema::GetModel(bytes.data());
}

const schema::SubGraph& subgraph_of(std::span<const std::byte> bytes) {
  return *model_of(bytes).subgraphs()->Get(0);
}

/// A FlatBuffers vector begins with its length. `part` is in `bytes`.
void shorten(std::vector<std::byte>& bytes, const void* part, uint32_t length) {
  const auto at = static_cast<const std::byte*>(part) - bytes.data();
  flatbuffers::WriteScalar(bytes.data() + at, length);
}

}  // namespace

int FileCopy::op_count() const {
  return static_cast<int>(size_of(subgraph_of(bytes_).operators()));
}

std::string FileCopy::op_name(int index) const {
  const auto op =
      source_op(Source{bytes_, model_of(bytes_), subgraph_of(bytes_)}, static_cast<size_t>(index));
  return op.ok() ? op->name : std::string("?");
}

Status FileCopy::end_in(graph::TensorId output, int op_count) {
  const schema::SubGraph& subgraph = subgraph_of(bytes_);
  const auto* outputs = subgraph.outputs();
  if (output < 0 || static_cast<size_t>(output) >= size_of(subgraph.tensors()) ||
      size_of(outputs) == 0) {
    return invalid_argument("the file has no tensor ", output);
  }
  const int ops = std::min(op_count, this->op_count());
  const auto first =
      reinterpret_cast<const std::byte*>(outputs->data()) - bytes_.data();  // of the outputs
  shorten(bytes_, outputs, 1);
  flatbuffers::WriteScalar(bytes_.data() + first, output);
  if (subgraph.operators() != nullptr) {
    shorten(bytes_, subgraph.operators(), static_cast<uint32_t>(ops));
  }
  return {};
}

}  // namespace deeplab::tflite
