#include "passes/fold_batch_norm.h"

#include <optional>
#include <utility>

#include "passes/rewrite.h"

namespace deeplab::passes {
namespace {

using graph::Graph;
using graph::Op;
using graph::TensorId;

/// y = factor[c] * x + addend[c], then the activation. One entry each: for every channel.
struct ChannelAffine {
  std::vector<float> factor = {1};
  std::vector<float> addend = {0};
  graph::Activation activation = graph::Activation::kNone;
};

/// The constant as one value per channel of an output of this many, or one for all.
std::optional<std::vector<float>> channel_values(const graph::Tensor& b, int32_t channels) {
  const bool each = b.elements() == channels && !b.shape.empty() && b.shape.back() == channels;
  if (!b.is_constant() || b.type != graph::DataType::kFloat32 || !(each || b.elements() == 1)) {
    return std::nullopt;
  }
  const auto values = b.values<float>();
  return std::vector<float>(values.begin(), values.end());
}

std::vector<float> negated(std::vector<float> values) {
  for (float& value : values) value = -value;
  return values;
}

std::optional<ChannelAffine> channel_affine(const Graph& graph, const Op& op, int32_t channels) {
  const auto* mul = std::get_if<graph::Mul>(&op.attributes);
  const auto* add = std::get_if<graph::Add>(&op.attributes);
  const auto* sub = std::get_if<graph::Sub>(&op.attributes);
  if (mul == nullptr && add == nullptr && sub == nullptr) return std::nullopt;
  auto values = channel_values(graph.tensor(op.inputs[1]), channels);
  if (!values) return std::nullopt;
  ChannelAffine affine;
  if (mul != nullptr) {
    affine.factor = std::move(*values);
    affine.activation = mul->activation;
  } else if (add != nullptr) {
    affine.addend = std::move(*values);
    affine.activation = add->activation;
  } else {
    if (sub->reversed) affine.factor = {-1};
    affine.addend = sub->reversed ? std::move(*values) : negated(std::move(*values));
    affine.activation = sub->activation;
  }
  return affine;
}

TensorId add_constant(Graph& graph, const graph::Tensor& like, graph::Shape shape,
                      const std::vector<float>& values) {
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  graph::Tensor tensor;
  tensor.name = like.name;
  tensor.shape = std::move(shape);
  tensor.data =
      std::make_shared<const std::vector<std::byte>>(bytes, bytes + values.size() * sizeof(float));
  graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph.tensors.size() - 1);
}

float at(const std::vector<float>& values, size_t channel) {
  return values.size() == 1 ? values[0] : values[channel];
}

/// The convolution's activation, or null if it is not a float convolution of constants.
graph::Activation* foldable(Graph& graph, Op& op) {
  auto* conv = std::get_if<graph::Conv2D>(&op.attributes);
  auto* depthwise = std::get_if<graph::DepthwiseConv2D>(&op.attributes);
  if (conv == nullptr && depthwise == nullptr) return nullptr;
  const graph::Tensor& filter = graph.tensor(op.inputs[1]);
  const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != graph::kNoTensor;
  if (filter.type != graph::DataType::kFloat32 || !filter.is_constant() ||
      graph.tensor(op.output()).type != graph::DataType::kFloat32 ||
      (has_bias && !graph.tensor(op.inputs[2]).is_constant())) {
    return nullptr;
  }
  return conv != nullptr ? &conv->activation : &depthwise->activation;
}

void fold(Graph& graph, Op& conv, const ChannelAffine& affine) {
  const graph::Tensor filter = graph.tensor(conv.inputs[1]);
  const auto channels = static_cast<size_t>(graph.tensor(conv.output()).shape[3]);
  const bool depthwise = std::holds_alternative<graph::DepthwiseConv2D>(conv.attributes);
  const auto old = filter.values<float>();
  std::vector<float> weights(old.begin(), old.end());
  const size_t each = weights.size() / channels;
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] *= at(affine.factor, depthwise ? i % channels : i / each);
  }
  std::vector<float> bias(channels);
  conv.inputs.resize(3, graph::kNoTensor);
  if (conv.inputs[2] != graph::kNoTensor) {
    const auto values = graph.tensor(conv.inputs[2]).values<float>();
    bias.assign(values.begin(), values.end());
  }
  for (size_t c = 0; c < channels; ++c) {
    bias[c] = bias[c] * at(affine.factor, c) + at(affine.addend, c);
  }
  const graph::Tensor like =
      conv.inputs[2] == graph::kNoTensor ? graph::Tensor{} : graph.tensor(conv.inputs[2]);
  conv.inputs[1] = add_constant(graph, filter, filter.shape, weights);
  conv.inputs[2] = add_constant(graph, like, {static_cast<int32_t>(channels)}, bias);
}

}  // namespace

void fold_batch_norm(Graph& graph) {
  std::vector<bool> dead(graph.ops.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (op.inputs.size() != 2) continue;
    const TensorId between = op.inputs[0];
    const int producer = graph.producer(between);
    if (producer < 0 || sole_reader(graph, between) < 0 ||
        graph.tensor(between).shape != graph.tensor(op.output()).shape) {
      continue;
    }
    Op& conv = graph.ops[static_cast<size_t>(producer)];
    graph::Activation* activation = foldable(graph, conv);
    if (activation == nullptr || *activation != graph::Activation::kNone) continue;
    const auto affine = channel_affine(graph, op, graph.tensor(between).shape[3]);
    if (!affine) continue;
    fold(graph, conv, *affine);
    *activation = affine->activation;
    conv.outputs.front() = op.output();
    dead[i] = true;
  }
  erase_ops(graph, dead);
}

}  // namespace deeplab::passes
