#include "quantize/parameter_groups.h"

#include <algorithm>
#include <numeric>

namespace deeplab::quantize {
namespace {

using graph::TensorId;

/// Union-find; a root is the lowest id of its group.
class Groups {
 public:
  explicit Groups(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }

  TensorId root(TensorId id) {
    while (parent_[static_cast<size_t>(id)] != id) {
      TensorId& parent = parent_[static_cast<size_t>(id)];
      parent = parent_[static_cast<size_t>(parent)];  // halves the path for the next look
      id = parent;
    }
    return id;
  }
  void join(TensorId a, TensorId b) {
    const auto [low, high] = std::minmax({root(a), root(b)});
    parent_[static_cast<size_t>(high)] = low;
  }

 private:
  std::vector<TensorId> parent_;
};

}  // namespace

std::optional<ActivationQuantization> given_parameters(const graph::Op& op) {
  constexpr ActivationQuantization kProbability{1.0f / 256, -128};
  if (std::holds_alternative<graph::Softmax>(op.attributes)) return kProbability;
  const auto* unary = std::get_if<graph::Unary>(&op.attributes);
  if (unary == nullptr) return std::nullopt;
  if (unary->function == graph::UnaryFunction::kLogistic) return kProbability;
  if (unary->function == graph::UnaryFunction::kTanh) return ActivationQuantization{1.0f / 128, 0};
  return std::nullopt;
}

std::vector<TensorId> shared_parameters(const graph::Graph& graph) {
  Groups groups(graph.tensors.size());
  for (const graph::Op& op : graph.ops) {
    if (!graph::keeps_parameters(op.attributes)) continue;
    for (TensorId id : op.inputs) groups.join(id, op.output());
  }
  std::vector<TensorId> representatives(graph.tensors.size());
  for (size_t i = 0; i < representatives.size(); ++i) {
    representatives[i] = groups.root(static_cast<TensorId>(i));
  }
  return representatives;
}

}  // namespace deeplab::quantize
