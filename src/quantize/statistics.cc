#include "quantize/statistics.h"

#include <cmath>

#include "quantize/parameter_groups.h"

namespace deeplab::quantize {
namespace {

using graph::TensorId;

/// Adds the values of one photo, channels innermost; false if one is not finite.
bool add_values(std::span<const float> values, size_t channels, TensorStatistics& statistics) {
  if (statistics.channel_ranges.empty()) {
    statistics.channel_ranges.resize(channels);
    statistics.channel_means.resize(channels);
  }
  std::vector<float> low(channels, std::numeric_limits<float>::infinity());
  std::vector<float> high(channels, -std::numeric_limits<float>::infinity());
  std::vector<double> sums(channels);
  for (size_t pixel = 0; pixel < values.size(); pixel += channels) {
    const float* const x = values.data() + pixel;
    for (size_t c = 0; c < channels; ++c) {
      low[c] = std::min(low[c], x[c]);
      high[c] = std::max(high[c], x[c]);
      sums[c] += x[c];
    }
  }
  Range range;
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(sums[c])) return false;
    range.include({low[c], high[c]});
    statistics.channel_ranges[c].include({low[c], high[c]});
    statistics.channel_means[c] += sums[c];  // divided at the end
  }
  statistics.histogram.add(values, range);
  return true;
}

}  // namespace

std::vector<TensorId> range_sources(const graph::Graph& graph) {
  std::vector<TensorId> ids;
  for (const graph::Op& op : graph.ops) {
    if (graph::keeps_parameters(op.attributes) || given_parameters(op)) continue;
    if (graph.tensor(op.output()).type == graph::DataType::kFloat32) ids.push_back(op.output());
  }
  return ids;
}

Result<Statistics> collect_statistics(const graph::Graph& graph, const std::vector<TensorId>& ids,
                                      const Samples& samples, const Engine& engine) {
  if (samples.count == 0) return invalid_argument("calibration needs at least one photo");
  Statistics statistics(graph.tensors.size());
  if (ids.empty()) return statistics;
  DEEPLAB_ASSIGN_OR_RETURN(const auto runner, GraphRunner::create(cut_to(graph, ids), engine));
  const auto values_of = [&](TensorId id) -> std::span<const float> {
    if (id == graph.inputs.front()) return runner->sample();
    const std::span<const std::byte> bytes = runner->stored(id);
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  };
  std::vector<char> finite(ids.size());
  for (size_t i = 0; i < samples.count; ++i) {
    DEEPLAB_RETURN_IF_ERROR(runner->run(samples, i));
    // Each tensor's sums grow in the order of the photos, whoever adds them.
    const auto add = [&](size_t begin, size_t end) {
      for (size_t k = begin; k < end; ++k) {
        const auto channels = static_cast<size_t>(graph.tensor(ids[k]).shape.back());
        finite[k] =
            add_values(values_of(ids[k]), channels, statistics[static_cast<size_t>(ids[k])]);
      }
    };
    if (engine.pool != nullptr) {
      engine.pool->parallel_for(ids.size(), 1, add);
    } else {
      add(0, ids.size());
    }
    for (size_t k = 0; k < ids.size(); ++k) {
      if (finite[k]) continue;
      return invalid_model("tensor \"", graph.tensor(ids[k]).name,
                           "\" holds values that are not finite");
    }
  }
  for (TensorStatistics& tensor : statistics) {
    const double pixels = static_cast<double>(tensor.histogram.count()) /
                          static_cast<double>(tensor.channel_means.size());
    for (double& mean : tensor.channel_means) mean /= pixels;
  }
  return statistics;
}

}  // namespace deeplab::quantize
