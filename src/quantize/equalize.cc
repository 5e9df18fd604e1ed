#include "quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "passes/rewrite.h"
#include "quantize/constants.h"
#include "quantize/parameter_groups.h"

namespace deeplab::quantize {
namespace {

using graph::Activation;
using graph::Graph;
using graph::TensorId;

/// Factors beyond this are no equalization but a dead channel.
constexpr float kLargestFactor = 256;
constexpr float kRelu6 = 6;
/// A channel is taken as clamped from here on: the float clamp gives 6 itself.
constexpr float kClamped = 0.999f * kRelu6;

struct Pair {
  Convolution first;
  Convolution second;
  size_t offset = 0;  ///< Where the first one's channels begin among those the second one reads.
};

/// The convolution that alone reads `conv`'s output, channel by channel.
std::optional<Pair> find_pair(const Graph& graph, const Convolution& conv) {
  if (conv.activation == Activation::kReluN1To1) return std::nullopt;
  Pair pair{conv, {}, 0};
  TensorId id = conv.output;
  while (true) {
    const int reader = passes::sole_reader(graph, id);
    if (reader < 0) return std::nullopt;
    const graph::Op& op = graph.ops[static_cast<size_t>(reader)];
    if (as_convolution(op, pair.second)) {
      if (pair.second.input != id) return std::nullopt;
      return pair;
    }
    if (const auto* join = std::get_if<graph::Concatenation>(&op.attributes)) {
      if (join->axis != 3 || join->activation != Activation::kNone) return std::nullopt;
      for (TensorId input : op.inputs) {
        if (input == id) break;
        pair.offset += static_cast<size_t>(graph.tensor(input).shape[3]);
      }
    } else if (const auto* pool = std::get_if<graph::AveragePool2D>(&op.attributes)) {
      if (pool->activation != Activation::kNone) return std::nullopt;
    } else if (!std::holds_alternative<graph::ResizeBilinear>(op.attributes) &&
               !std::holds_alternative<graph::ResizeNearestNeighbor>(op.attributes)) {
      return std::nullopt;
    }
    id = op.output();
  }
}

/// Largest magnitude of each output channel's weights (rows), or of each input channel's.
std::vector<float> filter_ranges(const Graph& graph, const Convolution& conv, bool rows) {
  const graph::Tensor& filter = graph.tensor(conv.filter);
  const FilterIndex index(conv, filter.shape);
  std::vector<float> ranges(rows ? index.outputs() : index.inputs());
  const std::span<const float> weights = filter.values<float>();
  for (size_t i = 0; i < weights.size(); ++i) {
    float& range = ranges[rows ? index.output(i) : index.input(i)];
    range = std::max(range, std::abs(weights[i]));
  }
  return ranges;
}

/// Tensors that have to be scaled alike, and the convolutions at their ends.
struct Stream {
  std::vector<TensorId> tensors;
  std::vector<Convolution> producers;
  std::vector<Convolution> readers;
};

/// Whether the op gives channel by channel sums or means of its inputs, and so has their scales.
bool keeps_channel_scales(const Graph& graph, const graph::Op& op) {
  if (const auto* add = std::get_if<graph::Add>(&op.attributes)) {
    return add->activation == Activation::kNone && !graph.tensor(op.inputs[1]).is_constant() &&
           graph.tensor(op.inputs[0]).shape == graph.tensor(op.inputs[1]).shape;
  }
  if (const auto* pool = std::get_if<graph::AveragePool2D>(&op.attributes)) {
    return pool->activation == Activation::kNone;
  }
  return std::holds_alternative<graph::ResizeBilinear>(op.attributes) ||
         std::holds_alternative<graph::ResizeNearestNeighbor>(op.attributes);
}

/// Adds what `op` says about `stream`; false if it does not allow channels to be scaled.
bool add_end(const Graph& graph, const graph::Op& op, TensorId id, bool writes, Stream& stream) {
  if (keeps_channel_scales(graph, op)) return true;
  Convolution conv;
  if (!as_convolution(op, conv)) return false;
  if (writes) {
    stream.producers.push_back(conv);
    return conv.activation == Activation::kNone || conv.activation == Activation::kRelu;
  }
  stream.readers.push_back(conv);
  return conv.input == id;
}

/// The streams of the graph that are no pairs: with several readers, or sums.
std::vector<Stream> find_streams(const Graph& graph) {
  std::vector<TensorId> root(graph.tensors.size());
  std::iota(root.begin(), root.end(), 0);
  const auto at = [](TensorId id) { return static_cast<size_t>(id); };
  for (const graph::Op& op : graph.ops) {
    if (!keeps_channel_scales(graph, op)) continue;
    for (TensorId id : op.inputs) {
      const TensorId from = root[at(id)];
      const TensorId to = root[at(op.output())];
      std::ranges::replace(root, from, to);
    }
  }
  std::map<TensorId, Stream> streams;
  std::set<TensorId> spoilt;
  const auto visit = [&](const graph::Op& op, TensorId id, bool writes) {
    if (id == graph::kNoTensor || graph.tensor(id).is_constant()) return;
    if (!add_end(graph, op, id, writes, streams[root[at(id)]])) spoilt.insert(root[at(id)]);
  };
  for (const graph::Op& op : graph.ops) {
    for (TensorId id : op.inputs) visit(op, id, false);
    visit(op, op.output(), true);
    streams[root[at(op.output())]].tensors.push_back(op.output());
  }
  for (TensorId id : graph.inputs) spoilt.insert(root[at(id)]);
  for (TensorId id : graph.outputs) spoilt.insert(root[at(id)]);
  std::vector<Stream> found;
  for (auto& [id, stream] : streams) {
    const bool is_pair = stream.producers.size() < 2 && stream.readers.size() < 2;
    if (!spoilt.contains(id) && !is_pair) found.push_back(std::move(stream));
  }
  return found;
}

class Equalizer {
 public:
  Equalizer(Graph& graph, const Statistics& statistics, const EqualizeOptions& options)
      : graph_(graph), options_(options), reach_(statistics.size()) {
    for (size_t id = 0; id < statistics.size(); ++id) {
      for (const Range& range : statistics[id].channel_ranges) {
        reach_[id].push_back(std::max(std::abs(range.min), std::abs(range.max)));
      }
    }
    groups_ = shared_parameters(graph);
    scaled_.resize(statistics.size());
  }

