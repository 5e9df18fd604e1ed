#include "train/run/exported_model.h"

#include <utility>

#include "base/file.h"
#include "tflite/writer.h"

namespace deeplab::train {
namespace {

tflite::ModelFile model_file(const RunOptions& options, graph::Graph graph) {
  tflite::ModelFile model;
  model.graph = std::move(graph);
  model.description = "Trained by deeplab-train";
  model.metadata.name = options.name;
  model.metadata.description = options.description;
  model.metadata.author = options.author;
  model.metadata.license = options.license;
  model.metadata.labels = options.class_names;
  model.metadata.normalization = tflite::Metadata::Normalization{{127.5f}, {127.5f}};
  return model;
}

Status write(const tflite::ModelFile& model, const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, tflite::write_model(model));
  return write_file_atomically(path, bytes);
}

}  // namespace

Result<tflite::ModelFile> exported_model(const RunOptions& options, const Trainer& trainer) {
  if (options.train.quantize_photos == 0) return model_file(options, trainer.float_graph());
  DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph, trainer.int8_graph());
  return model_file(options, std::move(graph));
}

Status write_models(const RunOptions& options, const Trainer& trainer) {
  DEEPLAB_RETURN_IF_ERROR(
      write(model_file(options, trainer.float_graph()), options.directory + "/model.tflite"));
  if (options.train.quantize_photos == 0) return {};
  DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile quantized, exported_model(options, trainer));
  return write(quantized, options.directory + "/model.int8.tflite");
}

}  // namespace deeplab::train
