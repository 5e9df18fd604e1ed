#include "quantize/correct_bias.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "exec/planned_executor.h"
#include "passes/rewrite.h"
#include "passes/shift_uint8.h"
#include "plan/plan.h"
#include "quantize/constants.h"
#include "quantize/parameters.h"

namespace deeplab::quantize {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Op;
using graph::TensorId;

using Bytes = std::vector<std::byte>;

/// Every sample's activations at one point of the graph, moved on op by op.
class Frontier {
 public:
  Frontier(const Graph& graph, const Engine& engine) : graph_(graph), engine_(engine) {
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      for (TensorId id : graph.ops[i].inputs) last_reader_[id] = i;
    }
  }

  Status start(const Samples& samples, float input_shift) {
    const TensorId input = graph_.inputs.front();
    const graph::Tensor& tensor = graph_.tensor(input);
    std::vector<float> sample(static_cast<size_t>(tensor.elements()));
    for (size_t i = 0; i < samples.count; ++i) {
      DEEPLAB_RETURN_IF_ERROR(samples.load(i, sample));
      Bytes bytes(tensor.byte_size());
      if (tensor.type == DataType::kFloat32) {
        std::memcpy(bytes.data(), sample.data(), bytes.size());
      } else {
        const ActivationQuantization q{tensor.quantization.scale(),
                                       tensor.quantization.zero_point()};
        for (size_t k = 0; k < bytes.size(); ++k) {
          bytes[k] = static_cast<std::byte>(quantize_activation(sample[k] - input_shift, q));
        }
      }
      held_[input].push_back(std::move(bytes));
    }
    return {};
  }

  bool holds(TensorId id) const { return held_.contains(id); }
  const std::vector<Bytes>& held(TensorId id) const { return held_.at(id); }

  /// Runs the op at `position` on every sample, and forgets what no later one reads.
  Status advance(size_t position, size_t samples) {
    const Op& op = graph_.ops[position];
    Graph single;
    single.tensors = graph_.tensors;
    single.ops = {op};
    for (TensorId id : op.inputs) {
      if (id == graph::kNoTensor || graph_.tensor(id).is_constant()) continue;
      if (std::ranges::count(single.inputs, id) == 0) single.inputs.push_back(id);
    }
    single.outputs = op.outputs;
    const std::vector<TensorId> inputs = single.inputs;
    plan::PlanOptions options;
    options.isa = engine_.isa;
    options.threads = engine_.pool != nullptr ? engine_.pool->threads() : 1;
    DEEPLAB_ASSIGN_OR_RETURN(auto plan, plan::Plan::build(std::move(single), options));
    DEEPLAB_ASSIGN_OR_RETURN(auto executor,
                             exec::PlannedExecutor::create(std::move(plan), engine_.pool));
    std::vector<Bytes>& results = held_[op.output()];
    for (size_t i = 0; i < samples; ++i) {
      for (TensorId id : inputs) std::ranges::copy(held(id)[i], executor->tensor(id).begin());
      executor->run();
      const std::span<const std::byte> result = executor->tensor(op.output());
      results.emplace_back(result.begin(), result.end());
    }
    std::erase_if(held_, [&](const auto& entry) {
      const auto last = last_reader_.find(entry.first);
      return last == last_reader_.end() || last->second <= position;
    });
    return {};
  }

 private:
  const Graph& graph_;
  Engine engine_;
  std::map<TensorId, size_t> last_reader_;
  std::map<TensorId, std::vector<Bytes>> held_;  ///< One buffer per sample.
};

/// Channel means, as real numbers, of an int8 activation over all samples.
std::vector<double> quantized_means(const graph::Tensor& tensor,
                                    const std::vector<Bytes>& samples) {
  const auto channels = static_cast<size_t>(tensor.shape.back());
  std::vector<int64_t> sums(channels);
  int64_t pixels = 0;
  for (const Bytes& bytes : samples) {
    const auto* stored = reinterpret_cast<const int8_t*>(bytes.data());
    for (size_t i = 0; i < bytes.size(); i += channels, ++pixels) {
      for (size_t c = 0; c < channels; ++c) sums[c] += stored[i + c];
    }
  }
  std::vector<double> means(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double stored = static_cast<double>(sums[c]) / static_cast<double>(pixels);
    means[c] = tensor.quantization.scale() * (stored - tensor.quantization.zero_point());
  }
  return means;
}

/// Mean result a channel, without the bias, from the inputs' means.
template <typename T>
std::vector<double> mean_results(const graph::Tensor& filter, const Convolution& conv,
                                 const std::vector<double>& means) {
  const FilterIndex index(conv, filter.shape);
  std::vector<double> results(index.outputs());
  const std::span<const T> weights = filter.values<T>();
  for (size_t i = 0; i < weights.size(); ++i) {
    results[index.output(i)] += static_cast<double>(weights[i]) * means[index.input(i)];
  }
  return results;
}