  int64_t run() {
    const std::vector<Stream> streams = find_streams(graph_);
    for (int round = 0; round < options_.rounds; ++round) {
      for (const Stream& stream : streams) equalize_stream(stream);
      for (const graph::Op& op : graph_.ops) {
        Convolution conv;
        if (!as_convolution(op, conv)) continue;
        if (const auto pair = find_pair(graph_, conv)) equalize_pair(*pair);
      }
    }
    int64_t count = 0;
    for (const std::vector<bool>& channels : scaled_) count += std::ranges::count(channels, true);
    return count;
  }

 private:
  std::vector<float>& reach(TensorId id) { return reach_[static_cast<size_t>(id)]; }

  /// The largest magnitude in all tensors that share their parameters with `id`.
  float group_reach(TensorId id) const {
    float largest = 0;
    for (size_t other = 0; other < reach_.size(); ++other) {
      if (groups_[other] != groups_[static_cast<size_t>(id)]) continue;
      for (float value : reach_[other]) largest = std::max(largest, value);
    }
    return largest;
  }

  void equalize_pair(const Pair& pair) {
    const std::vector<float> factors = choose_factors(pair);
    if (factors.empty()) return;
    divide_rows(pair.first, factors);
    multiply_columns(pair.second, pair.offset, factors);
    note_scaled(pair.first.output, factors);
  }

  void equalize_stream(const Stream& stream) {
    const std::vector<float> factors = choose_factors(stream);
    if (factors.empty()) return;
    for (const Convolution& conv : stream.producers) divide_rows(conv, factors);
    for (const Convolution& conv : stream.readers) multiply_columns(conv, 0, factors);
    for (TensorId id : stream.tensors) note_scaled(id, factors);
  }

  void divide_rows(const Convolution& conv, const std::vector<float>& factors) {
    const auto divide = [&](float value, size_t channel) { return value / factors[channel]; };
    const FilterIndex rows(conv, graph_.tensor(conv.filter).shape);
    rewrite(conv.filter, [&](size_t i, float w) { return divide(w, rows.output(i)); });
    rewrite(conv.bias, [&](size_t i, float b) { return divide(b, i); });
  }

  void multiply_columns(const Convolution& conv, size_t offset, const std::vector<float>& factors) {
    const FilterIndex columns(conv, graph_.tensor(conv.filter).shape);
    rewrite(conv.filter, [&](size_t i, float w) {
      const size_t channel = columns.input(i);
      const bool ours = channel >= offset && channel - offset < factors.size();
      return ours ? w * factors[channel - offset] : w;
    });
  }

  void note_scaled(TensorId id, const std::vector<float>& factors) {
    if (reach(id).empty()) return;  // of a pool or a resize: its source stands for it
    std::vector<bool>& scaled = scaled_[static_cast<size_t>(id)];
    scaled.resize(factors.size());
    for (size_t c = 0; c < factors.size(); ++c) {
      reach(id)[c] /= factors[c];
      if (factors[c] != 1) scaled[c] = true;
    }
  }

  /// Takes `values` relative to their largest into the largest seen.
  static void include_relative(const std::vector<float>& values, std::vector<float>& largest) {
    if (values.empty()) return;
    const float whole = *std::ranges::max_element(values);
    if (!(whole > 0)) return;
    largest.resize(values.size());
    for (size_t c = 0; c < values.size(); ++c) largest[c] = std::max(largest[c], values[c] / whole);
  }

