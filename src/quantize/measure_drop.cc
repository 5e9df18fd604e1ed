#include "quantize/measure_drop.h"

#include <cmath>
#include <limits>

#include "quantize/statistics.h"

namespace deeplab::quantize {
namespace {

using graph::TensorId;

struct Energy {
  double signal = 0;
  double noise = 0;
};

void add_energy(std::span<const float> exact, std::span<const float> rounded, Energy& energy) {
  for (size_t i = 0; i < exact.size(); ++i) {
    const double x = exact[i];
    const double error = x - rounded[i];
    energy.signal += x * x;
    energy.noise += error * error;
  }
}

double decibels(const Energy& energy) {
  if (energy.noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(energy.signal / energy.noise);
}

}  // namespace

Result<std::vector<OpDrop>> measure_drop(const graph::Graph& float_graph,
                                         const graph::Graph& quantized, const Samples& samples,
                                         const Engine& engine, float input_shift) {
  if (samples.count == 0) return invalid_argument("measuring the drop needs at least one photo");
  std::vector<TensorId> ids;
  for (TensorId id : range_sources(float_graph)) {
    if (quantized.producer(id) >= 0) ids.push_back(id);
  }
  if (ids.empty()) return std::vector<OpDrop>();
  DEEPLAB_ASSIGN_OR_RETURN(const auto exact, GraphRunner::create(cut_to(float_graph, ids), engine));
  DEEPLAB_ASSIGN_OR_RETURN(const auto rounded,
                           GraphRunner::create(cut_to(quantized, ids), engine, input_shift));
  std::vector<Energy> energies(ids.size());
  for (size_t i = 0; i < samples.count; ++i) {
    DEEPLAB_RETURN_IF_ERROR(exact->run(samples, i));
    DEEPLAB_RETURN_IF_ERROR(rounded->run(samples, i));
    const auto add = [&](size_t begin, size_t end) {
      std::vector<float> x, y;
      for (size_t k = begin; k < end; ++k) {
        exact->real_values(ids[k], x);
        rounded->real_values(ids[k], y);
        add_energy(x, y, energies[k]);
      }
    };
    if (engine.pool != nullptr) {
      engine.pool->parallel_for(ids.size(), 1, add);
    } else {
      add(0, ids.size());
    }
  }
  std::vector<OpDrop> drops;
  for (size_t k = 0; k < ids.size(); ++k) {
    const graph::Op& op = quantized.ops[static_cast<size_t>(quantized.producer(ids[k]))];
    drops.push_back({op.index, std::string(graph::op_name(op.attributes)), ids[k],
                     quantized.tensor(ids[k]).shape, decibels(energies[k])});
  }
  return drops;
}

}  // namespace deeplab::quantize