/// What an ADD adds to `result`, which nothing else reads; or kNoTensor.
TensorId addend(const Graph& graph, TensorId result) {
  const int reader = passes::sole_reader(graph, result);
  if (reader < 0) return graph::kNoTensor;
  const Op& op = graph.ops[static_cast<size_t>(reader)];
  if (!std::holds_alternative<graph::Add>(op.attributes)) return graph::kNoTensor;
  const TensorId other = op.inputs[op.inputs[0] == result ? 1 : 0];
  const bool per_channel = graph.tensor(other).shape.size() == graph.tensor(result).shape.size() &&
                           graph.tensor(other).shape.back() == graph.tensor(result).shape.back();
  return per_channel && !graph.tensor(other).is_constant() ? other : graph::kNoTensor;
}

/// Whether the means of what `op` writes are right, to rounding, if those of its inputs are.
bool keeps_means(const Op& op) {
  const bool moves = graph::keeps_parameters(op.attributes) &&
                     !std::holds_alternative<graph::MaxPool2D>(op.attributes);
  return (moves || std::holds_alternative<graph::Add>(op.attributes)) &&
         graph::activation_of(op.attributes) == graph::Activation::kNone;
}

/// Moves the biases of `conv` to where the means are those of `from`, in the float graph, less
/// `shift` if there is one.
void correct(Graph& quantized, const Convolution& conv, const std::vector<double>& quantized_means,
             const Graph& float_graph, const Convolution& from,
             const std::vector<double>& float_means, const std::vector<double>& shift) {
  const graph::Tensor& filter = quantized.tensor(conv.filter);
  graph::Tensor& bias = quantized.tensor(conv.bias);
  const std::vector<double> is = mean_results<int8_t>(filter, conv, quantized_means);
  const std::vector<double> wanted =
      mean_results<float>(float_graph.tensor(from.filter), from, float_means);
  std::span<const float> float_bias;
  if (from.bias != graph::kNoTensor) float_bias = float_graph.tensor(from.bias).values<float>();
  const float input_scale = quantized.tensor(conv.input).quantization.scale();
  const std::vector<float>& scales = filter.quantization.scales;
  std::vector<int32_t> corrected(is.size());
  for (size_t c = 0; c < is.size(); ++c) {
    const float scale = scales[scales.size() > 1 ? c : 0];
    double real = wanted[c] + (float_bias.empty() ? 0 : float_bias[c]) - is[c] * scale;
    if (!shift.empty()) real -= shift[c];
    corrected[c] = quantize_bias(real, input_scale, scale);
  }
  bias.data = constant_bytes<int32_t>(corrected);
}

}  // namespace

std::vector<TensorId> mean_sources(const Graph& graph) {
  std::vector<TensorId> ids;
  for (const Op& op : graph.ops) {
    Convolution conv;
    if (!as_convolution(op, conv)) continue;
    for (TensorId id : {conv.input, addend(graph, conv.output)}) {
      if (id != graph::kNoTensor && std::ranges::count(ids, id) == 0) ids.push_back(id);
    }
  }
  return ids;
}

Status correct_biases(Graph& quantized, const Graph& float_graph, const Statistics& means,
                      const Samples& samples, const Engine& engine, float input_shift) {
  if (samples.count == 0) return invalid_argument("bias correction needs at least one photo");
  Graph working = quantized;
  DEEPLAB_RETURN_IF_ERROR(passes::shift_uint8(working));
  size_t convolutions = working.ops.size();
  Convolution conv;
  while (convolutions > 0 && !as_convolution(working.ops[convolutions - 1], conv)) --convolutions;

  Frontier frontier(working, engine);
  DEEPLAB_RETURN_IF_ERROR(frontier.start(samples, input_shift));
  const auto float_means = [&](TensorId id) -> const std::vector<double>& {
    return means[static_cast<size_t>(id)].channel_means;
  };
  const auto means_now = [&](TensorId id) {
    return quantized_means(working.tensor(id), frontier.held(id));
  };
  std::set<TensorId> right;  // tensors whose means are those of the float graph, to rounding
  for (size_t position = 0; position < convolutions; ++position) {
    const Op& op = working.ops[position];
    if (as_convolution(op, conv) && conv.bias != graph::kNoTensor) {
      const int original = float_graph.producer(conv.output);
      Convolution from;
      if (original < 0 || !as_convolution(float_graph.ops[static_cast<size_t>(original)], from)) {
        return internal_error(graph::op_label(op), " has no counterpart in the float graph");
      }
      const bool linear = conv.activation == graph::Activation::kNone;
      std::vector<double> shift;
      if (const TensorId other = addend(float_graph, conv.output);
          linear && frontier.holds(other) && !right.contains(other)) {
        shift = means_now(other);
        for (size_t c = 0; c < shift.size(); ++c) shift[c] -= float_means(other)[c];
      } else if (linear) {
        right.insert(conv.output);
      }
      correct(working, conv, means_now(conv.input), float_graph, from, float_means(from.input),
              shift);
      quantized.tensor(conv.bias).data = working.tensor(conv.bias).data;
    } else if (keeps_means(op) && std::ranges::all_of(op.inputs, [&](TensorId id) {
                 return working.tensor(id).is_constant() || right.contains(id);
               })) {
      right.insert(op.output());
    }
    DEEPLAB_RETURN_IF_ERROR(frontier.advance(position, samples.count));
  }
  return annotate(graph::validate(quantized), "the graph with corrected biases");
}

}  // namespace deeplab::quantize
