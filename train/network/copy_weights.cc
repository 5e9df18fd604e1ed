// From one network's weights to another's, which may have another head.
#include <algorithm>
#include <functional>
#include <optional>

#include "train/network/build_network.h"

namespace deeplab::train {
namespace {

using graph::TensorId;

const graph::Conv2D* pointwise_at(const graph::Graph& g, int position) {
  if (position < 0) return nullptr;
  return std::get_if<graph::Conv2D>(&g.ops[static_cast<size_t>(position)].attributes);
}

bool is_pooled(const graph::Graph& g, TensorId id) {
  const graph::Shape& shape = g.tensor(id).shape;
  return shape.size() == 4 && shape[1] == 1 && shape[2] == 1;
}

/// Whether the picture is a pooled one that was spread over the canvas again.
bool is_spread_pooling(const graph::Graph& g, TensorId id) {
  for (int at = g.producer(id); at >= 0; at = g.producer(id)) {
    const graph::Op& op = g.ops[static_cast<size_t>(at)];
    if (!std::holds_alternative<graph::ResizeBilinear>(op.attributes) &&
        !std::holds_alternative<graph::ResizeNearestNeighbor>(op.attributes) &&
        !std::holds_alternative<graph::Tile>(op.attributes)) {
      return false;
    }
    id = op.inputs[0];
    if (is_pooled(g, id)) return true;
  }
  return false;
}

/// A convolution of one network that waits for its counterpart.
struct Layer {
  bool depthwise = false;
  bool pooled = false;  ///< Reads a 1x1 picture.
  graph::Shape filter_shape;
  std::string name;
  std::vector<float> filter;
  std::vector<float> bias;
  TensorId filter_id = graph::kNoTensor;  ///< In the graph it came from.
  TensorId bias_id = graph::kNoTensor;
  bool used = false;

  bool matches(const Layer& other) const {
    return depthwise == other.depthwise && pooled == other.pooled &&
           filter_shape == other.filter_shape;
  }
};

std::vector<float> floats(const graph::Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

/// The layer's filter for input channels [begin, end).
Layer input_slice(const Layer& layer, int32_t begin, int32_t end, bool pooled, bool with_bias) {
  Layer slice = layer;
  slice.pooled = pooled;
  slice.filter_shape[3] = end - begin;
  slice.filter.clear();
  const auto in = static_cast<size_t>(layer.filter_shape[3]);
  for (size_t row = 0; row < layer.filter.size() / in; ++row) {
    const auto from = layer.filter.begin() + static_cast<ptrdiff_t>(row * in);
    slice.filter.insert(slice.filter.end(), from + begin, from + end);
  }
  if (!with_bias) std::fill(slice.bias.begin(), slice.bias.end(), 0.0f);
  return slice;
}

/// A 1x1 convolution over {spread image pooling, the rest} as two layers whose results are added.
std::vector<Layer> split_projection(const graph::Graph& g, const graph::Op& op,
                                    const Layer& layer) {
  const int at = g.producer(op.inputs[0]);
  if (at < 0 || pointwise_at(g, g.producer(op.output())) == nullptr) return {};
  const graph::Op& join = g.ops[static_cast<size_t>(at)];
  if (!std::holds_alternative<graph::Concatenation>(join.attributes)) return {};
  int32_t begin = 0;
  for (TensorId part : join.inputs) {
    const int32_t end = begin + g.tensor(part).shape[3];
    if (is_spread_pooling(g, part) && (begin == 0 || end == layer.filter_shape[3])) {
      const int32_t rest_begin = begin == 0 ? end : 0;
      const int32_t rest_end = begin == 0 ? layer.filter_shape[3] : begin;
      return {input_slice(layer, rest_begin, rest_end, false, true),
              input_slice(layer, begin, end, true, false)};
    }
    begin = end;
  }
  return {};
}

std::vector<Layer> layers_of(const graph::Graph& g, bool split) {
  std::vector<Layer> layers;
  for (const graph::Op& op : g.ops) {
    const bool depthwise = std::holds_alternative<graph::DepthwiseConv2D>(op.attributes);
    if (!depthwise && !std::holds_alternative<graph::Conv2D>(op.attributes)) continue;
    Layer layer;
    layer.depthwise = depthwise;
    layer.pooled = is_pooled(g, op.inputs[0]);
    layer.filter_id = op.inputs[1];
    layer.filter_shape = g.tensor(op.inputs[1]).shape;
    layer.name = g.tensor(op.output()).name;
    layer.filter = floats(g.tensor(op.inputs[1]));
    const auto outputs = static_cast<size_t>(layer.filter_shape[depthwise ? 3 : 0]);
    layer.bias.resize(outputs, 0.0f);
    if (op.inputs.size() > 2 && op.inputs[2] != graph::kNoTensor) {
      layer.bias_id = op.inputs[2];
      layer.bias = floats(g.tensor(op.inputs[2]));
    }
    const auto parts = split ? split_projection(g, op, layer) : std::vector<Layer>{};
    if (parts.empty()) {
      layers.push_back(std::move(layer));
    } else {
      layers.insert(layers.end(), parts.begin(), parts.end());
    }
  }
  return layers;
}

}  // namespace

Result<std::vector<std::string>> copy_weights(const graph::Graph& source, graph::Graph& target) {
  std::vector<Layer> wanted = layers_of(target, false);
  // A projection is split only if the target has no place for it in one piece.
  std::vector<Layer> offered = layers_of(source, false);
  const auto fits_whole = [&](const Layer& layer) {
    return std::ranges::any_of(wanted, [&](const Layer& w) { return w.matches(layer); });
  };
  if (!std::ranges::all_of(offered, fits_whole)) offered = layers_of(source, true);

  std::vector<std::string> left;
  size_t copied = 0;
  for (Layer& layer : wanted) {
    const auto match =
        std::ranges::find_if(offered, [&](const Layer& o) { return !o.used && o.matches(layer); });
    if (match == offered.end()) {
      left.push_back(layer.name);
      continue;
    }
    match->used = true;
    ++copied;
    target.tensor(layer.filter_id).data = bytes_of(match->filter);
    if (layer.bias_id != graph::kNoTensor)
      target.tensor(layer.bias_id).data = bytes_of(match->bias);
  }
  if (copied == 0) {
    return invalid_model("none of its ", offered.size(), " convolutions fits this network");
  }
  return left;
}

}  // namespace deeplab::train
