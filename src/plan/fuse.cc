#include "plan/fuse.h"

#include <algorithm>

#include "plan/lower.h"

namespace deeplab::plan {
namespace {

using graph::TensorId;

class Fuser {
 public:
  Fuser(const graph::Graph& graph, int64_t int8_bytes)
      : graph_(graph),
        int8_bytes_(int8_bytes),
        producer_(graph.tensors.size(), -1),
        reader_(graph.tensors.size(), -1),
        readers_(graph.tensors.size(), 0),
        taken_(graph.ops.size(), false) {
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      for (TensorId id : graph.ops[i].inputs) {
        if (id == graph::kNoTensor) continue;
        reader_[index(id)] = static_cast<int>(i);
        ++readers_[index(id)];
      }
      producer_[index(graph.ops[i].output())] = static_cast<int>(i);
    }
    for (TensorId id : graph.outputs) ++readers_[index(id)];
  }

  std::vector<OpGroup> run() {
    std::vector<OpGroup> groups;
    const auto take = [&](OpGroup group) {
      if (group.ops.empty()) return;
      for (int op : group.ops) taken_[static_cast<size_t>(op)] = true;
      groups.push_back(std::move(group));
    };
    for (int i = 0; i < static_cast<int>(graph_.ops.size()); ++i) {
      OpGroup block = block_at(i);
      take(block.ops.empty() ? spread_concat_at(i) : std::move(block));
    }
    // What no block has taken.
    for (int i = 0; i < static_cast<int>(graph_.ops.size()); ++i) {
      take({OpGroup::Kind::kChannelwise, channelwise_from(i)});
    }
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (!taken_[i]) groups.push_back({OpGroup::Kind::kSingle, {static_cast<int>(i)}});
    }
    sort_by_last_op(groups);
    return groups;
  }

 private:
  static size_t index(TensorId id) { return static_cast<size_t>(id); }
  const graph::Op& op(int at) const { return graph_.ops[static_cast<size_t>(at)]; }

  template <typename T>
  const T* as(int at) const {
    if (at < 0 || taken_[static_cast<size_t>(at)]) return nullptr;
    return std::get_if<T>(&op(at).attributes);
  }
  /// The op that alone reads it, or -1.
  int sole_reader(TensorId id) const { return readers_[index(id)] == 1 ? reader_[index(id)] : -1; }
  int producer(TensorId id) const { return producer_[index(id)]; }

