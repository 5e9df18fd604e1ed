#include <cmath>
#include <cstring>
#include <string_view>

#include "tflite/source.h"
#include "tflite/text.h"
#include "tflite/zip.h"

namespace deeplab::tflite {
namespace {

constexpr int kMaxMetadataDepth = 16;
constexpr int kMaxMetadataTables = 1 << 12;

namespace fb = metadata_schema;

std::string text(const flatbuffers::String* from) {
  constexpr bool kKeepNewlines = true;
  return from == nullptr ? "" : clean_text(from->string_view(), kMaxText, kKeepNewlines);
}

/// The bytes of the metadata entry; empty if there is none.
Result<std::span<const std::byte>> find_metadata(const Source& source) {
  const size_t entries = size_of(source.model.metadata());
  for (size_t i = 0; i < entries; ++i) {
    const schema::Metadata* entry =
        source.model.metadata()->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (entry->name() != nullptr && entry->name()->string_view() == kMetadataEntry) {
      return source.buffer(entry->buffer());
    }
  }
  return std::span<const std::byte>();
}

Result<const fb::ModelMetadata*> verify(const std::vector<uint64_t>& aligned, size_t size) {
  const auto* data = reinterpret_cast<const uint8_t*>(aligned.data());
  flatbuffers::Verifier verifier(data, size, kMaxMetadataDepth, kMaxMetadataTables);
  if (size < 8 || !fb::VerifyModelMetadataBuffer(verifier)) {
    return invalid_model("the metadata entry is damaged: FlatBuffers' verifier refuses it");
  }
  return fb::GetModelMetadata(data);
}

const fb::TensorMetadata* first(
    const flatbuffers::Vector<flatbuffers::Offset<fb::TensorMetadata>>* tensors) {
  return size_of(tensors) == 0 ? nullptr : tensors->Get(0);
}

Result<std::vector<float>> per_channel(const flatbuffers::Vector<float>* from, const char* what,
                                       int32_t channels) {
  const auto values = elements(from);
  if (values.size() != 1 && values.size() != static_cast<size_t>(channels)) {
    return invalid_model("the metadata's normalization: expected 1 or ", channels, " values of ",
                         what, ", found ", values.size());
  }
  for (float value : values) {
    if (!std::isfinite(value)) {
      return invalid_model("the metadata's normalization: ", what, " is ", value);
    }
  }
  return std::vector<float>(values.begin(), values.end());
}

Result<std::optional<Metadata::Normalization>> read_normalization(const fb::TensorMetadata* input,
                                                                  const graph::Graph& graph) {
  const size_t units = input == nullptr ? 0 : size_of(input->process_units());
  for (size_t i = 0; i < units; ++i) {
    const auto* unit = input->process_units()->Get(static_cast<flatbuffers::uoffset_t>(i));
    const auto* options = unit->options_as_NormalizationOptions();
    if (options == nullptr) continue;
    const graph::Shape& shape = graph.tensor(graph.inputs[0]).shape;
    const int32_t channels = shape.empty() ? 1 : shape.back();
    Metadata::Normalization normalization;
    DEEPLAB_ASSIGN_OR_RETURN(normalization.mean, per_channel(options->mean(), "mean", channels));
    DEEPLAB_ASSIGN_OR_RETURN(normalization.stddev, per_channel(options->stddev(), "std", channels));
    for (float stddev : normalization.stddev) {
      if (stddev <= 0) {
        return invalid_model("the metadata's normalization: expected std above 0, found ", stddev);
      }
    }
    return std::optional(std::move(normalization));
  }
  return std::optional<Metadata::Normalization>();
}

Result<std::vector<std::string>> read_labels(const fb::TensorMetadata* output,
                                             std::span<const std::byte> file) {
  const size_t files = output == nullptr ? 0 : size_of(output->associated_files());
  for (size_t i = 0; i < files; ++i) {
    const auto* entry = output->associated_files()->Get(static_cast<flatbuffers::uoffset_t>(i));
    const bool is_labels = entry->type() == fb::AssociatedFileType::TENSOR_AXIS_LABELS ||
                           entry->type() == fb::AssociatedFileType::TENSOR_VALUE_LABELS;
    if (!is_labels || entry->name() == nullptr) continue;
    // A converter that knows nothing of the archive drops it: then there are no labels.
    DEEPLAB_ASSIGN_OR_RETURN(const auto content,
                             read_zip_entry(file, entry->name()->string_view(), kMaxLabelFile));
    if (content) return split_labels(*content);
  }
  return std::vector<std::string>();
}

}  // namespace

Result<Metadata> read_metadata(const Source& source, const graph::Graph& graph) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, find_metadata(source));
  Metadata metadata;
  if (bytes.empty()) return metadata;
  // A FlatBuffer in a FlatBuffer: nothing says that it starts at an aligned address.
  std::vector<uint64_t> aligned(bytes.size() / sizeof(uint64_t) + 1);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  DEEPLAB_ASSIGN_OR_RETURN(const fb::ModelMetadata* from, verify(aligned, bytes.size()));

  metadata.name = text(from->name());
  metadata.description = text(from->description());
  metadata.author = text(from->author());
  metadata.license = text(from->license());
  metadata.version = text(from->version());
  if (size_of(from->subgraph_metadata()) == 0) return metadata;
  const fb::SubGraphMetadata* subgraph = from->subgraph_metadata()->Get(0);
  DEEPLAB_ASSIGN_OR_RETURN(metadata.normalization,
                           read_normalization(first(subgraph->input_tensor_metadata()), graph));
  DEEPLAB_ASSIGN_OR_RETURN(metadata.labels,
                           read_labels(first(subgraph->output_tensor_metadata()), source.bytes));
  return metadata;
}

}  // namespace deeplab::tflite
