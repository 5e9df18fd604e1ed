#include "passes/fuse_activation.h"

#include <optional>

#include "passes/rewrite.h"

namespace deeplab::passes {
namespace {

using graph::Activation;
using graph::Graph;
using graph::Op;

Activation* fused_activation(Op& op) {
  if (auto* conv = std::get_if<graph::Conv2D>(&op.attributes)) return &conv->activation;
  if (auto* conv = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) return &conv->activation;
  if (auto* add = std::get_if<graph::Add>(&op.attributes)) return &add->activation;
  return nullptr;
}

std::optional<Activation> activation_op(const Op& op) {
  if (std::holds_alternative<graph::Relu>(op.attributes)) return Activation::kRelu;
  if (std::holds_alternative<graph::Relu6>(op.attributes)) return Activation::kRelu6;
  return std::nullopt;
}

/// `first`, then `second`, as one; nothing if there is no such activation.
std::optional<Activation> combined(Activation first, Activation second) {
  if (first == Activation::kNone) return second;
  if (first == Activation::kReluN1To1) return std::nullopt;
  return first == Activation::kRelu ? second : first;
}

}  // namespace

void fuse_activation(Graph& graph) {
  std::vector<bool> dead(graph.ops.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const std::optional<Activation> activation = activation_op(op);
    if (!activation) continue;
    const graph::TensorId input = op.inputs.front();
    const int producer = graph.producer(input);
    if (producer < 0 || sole_reader(graph, input) < 0 ||
        !interchangeable(graph.tensor(input), graph.tensor(op.output()))) {
      continue;
    }
    Op& before = graph.ops[static_cast<size_t>(producer)];
    Activation* fused = fused_activation(before);
    if (fused == nullptr) continue;
    const std::optional<Activation> both = combined(*fused, *activation);
    if (!both) continue;
    *fused = *both;
    before.outputs.front() = op.output();
    dead[i] = true;
  }
  erase_ops(graph, dead);
}

}  // namespace deeplab::passes