  bool has_constant_weights(int at) const {
    const auto& inputs = op(at).inputs;
    for (size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i] != graph::kNoTensor && !graph_.tensor(inputs[i]).is_constant()) return false;
    }
    return true;
  }
  bool is_pointwise(int at) const {
    const auto* conv = as<graph::Conv2D>(at);
    if (conv == nullptr || !has_constant_weights(at)) return false;
    const auto shape = convolution_shape(graph_, op(at), conv->window);
    return shape.ok() && kernels::is_pointwise(*shape);
  }

  /// MUL, ADD or SUB of an int8 picture and a constant for each of its channels.
  bool is_channelwise(int at) const {
    if (as<graph::Mul>(at) == nullptr && as<graph::Add>(at) == nullptr &&
        as<graph::Sub>(at) == nullptr) {
      return false;
    }
    const graph::Tensor& a = graph_.tensor(op(at).inputs[0]);
    const graph::Tensor& b = graph_.tensor(op(at).inputs[1]);
    return a.type == graph::DataType::kInt8 && b.is_constant() && !a.shape.empty() &&
           !b.shape.empty() && b.elements() == a.shape.back() && b.shape.back() == a.shape.back() &&
           a.elements() > b.elements() && b.elements() > 1;
  }
  /// `at` and what follows it of this kind, at most two ops.
  std::vector<int> channelwise_from(int at) const {
    std::vector<int> ops;
    while (ops.size() < 2 && at >= 0 && is_channelwise(at)) {
      ops.push_back(at);
      at = sole_reader(op(at).output());
    }
    return ops;
  }

  /// Up to this size the input of a depthwise convolution does not count as part of its block.
  int64_t cache_bytes(int at) const {
    const int32_t dilation = as<graph::DepthwiseConv2D>(at)->window.dilation_h;
    const bool int8 = graph_.tensor(op(at).inputs[0]).type == graph::DataType::kInt8;
    return int8 && dilation == 1 ? int8_bytes_ : kExpandedCacheBytes * dilation;
  }

  OpGroup block_at(int at) const {
    const auto* depthwise = as<graph::DepthwiseConv2D>(at);
    if (depthwise == nullptr || !has_constant_weights(at)) return {};
    const TensorId input = op(at).inputs[0];
    if (graph_.tensor(input).shape[0] != 1) return {};
    OpGroup block{OpGroup::Kind::kBlock, {at}};
    for (int between : channelwise_from(sole_reader(op(at).output()))) block.ops.push_back(between);
    const int last = block.ops.back();
    const int project = sole_reader(op(last).output());
    if (!is_pointwise(project) || op(project).inputs[0] != op(last).output()) return {};
    block.ops.push_back(project);

    const int expand = producer(input);
    if (as<graph::Conv2D>(expand) != nullptr && has_constant_weights(expand) &&
        sole_reader(input) == at &&
        static_cast<int64_t>(graph_.tensor(input).byte_size()) > cache_bytes(at)) {
      block.ops.insert(block.ops.begin(), expand);
    }
    const int add = sole_reader(op(project).output());
    if (as<graph::Add>(add) != nullptr) {
      const auto& inputs = op(add).inputs;
      const TensorId other = inputs[0] == op(project).output() ? inputs[1] : inputs[0];
      if (!graph_.tensor(other).is_constant() &&
          graph_.tensor(other).shape == graph_.tensor(op(add).output()).shape) {
        block.ops.push_back(add);
      }
    }
    return block;
  }

  /// The op that spreads the one pixel of its input over `id`, or -1.
  int spreader(TensorId id) const {
    const int at = producer(id);
    if (sole_reader(id) < 0) return -1;
    if (as<graph::ResizeBilinear>(at) == nullptr &&
        as<graph::ResizeNearestNeighbor>(at) == nullptr && as<graph::Tile>(at) == nullptr) {
      return -1;
    }
    const graph::Shape& in = graph_.tensor(op(at).inputs[0]).shape;
    const graph::Shape& out = graph_.tensor(id).shape;
    const bool one_pixel = in.size() == 4 && in[0] == 1 && in[1] == 1 && in[2] == 1;
    return one_pixel && out.size() == 4 && out[0] == 1 && out[3] == in[3] ? at : -1;
  }

  OpGroup spread_concat_at(int at) const {
    if (!is_pointwise(at)) return {};
    const TensorId joined = op(at).inputs[0];
    const graph::DataType type = graph_.tensor(joined).type;
    if (type != graph::DataType::kInt8 && type != graph::DataType::kFloat32) return {};
    const int concat = producer(joined);
    const auto* join = as<graph::Concatenation>(concat);
    if (join == nullptr || join->axis != 3 || sole_reader(joined) != at ||
        join->activation != graph::Activation::kNone || op(concat).inputs.size() != 2) {
      return {};
    }
    OpGroup group{OpGroup::Kind::kSpreadConcat, {concat, at}};
    // A float sum has one order: there the pixel must come first.
    for (size_t k = 0; k < (type == graph::DataType::kInt8 ? 2 : 1); ++k) {
      const TensorId other = op(concat).inputs[1 - k];
      if (graph_.tensor(other).quantization != graph_.tensor(joined).quantization) continue;
      TensorId id = op(concat).inputs[k];
      const int quantize = producer(id);
      const bool quantized = as<graph::Quantize>(quantize) != nullptr &&
                             sole_reader(id) == concat &&
                             graph_.tensor(op(quantize).inputs[0]).type == graph::DataType::kInt8;
      if (quantized) id = op(quantize).inputs[0];
      const int spread = spreader(id);
      if (spread < 0 || graph_.tensor(id).type != type) continue;
      if (quantized) group.ops.insert(group.ops.begin(), quantize);
      group.ops.insert(group.ops.begin(), spread);
      return group;
    }
    return {};
  }

  const graph::Graph& graph_;
  const int64_t int8_bytes_;
  std::vector<int> producer_;
  std::vector<int> reader_;
  std::vector<int> readers_;
  std::vector<bool> taken_;
};

}  // namespace

void sort_by_last_op(std::vector<OpGroup>& groups) {
  std::sort(groups.begin(), groups.end(),
            [](const OpGroup& a, const OpGroup& b) { return a.ops.back() < b.ops.back(); });
}

std::vector<OpGroup> fuse(const graph::Graph& graph, int64_t int8_bytes) {
  return Fuser(graph, int8_bytes).run();
}

std::vector<OpGroup> do_not_fuse(const graph::Graph& graph) {
  std::vector<OpGroup> groups;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    groups.push_back({OpGroup::Kind::kSingle, {static_cast<int>(i)}});
  }
  return groups;
}

}  // namespace deeplab::plan
