#include "quantize/round_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "quantize/constants.h"
#include "quantize/parameter_groups.h"

namespace deeplab::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::TensorId;

constexpr double kMaxWeight = 127;

/// What is known of one activation's channels: sums over pixels of x and of x x^T (upper half).
struct Moments {
  size_t channels = 0;
  int64_t pixels = 0;
  std::vector<double> sums;
  std::vector<double> products;

  explicit Moments(size_t count) : channels(count), sums(count), products(count * count) {}

  void add(const float* x) {
    ++pixels;
    for (size_t i = 0; i < channels; ++i) {
      const double xi = x[i];
      sums[i] += xi;
      if (xi == 0) continue;  // every second value behind a RELU6
      double* const row = products.data() + i * channels;
      for (size_t j = i; j < channels; ++j) row[j] += xi * x[j];
    }
  }
};

/// A filter of this graph that is to be rounded anew, and its place in `Moments`.
struct Target {
  Convolution quantized;
  TensorId float_filter = graph::kNoTensor;
  size_t input = 0;
};

bool is_pointwise(const Graph& graph, const Convolution& conv) {
  const graph::Shape& shape = graph.tensor(conv.filter).shape;
  return !conv.depthwise && shape[1] == 1 && shape[2] == 1 && shape[3] > 1;
}

/// R of H = R^T R, channels in the order of `order`; H is the moments' covariance or mean product.
std::vector<double> factor(const Moments& moments, const std::vector<size_t>& order,
                           const RoundWeightsOptions& options) {
  const size_t n = moments.channels;
  const auto count = static_cast<double>(moments.pixels);
  const auto entry = [&](size_t a, size_t b) {
    const auto [i, j] = std::minmax(a, b);
    const double mean_product = moments.products[i * n + j] / count;
    if (!options.ignore_means) return mean_product;
    return mean_product - moments.sums[i] / count * (moments.sums[j] / count);
  };
  double trace = 0;
  for (size_t i = 0; i < n; ++i) trace += entry(i, i);
  // A tensor that never changes leaves every weight where it is.
  const double added = std::max(options.damping * trace / static_cast<double>(n), 1e-12);
  std::vector<double> r(n * n);
  for (size_t i = 0; i < n; ++i) {
    double* const row = r.data() + i * n;
    for (size_t j = i; j < n; ++j) row[j] = entry(order[i], order[j]);
    row[i] += added;
    for (size_t k = 0; k < i; ++k) {
      const double* const above = r.data() + k * n;
      const double factor = above[i];
      for (size_t j = i; j < n; ++j) row[j] -= factor * above[j];
    }
    // Rounding may take what is left below what was added.
    const double pivot = std::sqrt(std::max(row[i], added * 1e-3));
    row[i] = pivot;
    for (size_t j = i + 1; j < n; ++j) row[j] /= pivot;
  }
  return r;
}

/// Channels by their share in H, the largest last, which is rounded first.
std::vector<size_t> channel_order(const Moments& moments, const RoundWeightsOptions& options) {
  const auto count = static_cast<double>(moments.pixels);
  std::vector<double> share(moments.channels);
  for (size_t i = 0; i < share.size(); ++i) {
    const double mean = options.ignore_means ? moments.sums[i] / count : 0;
    share[i] = moments.products[i * moments.channels + i] / count - mean * mean;
  }
  std::vector<size_t> order(moments.channels);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return share[a] < share[b]; });
  return order;
}

/// One row of a filter; `errors` is scratch.
void round_row(const float* weights, float scale, const std::vector<size_t>& order,
               const std::vector<double>& r, std::vector<double>& errors, int8_t* stored) {
  const size_t n = order.size();
  for (size_t i = n; i-- > 0;) {
    const double* const row = r.data() + i * n;
    double carried = 0;
    for (size_t j = i + 1; j < n; ++j) carried += row[j] * errors[j];
    const double weight = weights[order[i]];
    const double wanted = weight + carried / row[i];
    const double q = std::clamp(std::nearbyint(wanted / scale), -kMaxWeight, kMaxWeight);
    errors[i] = weight - q * scale;
    stored[order[i]] = static_cast<int8_t>(q);
  }
}

class Rounder {
 public:
  Rounder(Graph& quantized, const Graph& float_graph, const Engine& engine,
          const RoundWeightsOptions& options)
      : quantized_(quantized), float_graph_(float_graph), engine_(engine), options_(options) {}

  Result<int64_t> run(const Samples& samples) {
    DEEPLAB_RETURN_IF_ERROR(find_targets());
    if (targets_.empty()) return int64_t{0};
    DEEPLAB_RETURN_IF_ERROR(collect(samples));
    int64_t changed = 0;
    for (size_t input = 0; input < inputs_.size(); ++input) changed += round(input);
    return changed;
  }

