// The metadata entry and the label file, as TensorFlow Lite's metadata writers and MediaPipe's
// image segmenter expect them.
#include <cmath>
#include <memory>

#include "tflite/metadata_generated.h"
#include "tflite/text.h"
#include "tflite/writer_parts.h"

namespace deeplab::tflite {
namespace {

namespace fb = metadata_schema;

bool has_any(const Metadata& m) {
  return !m.name.empty() || !m.description.empty() || !m.author.empty() || !m.license.empty() ||
         !m.version.empty() || !m.labels.empty() || m.normalization.has_value();
}

std::string text(const std::string& from) {
  constexpr bool kKeepNewlines = true;
  return clean_text(from, kMaxText, kKeepNewlines);
}

Status check(const std::vector<float>& values, const char* what, int32_t channels) {
  if (values.size() != 1 && values.size() != static_cast<size_t>(channels)) {
    return invalid_argument("normalization: expected 1 or ", channels, " values of ", what,
                            ", found ", values.size());
  }
  for (float value : values) {
    if (!std::isfinite(value)) return invalid_argument("normalization: ", what, " is ", value);
  }
  return {};
}

int32_t last_dimension(const graph::Tensor& tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.back();
}

Result<std::unique_ptr<fb::ProcessUnitT>> normalization(const Metadata::Normalization& from,
                                                        const graph::Tensor& input) {
  const int32_t channels = last_dimension(input);
  DEEPLAB_RETURN_IF_ERROR(check(from.mean, "mean", channels));
  DEEPLAB_RETURN_IF_ERROR(check(from.stddev, "std", channels));
  for (float stddev : from.stddev) {
    if (stddev <= 0) {
      return invalid_argument("normalization: expected std above 0, found ", stddev);
    }
  }
  fb::NormalizationOptionsT options;
  options.mean = from.mean;
  options.stddev = from.stddev;
  auto unit = std::make_unique<fb::ProcessUnitT>();
  unit->options.Set(std::move(options));
  return unit;
}

std::unique_ptr<fb::ContentT> image(fb::ColorSpaceType color_space) {
  fb::ImagePropertiesT properties;
  properties.color_space = color_space;
  auto content = std::make_unique<fb::ContentT>();
  content->content_properties.Set(std::move(properties));
  return content;
}

/// A photo. Only input 0 has a normalization.
std::unique_ptr<fb::TensorMetadataT> input_metadata(const graph::Tensor& input) {
  auto tensor = std::make_unique<fb::TensorMetadataT>();
  tensor->name = "image";
  tensor->description = "The photo to be segmented.";
  if (input.shape.size() == 4 && last_dimension(input) == 3) {
    tensor->content = image(fb::ColorSpaceType::RGB);
  } else if (input.shape.size() == 4 && last_dimension(input) == 1) {
    tensor->content = image(fb::ColorSpaceType::GRAYSCALE);
  }
  return tensor;
}

/// A category mask, whose values are labels, or scores with one channel per label.
std::unique_ptr<fb::TensorMetadataT> output_metadata(const graph::Tensor& output) {
  const bool mask =
      output.type == graph::DataType::kInt32 || output.type == graph::DataType::kInt64;
  auto tensor = std::make_unique<fb::TensorMetadataT>();
  tensor->name = mask ? "category_mask" : "segmentation_masks";
  tensor->description = mask ? "The category of each pixel." : "A score a category for each pixel.";
  if (output.shape.size() == 4 || (mask && output.shape.size() == 3)) {
    tensor->content = image(fb::ColorSpaceType::GRAYSCALE);
    tensor->content->range = std::make_unique<fb::ValueRangeT>();
    tensor->content->range->min = 1;
    tensor->content->range->max = 2;
  }
  return tensor;
}

std::unique_ptr<fb::AssociatedFileT> labels_of(const graph::Tensor& output) {
  const bool mask =
      output.type == graph::DataType::kInt32 || output.type == graph::DataType::kInt64;
  auto file = std::make_unique<fb::AssociatedFileT>();
  file->name = kLabelFile;
  file->description = "The categories' names, one a line.";  // prose-ok: bytes of the file
  file->type = mask ? fb::AssociatedFileType::TENSOR_VALUE_LABELS
                    : fb::AssociatedFileType::TENSOR_AXIS_LABELS;
  return file;
}

}  // namespace

Result<std::vector<uint8_t>> metadata_entry(const Metadata& metadata, const graph::Graph& graph) {
  if (!has_any(metadata)) return std::vector<uint8_t>();
  auto subgraph = std::make_unique<fb::SubGraphMetadataT>();
  for (graph::TensorId id : graph.inputs) {
    subgraph->input_tensor_metadata.push_back(input_metadata(graph.tensor(id)));
  }
  for (graph::TensorId id : graph.outputs) {
    subgraph->output_tensor_metadata.push_back(output_metadata(graph.tensor(id)));
  }
  if (metadata.normalization) {
    DEEPLAB_ASSIGN_OR_RETURN(auto unit,
                             normalization(*metadata.normalization, graph.tensor(graph.inputs[0])));
    subgraph->input_tensor_metadata[0]->process_units.push_back(std::move(unit));
  }
  if (!metadata.labels.empty()) {
    subgraph->output_tensor_metadata[0]->associated_files.push_back(
        labels_of(graph.tensor(graph.outputs[0])));
  }
  fb::ModelMetadataT model;
  model.name = text(metadata.name);
  model.description = text(metadata.description);
  model.version = text(metadata.version);
  model.author = text(metadata.author);
  model.license = text(metadata.license);
  model.subgraph_metadata.push_back(std::move(subgraph));
  // The format's version that first had everything that is used here.
  model.min_parser_version = "1.0.0";

  flatbuffers::FlatBufferBuilder builder;
  fb::FinishModelMetadataBuffer(builder, fb::CreateModelMetadata(builder, &model));
  return std::vector<uint8_t>(builder.GetBufferPointer(),
                              builder.GetBufferPointer() + builder.GetSize());
}

Result<std::string> label_file(const std::vector<std::string>& labels) {
  std::string content;
  for (const std::string& label : labels) content += label + "\n";
  const std::vector<std::string> read = split_labels(content);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i < read.size() && read[i] == labels[i]) continue;
    return invalid_argument("label ", i, " (\"", clean_text(labels[i], kMaxLabel),
                            "\"): expected one line of UTF-8, ", "at most ", kMaxLabel,
                            " bytes, without trailing blanks and, if it is the last, not empty");
  }
  if (content.size() > kMaxLabelFile) {
    return resource_exhausted("the labels take ", content.size(), " bytes; at most ", kMaxLabelFile,
                              " are read");
  }
  return content;
}

}  // namespace deeplab::tflite
