// Private to this folder: constants in and out of graphs.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace deeplab::quantize {

template <typename T>
std::shared_ptr<const std::vector<std::byte>> constant_bytes(std::span<const T> values) {
  std::vector<std::byte> bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

inline graph::TensorId append_tensor(graph::Graph& graph, graph::Tensor tensor) {
  graph.tensors.push_back(std::move(tensor));
  return static_cast<graph::TensorId>(graph.tensors.size() - 1);
}

/// A convolution of either kind, as calibration sees it: filters of [outer][tap][inner] elements.
struct Convolution {
  bool depthwise = false;
  graph::TensorId input = graph::kNoTensor;
  graph::TensorId filter = graph::kNoTensor;
  graph::TensorId bias = graph::kNoTensor;  ///< kNoTensor: none.
  graph::TensorId output = graph::kNoTensor;
  int32_t depth_multiplier = 1;
  graph::Activation activation = graph::Activation::kNone;

  int32_t channel_axis() const { return depthwise ? 3 : 0; }
};

/// Whether `op` is one, and which.
inline bool as_convolution(const graph::Op& op, Convolution& conv) {
  if (const auto* dense = std::get_if<graph::Conv2D>(&op.attributes)) {
    conv.depthwise = false;
    conv.activation = dense->activation;
  } else if (const auto* depthwise = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) {
    conv.depthwise = true;
    conv.depth_multiplier = depthwise->depth_multiplier;
    conv.activation = depthwise->activation;
  } else {
    return false;
  }
  conv.input = op.inputs[0];
  conv.filter = op.inputs[1];
  conv.bias = op.inputs.size() > 2 ? op.inputs[2] : graph::kNoTensor;
  conv.output = op.output();
  return true;
}

/// Output channel and input channel of each element of a filter.
class FilterIndex {
 public:
  FilterIndex(const Convolution& conv, const graph::Shape& shape)
      : depthwise_(conv.depthwise),
        outputs_(static_cast<size_t>(shape[conv.depthwise ? 3 : 0])),
        inner_(static_cast<size_t>(shape[3])),
        block_(static_cast<size_t>(shape[1]) * static_cast<size_t>(shape[2]) * inner_),
        multiplier_(static_cast<size_t>(conv.depth_multiplier)) {}

  size_t outputs() const { return outputs_; }
  size_t inputs() const { return depthwise_ ? outputs_ / multiplier_ : inner_; }
  size_t output(size_t element) const { return depthwise_ ? element % inner_ : element / block_; }
  size_t input(size_t element) const {
    return depthwise_ ? element % inner_ / multiplier_ : element % inner_;
  }

 private:
  bool depthwise_;
  size_t outputs_;
  size_t inner_;
  size_t block_;
  size_t multiplier_;
};

}  // namespace deeplab::quantize
