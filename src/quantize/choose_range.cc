// From a histogram to the range that is kept of it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/parameter_groups.h"
#include "quantize/statistics.h"

namespace deeplab::quantize {
namespace {

/// The range is cut to this many parts of either end in turn when the least error is sought.
constexpr int kCuts = 100;
/// Rounds of cutting one end, then the other. The second one hardly ever finds more.
constexpr int kRounds = 2;

Range percentile_range(const Histogram& histogram, double percentile) {
  const double outside = (100 - percentile) / 100 * static_cast<double>(histogram.count());
  const auto beyond = static_cast<int64_t>(outside);  // values that may be left out at an end
  const std::span<const int64_t> counts = histogram.counts();
  size_t first = 0;
  for (int64_t sum = counts[0]; sum <= beyond && first + 1 < counts.size();) sum += counts[++first];
  size_t last = counts.size() - 1;
  for (int64_t sum = counts[last]; sum <= beyond && last > 0;) sum += counts[--last];
  const double width = histogram.bin_width();
  const double low = (static_cast<double>(first) - Histogram::kBinsPerSide) * width;
  const double high = (static_cast<double>(last) + 1 - Histogram::kBinsPerSide) * width;
  const Range& all = histogram.range();
  return {std::clamp(static_cast<float>(low), all.min, all.max),
          std::clamp(static_cast<float>(high), all.min, all.max)};
}

/// Moves one end of `best` towards 0 as long as that pays.
void cut_end(const Histogram& histogram, float Range::*end, Range& best, double& least) {
  const float whole = histogram.range().*end;
  for (int part = kCuts - 1; part > 0; --part) {
    Range candidate = best;
    candidate.*end = whole * static_cast<float>(part) / kCuts;
    const double error = quantization_error(histogram, candidate);
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
}

Range least_error_range(const Histogram& histogram) {
  Range best = histogram.range();
  double least = quantization_error(histogram, best);
  for (int round = 0; round < kRounds; ++round) {
    if (best.max > 0) cut_end(histogram, &Range::max, best, least);
    if (best.min < 0) cut_end(histogram, &Range::min, best, least);
  }
  return best;
}

}  // namespace

double quantization_error(const Histogram& histogram, const Range& range) {
  const ActivationQuantization q = activation_quantization(range);
  const double scale = q.scale;
  const double low = scale * (-128 - q.zero_point);
  const double high = scale * (127 - q.zero_point);
  const std::span<const int64_t> counts = histogram.counts();
  double sum = 0;
  for (size_t bin = 0; bin < counts.size(); ++bin) {
    if (counts[bin] == 0) continue;
    const double value = histogram.bin_center(bin);
    const double stored = std::clamp(std::nearbyint(value / scale) * scale, low, high);
    sum += static_cast<double>(counts[bin]) * (value - stored) * (value - stored);
  }
  return sum / static_cast<double>(histogram.count());
}

Range choose_range(const Histogram& histogram, const RangeOptions& options) {
  switch (options.method) {
    case CalibrationMethod::kPercentile:
      return percentile_range(histogram, options.percentile);
    case CalibrationMethod::kMse:
      return least_error_range(histogram);
    case CalibrationMethod::kMinMax:
      break;
  }
  return histogram.range();
}

ActivationRanges choose_ranges(const graph::Graph& graph, const Statistics& statistics,
                               const RangeOptions& options) {
  const std::vector<graph::TensorId> groups = shared_parameters(graph);
  std::vector<Histogram> of_group;
  std::vector<size_t> position(groups.size(), std::numeric_limits<size_t>::max());
  for (size_t id = 0; id < statistics.size(); ++id) {
    if (statistics[id].histogram.count() == 0) continue;
    size_t& place = position[static_cast<size_t>(groups[id])];
    if (place > of_group.size()) {
      place = of_group.size();
      of_group.emplace_back();
    }
    of_group[place].add(statistics[id].histogram);
  }
  std::vector<Range> range_of_group;
  for (const Histogram& histogram : of_group) {
    range_of_group.push_back(choose_range(histogram, options));
  }
  ActivationRanges ranges(graph.tensors.size());
  for (size_t id = 0; id < ranges.size(); ++id) {
    const size_t place = position[static_cast<size_t>(groups[id])];
    if (place < of_group.size()) ranges[id] = range_of_group[place];
  }
  return ranges;
}

}  // namespace deeplab::quantize
