// What the float graph's tensors hold on the calibration photos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/graph_runner.h"
#include "quantize/histogram.h"
#include "quantize/parameters.h"

namespace deeplab::quantize {

/// Of one tensor, over all photos.
struct TensorStatistics {
  Histogram histogram;
  std::vector<Range> channel_ranges;  ///< By the last dimension.
  std::vector<double> channel_means;
};

/// By tensor id; empty (no channel) if a tensor was not asked for.
using Statistics = std::vector<TensorStatistics>;

/// The tensors whose ranges quantize_graph() needs: what float ops write that neither keep their
/// inputs' parameters nor have given ones. In execution order.
std::vector<graph::TensorId> range_sources(const graph::Graph& graph);

/// Runs the float graph on all samples. Only what `ids` need is computed. Errors: no samples, one
/// that cannot be loaded, a value that is not finite (with its tensor), memory.
Result<Statistics> collect_statistics(const graph::Graph& graph,
                                      const std::vector<graph::TensorId>& ids,
                                      const Samples& samples, const Engine& engine);

enum class CalibrationMethod : uint8_t {
  kMinMax,      ///< All values.
  kPercentile,  ///< All but (100 - percentile) % at either end.
  kMse,         ///< The range whose quantization has the least mean squared error.
};

struct RangeOptions {
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double percentile = 99.99;
};

/// One range per tensor for quantize_graph(); tensors that share parameters are taken as one. Never
/// wider than the values were.
ActivationRanges choose_ranges(const graph::Graph& graph, const Statistics& statistics,
                               const RangeOptions& options);

/// The same for one histogram, which is not empty.
Range choose_range(const Histogram& histogram, const RangeOptions& options);

/// Mean squared error of the histogram's values (taken at the middle of their bins) after
/// quantization by activation_quantization(range).
double quantization_error(const Histogram& histogram, const Range& range);

}  // namespace deeplab::quantize
