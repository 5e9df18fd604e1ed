#include "train/run/quantization.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/isa.h"
#include "base/parallel.h"
#include "quantize/quantize_graph.h"
#include "train/data/loader.h"
#include "train/run/normalize.h"

namespace deeplab::train {
namespace {

/// The first samples of a run with another seed, without any variation but the crop.
LoaderOptions calibration_data(const TrainOptions& options) {
  LoaderOptions data = options.data;
  data.batch = 1;
  data.rank = 0;
  data.world = 1;
  data.first_step = 0;
  data.seed += 0x5eed;
  data.augment.scale_min = data.augment.scale_max = 1;
  data.augment.brightness = data.augment.contrast = data.augment.saturation = 0;
  data.augment.hue = data.augment.jpeg_noise = 0;
  return data;
}

}  // namespace

Result<quantize::ActivationRanges> measure_ranges(const GraphNetwork& network,
                                                  const TrainOptions& options, int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto loader, Loader::create(calibration_data(options)));
  std::vector<std::vector<uint8_t>> photos;
  for (int32_t i = 0; i < options.quantize_photos; ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(Batch batch, loader->next());
    photos.push_back(std::move(batch.pixels));
  }
  quantize::Samples samples;
  samples.count = photos.size();
  samples.load = [&](size_t i, std::span<float> input) {
    normalize(photos[i].data(), photos[i].size(), input.data());
    return Status();
  };
  graph::Graph graph = network.export_graph(network.values());
  const AugmentOptions& augment = options.data.augment;
  DEEPLAB_RETURN_IF_ERROR(graph::resize_input(graph, augment.crop_height, augment.crop_width));
  DEEPLAB_ASSIGN_OR_RETURN(const auto pool, ThreadPool::create(threads));
  DEEPLAB_ASSIGN_OR_RETURN(const Isa isa, selected_isa());
  DEEPLAB_ASSIGN_OR_RETURN(const auto statistics,
                           quantize::collect_statistics(graph, quantize::range_sources(graph),
                                                        samples, {pool.get(), isa}));
  quantize::RangeOptions how;
  how.method = quantize::CalibrationMethod::kMinMax;  // as `deeplab quantize` has found best
  return quantize::choose_ranges(graph, statistics, how);
}

Result<graph::Graph> quantize_to_int8(const graph::Graph& float_graph,
                                      const quantize::ActivationRanges& ranges) {
  quantize::QuantizeOptions options;
  options.border = quantize::Border::kFloat32;
  options.output = quantize::Output::kScores;
  return quantize::quantize_graph(float_graph, ranges, options);
}

Status simulate_int8(GraphNetwork& network, const graph::Graph& float_graph,
                     const quantize::ActivationRanges& ranges) {
  DEEPLAB_ASSIGN_OR_RETURN(const graph::Graph quantized, quantize_to_int8(float_graph, ranges));
  network.set_fake_quantization(fake_quantization(quantized, float_graph.tensors.size()));
  return {};
}

}  // namespace deeplab::train
