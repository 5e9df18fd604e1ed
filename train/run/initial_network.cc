#include "train/run/initial_network.h"

#include <utility>

#include "base/file.h"
#include "quantize/dequantize_graph.h"
#include "tflite/reader.h"
#include "train/network/build_network.h"

namespace deeplab::train {
namespace {

/// Returns the names of the layers that the file does not fill.
Result<std::vector<std::string>> fill_from_file(const std::string& path, graph::Graph& graph) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, read_file(path, tflite::kMaxFileBytes));
  DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile file, tflite::read_model(bytes, path));
  const auto source = quantize::dequantize_graph(file.graph);
  if (!source.ok()) return annotate(source.status(), path);
  auto left = copy_weights(*source, graph);
  if (!left.ok()) return annotate(left.status(), path);
  return left;
}

}  // namespace

Result<InitialNetwork> make_initial_network(const TrainOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph, build_network(options.network, options.data.seed));
  std::vector<std::string> fresh_layers;
  if (!options.init.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(fresh_layers, fill_from_file(options.init, graph));
  }
  const AugmentOptions& augment = options.data.augment;
  DEEPLAB_ASSIGN_OR_RETURN(
      GraphNetwork network,
      GraphNetwork::create(graph, augment.crop_height, augment.crop_width, options.batch_norm));
  network.mark_fresh(fresh_layers);
  if (options.freeze_backbone) network.freeze_before(network.backbone_end());
  return InitialNetwork{std::move(network), std::move(fresh_layers)};
}

}  // namespace deeplab::train