 private:
  Status find_targets() {
    const std::vector<TensorId> groups = shared_parameters(float_graph_);
    const auto at = [&](TensorId id) { return groups[static_cast<size_t>(id)]; };
    for (const Op& op : quantized_.ops) {
      Target target;
      if (!as_convolution(op, target.quantized)) continue;
      const int original = float_graph_.producer(target.quantized.output);
      Convolution from;
      if (original < 0 || !as_convolution(float_graph_.ops[static_cast<size_t>(original)], from)) {
        return internal_error(graph::op_label(op), " has no counterpart in the float graph");
      }
      if (!is_pointwise(float_graph_, from) || at(from.input) == at(float_graph_.inputs.front())) {
        continue;
      }
      target.float_filter = from.filter;
      const auto known = std::ranges::find(inputs_, from.input);
      target.input = static_cast<size_t>(known - inputs_.begin());
      if (known == inputs_.end()) inputs_.push_back(from.input);
      targets_.push_back(target);
    }
    return {};
  }

  Status collect(const Samples& samples) {
    if (samples.count == 0) return invalid_argument("rounding weights needs at least one photo");
    DEEPLAB_ASSIGN_OR_RETURN(const auto runner,
                             GraphRunner::create(cut_to(float_graph_, inputs_), engine_));
    for (TensorId id : inputs_) {
      moments_.emplace_back(static_cast<size_t>(float_graph_.tensor(id).shape.back()));
    }
    const size_t each = std::max<size_t>(options_.pixels / samples.count, 1);
    for (size_t sample = 0; sample < samples.count; ++sample) {
      DEEPLAB_RETURN_IF_ERROR(runner->run(samples, sample));
      in_parallel(inputs_.size(), [&](size_t k) {
        const auto* values = reinterpret_cast<const float*>(runner->stored(inputs_[k]).data());
        const size_t pixels =
            runner->stored(inputs_[k]).size() / sizeof(float) / moments_[k].channels;
        const size_t chosen = std::min(pixels, each);
        for (size_t i = 0; i < chosen; ++i) {
          const size_t pixel = (i * 2 + 1) * pixels / (2 * chosen);
          moments_[k].add(values + pixel * moments_[k].channels);
        }
      });
    }
    return {};
  }

  /// All filters that read this input. Returns how many weights changed.
  int64_t round(size_t input) {
    const Moments& moments = moments_[input];
    const std::vector<size_t> order = channel_order(moments, options_);
    const std::vector<double> r = factor(moments, order, options_);
    int64_t changed = 0;
    for (const Target& target : targets_) {
      if (target.input == input) changed += round_filter(target, order, r);
    }
    return changed;
  }

  int64_t round_filter(const Target& target, const std::vector<size_t>& order,
                       const std::vector<double>& r) {
    graph::Tensor& filter = quantized_.tensor(target.quantized.filter);
    const std::span<const float> weights = float_graph_.tensor(target.float_filter).values<float>();
    const std::vector<float>& scales = filter.quantization.scales;
    const size_t n = order.size();
    std::vector<int8_t> stored(weights.size());
    in_parallel(weights.size() / n, [&](size_t row) {
      std::vector<double> errors(n);
      round_row(weights.data() + row * n, scales[scales.size() > 1 ? row : 0], order, r, errors,
                stored.data() + row * n);
    });
    const std::span<const int8_t> before = filter.values<int8_t>();
    int64_t changed = 0;
    for (size_t i = 0; i < stored.size(); ++i) changed += stored[i] != before[i] ? 1 : 0;
    filter.data = constant_bytes<int8_t>(stored);
    return changed;
  }

  template <typename Body>
  void in_parallel(size_t count, const Body& body) {
    const auto range = [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) body(i);
    };
    if (engine_.pool != nullptr) {
      engine_.pool->parallel_for(count, 1, range);
    } else {
      range(0, count);
    }
  }

  Graph& quantized_;
  const Graph& float_graph_;
  const Engine& engine_;
  const RoundWeightsOptions& options_;
  std::vector<TensorId> inputs_;  ///< Of the targets, in the float graph.
  std::vector<Moments> moments_;  ///< By place in inputs_.
  std::vector<Target> targets_;
};

}  // namespace

Result<int64_t> round_weights(Graph& quantized, const Graph& float_graph, const Samples& samples,
                              const Engine& engine, const RoundWeightsOptions& options) {
  return Rounder(quantized, float_graph, engine, options).run(samples);
}

}  // namespace deeplab::quantize