  std::vector<float> choose_factors(const Stream& stream) {
    std::vector<float> rows, columns;
    if (options_.granularity == Granularity::kPerChannel) {
      for (TensorId id : stream.tensors) include_relative(reach(id), rows);
    } else {
      for (const Convolution& conv : stream.producers) {
        include_relative(filter_ranges(graph_, conv, true), rows);
      }
    }
    for (const Convolution& conv : stream.readers) {
      if (!conv.depthwise) include_relative(filter_ranges(graph_, conv, false), columns);
    }
    if (columns.empty()) columns.assign(rows.size(), 1);
    if (rows.empty() || rows.size() != columns.size()) return {};
    std::vector<float> factors(rows.size());
    float most = 0;
    for (size_t c = 0; c < factors.size(); ++c) {
      factors[c] = std::sqrt(rows[c] / columns[c]);
      if (!(factors[c] > 0) || !std::isfinite(factors[c])) factors[c] = 1;
      factors[c] = std::clamp(factors[c], 1 / kLargestFactor, kLargestFactor);
      most = std::max(most, rows[c] / factors[c]);
    }
    if (most > 0) {
      for (float& s : factors) s *= most;  // the largest reach stays what it was
    }
    return factors;
  }

  std::vector<float> choose_factors(const Pair& pair) {
    const std::vector<float>& seen = reach(pair.first.output);
    const bool relu6 = pair.first.activation == Activation::kRelu6;
    const float limit = relu6 ? kRelu6 / options_.headroom : group_reach(pair.first.output);
    if (seen.empty() || !(limit > 0)) return {};
    std::vector<float> factors = ideal_factors(pair, seen, limit);
    for (size_t c = 0; c < factors.size(); ++c) {
      float& s = factors[c];
      const bool clamped = relu6 && seen[c] >= kClamped;
      if (clamped || !(seen[c] > 0) || !(s > 0) || !std::isfinite(s)) {
        s = 1;
        continue;
      }
      s = std::clamp(s, 1 / kLargestFactor, kLargestFactor);
      // A channel between 6 / headroom and 6 has no room to grow, but need not shrink either.
      s = std::max(s, std::min(1.0f, seen[c] / limit));
    }
    return factors;
  }

  std::vector<float> ideal_factors(const Pair& pair, const std::vector<float>& seen, float limit) {
    std::vector<float> factors(seen.size());
    const bool per_channel = options_.granularity == Granularity::kPerChannel;
    if (per_channel && pair.second.depthwise) {
      for (size_t c = 0; c < factors.size(); ++c) factors[c] = seen[c] / limit;
      return factors;
    }
    const std::vector<float> columns = filter_ranges(graph_, pair.second, false);
    const std::vector<float> rows = per_channel ? seen : filter_ranges(graph_, pair.first, true);
    float most = 0;  // of the reaches after scaling
    for (size_t c = 0; c < factors.size(); ++c) {
      factors[c] = std::sqrt(rows[c] / columns[c + pair.offset]);
      if (factors[c] > 0 && std::isfinite(factors[c])) most = std::max(most, seen[c] / factors[c]);
    }
    // One factor more for all channels changes nothing within the pair; this one makes the tensor
    // fill the range that it has to share.
    if (per_channel && most > 0) {
      for (float& s : factors) s *= most / limit;
    }
    return factors;
  }

  template <typename Change>
  void rewrite(TensorId id, const Change& change) {
    graph::Tensor& tensor = graph_.tensor(id);
    std::vector<float> values(tensor.values<float>().begin(), tensor.values<float>().end());
    for (size_t i = 0; i < values.size(); ++i) values[i] = change(i, values[i]);
    tensor.data = constant_bytes<float>(values);
  }

  Graph& graph_;
  EqualizeOptions options_;
  std::vector<std::vector<float>> reach_;  ///< By tensor and channel.
  std::vector<TensorId> groups_;
  std::vector<std::vector<bool>> scaled_;
};

}  // namespace

int64_t equalize(Graph& graph, const Statistics& statistics, const EqualizeOptions& options) {
  return Equalizer(graph, statistics, options).run();
}

double weight_spread(const Graph& graph, const graph::Op& op) {
  Convolution conv;
  if (!as_convolution(op, conv) || graph.tensor(conv.filter).type != graph::DataType::kFloat32) {
    return 1;
  }
  float least = std::numeric_limits<float>::infinity();
  float most = 0;
  for (float range : filter_ranges(graph, conv, true)) {
    if (range > 0) least = std::min(least, range);
    most = std::max(most, range);
  }
  return most > 0 ? double{most} / least : 1;
}

}  // namespace deeplab::quantize
