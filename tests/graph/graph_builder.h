// Graphs for tests, op by op. Output shapes are inferred; everything else is what the test says.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::testing {

inline graph::Quantization per_tensor(float scale, int32_t zero_point) {
  return {{scale}, {zero_point}, 0};
}
inline graph::Quantization per_channel(size_t channels, float scale, int32_t axis) {
  return {std::vector<float>(channels, scale), std::vector<int32_t>(channels, 0), axis};
}

class GraphBuilder {
 public:
  graph::TensorId input(graph::DataType type, graph::Shape shape,
                        graph::Quantization quantization = {}) {
    const graph::TensorId id = tensor(type, std::move(shape), std::move(quantization));
    graph_.inputs.push_back(id);
    return id;
  }

  /// All elements are `value`.
  template <typename T>
  graph::TensorId constant(graph::DataType type, graph::Shape shape, T value,
                           graph::Quantization quantization = {}) {
    const graph::TensorId id = tensor(type, std::move(shape), std::move(quantization));
    graph::Tensor& t = graph_.tensor(id);
    const std::vector<T> values(static_cast<size_t>(t.elements()), value);
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    t.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return id;
  }

  graph::TensorId op(graph::Attributes attributes, std::vector<graph::TensorId> inputs,
                     graph::DataType type, graph::Quantization quantization = {}) {
    const graph::TensorId out = tensor(type, {}, std::move(quantization));
    graph::Op op{
        std::move(attributes), std::move(inputs), {out}, static_cast<int32_t>(graph_.ops.size())};
    const auto shape = graph::infer_shape(graph_, op);
    EXPECT_TRUE(shape.ok()) << shape.status().message();
    if (shape.ok()) graph_.tensor(out).shape = *shape;
    graph_.ops.push_back(std::move(op));
    return out;
  }

  /// Other bytes for a constant, as many as it had.
  void set_data(graph::TensorId id, std::vector<std::byte> bytes) {
    EXPECT_EQ(bytes.size(), graph_.tensor(id).byte_size());
    graph_.tensor(id).data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }
  const graph::Quantization& quantization_of(graph::TensorId id) const {
    return graph_.tensor(id).quantization;
  }

  graph::Graph build(std::vector<graph::TensorId> outputs) {
    graph_.outputs = std::move(outputs);
    return graph_;
  }

 private:
  graph::TensorId tensor(graph::DataType type, graph::Shape shape,
                         graph::Quantization quantization) {
    graph::Tensor tensor;
    tensor.name = str_cat("t", graph_.tensors.size());
    tensor.type = tensor.file_type = type;
    tensor.shape = std::move(shape);
    tensor.quantization = std::move(quantization);
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<graph::TensorId>(graph_.tensors.size() - 1);
  }

  graph::Graph graph_;
};

/// A DeepLab in miniature, at 65x65 and output stride 4, of `type` float32, uint8 or int8 (int8
/// with one scale per channel). Ops: 0 CONV_2D, 1 DEPTHWISE_CONV_2D, 2 CONV_2D, 3 CONV_2D, 4 ADD,
/// 5 AVERAGE_POOL_2D, 6 RESIZE_BILINEAR, 7 CONCATENATION, 8 CONV_2D, 9 RESIZE_BILINEAR,
/// 10 ARG_MAX.
inline graph::Graph small_deeplab(graph::DataType type) {
  using graph::DataType;
  const bool quantized = type != DataType::kFloat32;
  const auto activation = [&](float scale) {
    return quantized ? per_tensor(scale, type == DataType::kUInt8 ? 128 : 0)
                     : graph::Quantization{};
  };
  GraphBuilder b;
  const auto filter = [&](graph::Shape shape, int32_t axis) {
    const auto channels = static_cast<size_t>(shape[static_cast<size_t>(axis)]);
    if (!quantized) return b.constant(type, std::move(shape), 0.5f);
    if (type == DataType::kUInt8) {
      return b.constant(type, std::move(shape), uint8_t{3}, per_tensor(0.5f, 100));
    }
    return b.constant(type, std::move(shape), int8_t{3}, per_channel(channels, 0.5f, axis));
  };
  const auto bias = [&](int32_t channels, float input_scale) {
    if (!quantized) return b.constant(DataType::kFloat32, {channels}, 0.25f);
    return b.constant(DataType::kInt32, {channels}, int32_t{7},
                      type == DataType::kUInt8
                          ? per_tensor(0.5f * input_scale, 0)
                          : per_channel(static_cast<size_t>(channels), 0.5f * input_scale, 0));
  };
  graph::Conv2D strided;
  strided.window = {graph::Padding::kSame, 2, 2};
  strided.activation = graph::Activation::kRelu6;
  graph::DepthwiseConv2D depthwise;
  depthwise.window = {graph::Padding::kSame, 2, 2};
  graph::AveragePool2D pool;
  pool.window.padding = graph::Padding::kValid;
  pool.filter_h = pool.filter_w = 17;

  // {x, filter, bias}: in this order, so that tensor ids are the same with every compiler.
  const auto operands = [&](graph::TensorId x, graph::Shape shape, int32_t axis,
                            float input_scale) {
    const int32_t channels = shape[static_cast<size_t>(axis)];
    const graph::TensorId weights = filter(std::move(shape), axis);
    return std::vector<graph::TensorId>{x, weights, bias(channels, input_scale)};
  };

  const auto x = b.input(type, {1, 65, 65, 3}, activation(0.5f));
  const auto stem = b.op(strided, operands(x, {8, 3, 3, 3}, 0, 0.5f), type, activation(1.0f));
  const auto dw = b.op(depthwise, operands(stem, {1, 3, 3, 8}, 3, 1.0f), type, activation(1.0f));
  const auto left =
      b.op(graph::Conv2D{}, operands(dw, {4, 1, 1, 8}, 0, 1.0f), type, activation(1.0f));
  const auto right =
      b.op(graph::Conv2D{}, operands(dw, {4, 1, 1, 8}, 0, 1.0f), type, activation(2.0f));
  const auto sum = b.op(graph::Add{}, {left, right}, type, activation(1.0f));
  const auto pooled = b.op(pool, {sum}, type, activation(1.0f));
  const auto spread =
      b.op(graph::ResizeBilinear{17, 17, true, false}, {pooled}, type, activation(1.0f));
  const auto joined = b.op(graph::Concatenation{3}, {spread, sum}, type, activation(1.0f));
  const auto scores =
      b.op(graph::Conv2D{}, operands(joined, {5, 1, 1, 8}, 0, 1.0f), type, activation(1.0f));
  const auto large =
      b.op(graph::ResizeBilinear{65, 65, true, false}, {scores}, type, activation(1.0f));
  const auto labels = b.op(graph::ArgMax{3}, {large}, DataType::kInt64);
  return b.build({labels});
}

}  // namespace deeplab::testing
