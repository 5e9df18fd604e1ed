// Every op of the list as a graph of its own, in float32, uint8 and int8, with the version that
// TensorFlow Lite gives it.
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/graph/graph_builder.h"

namespace deeplab::testing {

struct OpGraph {
  std::string name;  ///< Letters, digits and '_'.
  graph::Graph graph;
  int32_t version;  ///< Of op 0.
};

/// Op versions by the type of input 0.
struct OpVersions {
  int32_t float32;
  int32_t uint8;
  int32_t int8;
};

/// The same graph with weights of all values.
inline graph::Graph with_any_weights(graph::Graph graph) {
  std::mt19937 random(7);
  for (graph::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant()) continue;
    std::vector<std::byte> bytes(tensor.data->begin(), tensor.data->end());
    for (size_t i = 0; i < bytes.size(); i += graph::size_of(tensor.type)) {
      const float real = static_cast<float>(random() % 200) / 100 - 1;
      const int32_t whole = static_cast<int32_t>(random() % 2001) - 1000;
      if (tensor.type == graph::DataType::kFloat32) std::memcpy(&bytes[i], &real, 4);
      if (tensor.type == graph::DataType::kInt32) std::memcpy(&bytes[i], &whole, 4);
      if (graph::size_of(tensor.type) == 1) bytes[i] = static_cast<std::byte>(random());
    }
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }
  return graph;
}

/// The functions of a list of base/function_list.h.
template <typename Function, size_t count>
std::vector<Function> all_functions(const std::string_view (&)[count]) {
  std::vector<Function> all;
  for (size_t i = 0; i < count; ++i) all.push_back(static_cast<Function>(i));
  return all;
}

class OpGraphs {
 public:
  using DataType = graph::DataType;
  using TensorId = graph::TensorId;

  static std::vector<OpGraph> make() {
    OpGraphs all;
    for (const DataType type : {DataType::kFloat32, DataType::kUInt8, DataType::kInt8}) {
      all.type_ = type;
      all.convolutions();
      all.arithmetic();
      all.resizes();
      all.layouts();
      all.transpose_convolutions();
      all.fully_connected();
      all.labels();
    }
    all.quantization();
    all.hybrids();
    return std::move(all.graphs_);
  }

 private:
  bool float32() const { return type_ == DataType::kFloat32; }
  graph::Quantization parameters(float scale) const {
    if (float32()) return {};
    return per_tensor(scale, type_ == DataType::kUInt8 ? 121 : -7);
  }

  void add(const std::string& name, GraphBuilder& b, TensorId out, OpVersions versions) {
    graphs_.push_back({str_cat(name, "_", graph::type_name(type_)),
                       with_any_weights(b.build({out})),
                       type_ == DataType::kFloat32 ? versions.float32
                       : type_ == DataType::kUInt8 ? versions.uint8
                                                   : versions.int8});
  }

  /// The graph of one op that keeps type and parameters.
  void unary(const std::string& name, graph::Attributes attributes, OpVersions versions,
             graph::Shape shape = {1, 5, 7, 4}) {
    GraphBuilder b;
    const TensorId x = b.input(type_, std::move(shape), parameters(0.5f));
    add(name, b, b.op(std::move(attributes), {x}, type_, parameters(0.5f)), versions);
  }

  /// The same with a constant per channel as second operand.
  void pair(const std::string& name, graph::Attributes attributes, OpVersions versions) {
    GraphBuilder b;
    const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId y = float32() ? b.constant(type_, {4}, 0.0f)
                                 : b.constant(type_, {4}, uint8_t{0}, parameters(0.5f));
    add(name, b, b.op(std::move(attributes), {x, y}, type_, parameters(0.5f)), versions);
  }

  TensorId filter(GraphBuilder& b, graph::Shape shape, int32_t axis) const {
    if (float32()) return b.constant(type_, std::move(shape), 0.0f);
    if (type_ == DataType::kUInt8) {
      return b.constant(type_, std::move(shape), uint8_t{0}, per_tensor(0.01f, 117));
    }
    graph::Quantization q = per_channel(static_cast<size_t>(shape[axis]), 0.01f, axis);
    q.scales.back() = 0.02f;
    return b.constant(type_, std::move(shape), int8_t{0}, std::move(q));
  }
  TensorId bias(GraphBuilder& b, int32_t channels) const {
    if (float32()) return b.constant(type_, {channels}, 0.0f);
    graph::Quantization q = per_tensor(0.01f * 0.5f, 0);
    if (type_ == DataType::kInt8) {
      q = per_channel(static_cast<size_t>(channels), 0.01f * 0.5f, 0);
      q.scales.back() = 0.02f * 0.5f;
    }
    return b.constant(DataType::kInt32, {channels}, int32_t{0}, std::move(q));
  }

  void convolutions() {
    for (const bool dilated : {false, true}) {
      const int32_t dilation = dilated ? 2 : 1;
      const int32_t stride = dilated ? 1 : 2;
      GraphBuilder b;
      graph::Conv2D conv;
      conv.window = {dilated ? graph::Padding::kValid : graph::Padding::kSame, stride, stride,
                     dilation, dilation};
      conv.activation = dilated ? graph::Activation::kNone : graph::Activation::kRelu6;
      const TensorId x = b.input(type_, {1, 9, 8, 4}, parameters(0.5f));
      const TensorId kernel = filter(b, {6, 3, 3, 4}, 0);
      add(dilated ? "Conv2D_Dilated" : "Conv2D", b,
          b.op(conv, {x, kernel, bias(b, 6)}, type_, parameters(0.25f)), {1, 1, 3});

      GraphBuilder d;
      graph::DepthwiseConv2D depthwise;
      depthwise.window = {graph::Padding::kSame, stride, stride, dilation, dilation};
      depthwise.depth_multiplier = 2;
      depthwise.activation = graph::Activation::kRelu;
      const TensorId y = d.input(type_, {1, 9, 8, 4}, parameters(0.5f));
      const TensorId weights = filter(d, {1, 3, 3, 8}, 3);
      add(dilated ? "Depthwise_Dilated" : "Depthwise", d,
          d.op(depthwise, {y, weights, bias(d, 8)}, type_, parameters(0.25f)),
          {dilated ? 2 : 1, dilated ? 2 : 1, 3});
    }
  }

  void arithmetic() {
    GraphBuilder b;
    const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId y = b.input(type_, {1, 5, 7, 4}, parameters(0.25f));
    add("Add", b, b.op(graph::Add{graph::Activation::kRelu}, {x, y}, type_, parameters(0.75f)),
        {1, 1, 2});

    GraphBuilder c;
    const TensorId z = c.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId offset = float32() ? c.constant(type_, {4}, 0.0f)
                                      : c.constant(type_, {4}, uint8_t{0}, parameters(0.5f));
    add("Add_Constant", c, c.op(graph::Add{}, {z, offset}, type_, parameters(0.75f)), {1, 1, 2});

    for (bool reversed : {false, true}) {
      GraphBuilder d;
      const TensorId from = d.input(type_, {1, 5, 7, 4}, parameters(0.5f));
      const TensorId minus = float32() ? d.constant(type_, {4}, 0.0f)
                                       : d.constant(type_, {4}, uint8_t{0}, parameters(0.5f));
      add(reversed ? "Sub_Reversed" : "Sub", d,
          d.op(graph::Sub{graph::Activation::kRelu6, reversed}, {from, minus}, type_,
               parameters(0.75f)),
          {1, 1, 2});
    }

    GraphBuilder m;
    const TensorId factor = m.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId other = m.input(type_, {1, 5, 7, 4}, parameters(0.25f));
    add("Mul", m,
        m.op(graph::Mul{graph::Activation::kRelu}, {factor, other}, type_, parameters(0.75f)),
        {1, 1, 2});

    using B = graph::BinaryFunction;
    pair("Maximum", graph::Binary{B::kMaximum}, {1, 1, 2});
    pair("Minimum", graph::Binary{B::kMinimum}, {1, 1, 2});
    if (float32()) {
      pair("Div_Relu6", graph::Binary{B::kDiv, graph::Activation::kRelu6}, {1, 1, 1});
      for (const B function : all_functions<B>(kBinaryNames)) {
        if (function == B::kMaximum || function == B::kMinimum) continue;
        const std::string name(function_name(function));
        pair(name, graph::Binary{function}, {1, 1, 1});
        if (!is_ordered(function)) continue;
        pair(name + "_Reversed", graph::Binary{function, graph::Activation::kNone, true},
             {1, 1, 1});
      }
    }
    using R = graph::ReduceFunction;
    for (const R function : all_functions<R>(kReduceNames)) {
      if (!float32() && !picks(function)) continue;
      unary(std::string(function_name(function)), graph::Reduce{function, {1, 2}, true}, {1, 1, 2});
    }

    graph::AveragePool2D pool;
    pool.window = {graph::Padding::kSame, 2, 1};
    pool.filter_h = 3;
    pool.filter_w = 2;
    unary("AveragePool2D", pool, {1, 1, 2});
    graph::MaxPool2D largest;
    largest.window = {graph::Padding::kValid, 1, 2};
    largest.filter_h = 2;
    largest.filter_w = 3;
    unary("MaxPool2D", largest, {1, 1, 2});
    unary("Mean", graph::Mean{{1, 2}, true}, {1, 1, 2});
    unary("Mean_DropDims", graph::Mean{{1}, false}, {1, 1, 2});
    unary("Relu", graph::Relu{}, {1, 2, 2});
    unary("Relu6", graph::Relu6{}, {1, 1, 2});
    functions();

    GraphBuilder s;
    const TensorId scores = s.input(type_, {1, 5, 7, 4}, parameters(0.05f));
    const graph::Quantization unit =
        float32() ? graph::Quantization{}
                  : per_tensor(1.0f / 256, type_ == DataType::kInt8 ? -128 : 0);
    add("Softmax", s, s.op(graph::Softmax{0.5f}, {scores}, type_, unit), {1, 1, 2});
  }

  void functions() {
    using F = graph::UnaryFunction;
    unary("HardSwish", graph::Unary{F::kHardSwish}, {1, 1, 1});
    unary("LeakyRelu", graph::Unary{F::kLeakyRelu, 0.25f}, {1, 2, 2});
    unary("Elu", graph::Unary{F::kElu}, {1, 1, 2});
    for (const F function : {F::kLogistic, F::kTanh}) {
      const bool logistic = function == F::kLogistic;
      GraphBuilder b;
      const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.05f));
      const int32_t zero = (type_ == DataType::kUInt8 ? 128 : 0) - (logistic ? 128 : 0);
      const graph::Quantization q =
          float32() ? graph::Quantization{} : per_tensor(logistic ? 1.0f / 256 : 1.0f / 128, zero);
      add(logistic ? "Logistic" : "Tanh", b, b.op(graph::Unary{function}, {x}, type_, q),
          {1, 1, 2});
    }
    for (const F function : all_functions<F>(kUnaryNames)) {
      if (!float32() || graph::has_8_bit_form(function)) continue;
      unary(std::string(function_name(function)), graph::Unary{function}, {1, 1, 1});
    }
    GraphBuilder b;
    const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId alpha = float32() ? b.constant(type_, {1, 1, 4}, 0.0f)
                                     : b.constant(type_, {1, 1, 4}, uint8_t{0}, parameters(0.02f));
    add("Prelu", b, b.op(graph::Prelu{}, {x, alpha}, type_, parameters(0.75f)), {1, 1, 1});
  }

  void resizes() {
    unary("ResizeBilinear", graph::ResizeBilinear{11, 13, false, false}, {1, 1, 2});
    unary("ResizeBilinear_Align", graph::ResizeBilinear{11, 13, true, false}, {1, 1, 2});
    unary("ResizeBilinear_Half", graph::ResizeBilinear{11, 13, false, true}, {3, 3, 3});
    unary("ResizeNearest", graph::ResizeNearestNeighbor{11, 13, false, false}, {1, 1, 2});
    unary("ResizeNearest_Align", graph::ResizeNearestNeighbor{11, 13, true, false}, {3, 3, 3});
    unary("ResizeNearest_Half", graph::ResizeNearestNeighbor{11, 13, false, true}, {3, 3, 3});
  }

  void layouts() {
    GraphBuilder b;
    const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    const TensorId y = b.input(type_, {1, 5, 7, 2}, parameters(0.5f));
    add("Concatenation", b, b.op(graph::Concatenation{3}, {x, y, x}, type_, parameters(0.5f)),
        {1, 1, 2});
    unary("Tile", graph::Tile{{1, 2, 3, 1}}, {1, 1, 3});
    unary("Pad", graph::Pad{{{0, 0}, {1, 2}, {3, 0}, {0, 0}}}, {1, 1, 2});
    unary("Pad_Value", graph::Pad{{{0, 0}, {1, 2}, {3, 0}, {0, 0}}, -1.5f}, {1, 1, 2});
    unary("Pad_5D", graph::Pad{{{0, 0}, {1, 2}, {3, 0}, {0, 0}, {0, 1}}}, {4, 4, 4},
          {1, 2, 3, 2, 2});
    unary("MirrorPad", graph::MirrorPad{{{0, 0}, {1, 2}, {3, 0}, {0, 1}}, false}, {1, 1, 2});
    unary("MirrorPad_Symmetric", graph::MirrorPad{{{0, 0}, {5, 2}, {3, 0}, {0, 1}}, true},
          {1, 1, 2});
    unary("Slice", graph::Slice{{0, 1, 6, 0}, {1, 3, 3, 4}, {1, 1, -3, 1}, {}}, {1, 1, 2});
    unary("Slice_Drop", graph::Slice{{0, 4, 0, 2}, {1, 1, 7, 1}, {1, 1, 1, 1}, {0, 3}}, {1, 1, 2});
    unary("Transpose", graph::Transpose{{0, 3, 1, 2}}, {1, 1, 2});
    unary("DepthToSpace", graph::DepthToSpace{2}, {1, 1, 2});
    unary("SpaceToDepth", graph::SpaceToDepth{2}, {1, 1, 2}, {1, 4, 6, 3});
    unary("Reshape", graph::Reshape{{1, 35, -1}}, {1, 1, 1});
    unary("Reshape_Scalar", graph::Reshape{{}}, {1, 1, 1}, {1, 1});
    unary("SpaceToBatchNd", graph::SpaceToBatchNd{2, 3, {0, 1}, {1, 1}}, {1, 1, 2});
    unary("BatchToSpaceNd", graph::BatchToSpaceNd{2, 3, {0, 1}, {1, 1}}, {1, 1, 2}, {6, 3, 3, 4});
  }

  void transpose_convolutions() {
    for (const bool has_bias : {false, true}) {
      GraphBuilder b;
      const TensorId x = b.input(type_, {1, 5, 6, 4}, parameters(0.5f));
      std::vector<TensorId> inputs = {x, filter(b, {6, 4, 4, 4}, 0)};
      if (has_bias) inputs.push_back(bias(b, 6));
      add(has_bias ? "TransposeConv_Bias" : "TransposeConv", b,
          b.op(graph::TransposeConv{10, 12, 2, 2, 1, 1}, inputs, type_, parameters(0.25f)),
          has_bias ? OpVersions{3, 3, 3} : OpVersions{1, 1, 2});
    }
  }

  void fully_connected() {
    for (const bool keep : {false, true}) {
      GraphBuilder b;
      const TensorId x = b.input(type_, {1, 5, 2, 4}, parameters(0.5f));
      const TensorId weights = filter(b, {6, 4}, 0);
      add(keep ? "FullyConnected_KeepDims" : "FullyConnected", b,
          b.op(graph::FullyConnected{keep, graph::Activation::kRelu}, {x, weights, bias(b, 6)},
               type_, parameters(0.25f)),
          keep ? OpVersions{5, 5, 5} : OpVersions{1, 1, 4});
    }
  }

  void labels() {
    GraphBuilder c;
    const TensorId numbers = c.input(type_, {1, 5, 7, 4}, parameters(0.5f));
    add("Cast", c, c.op(graph::Cast{}, {numbers}, DataType::kInt32), {1, 1, 1});
    for (const DataType type : {DataType::kInt32, DataType::kInt64}) {
      GraphBuilder b;
      const TensorId x = b.input(type_, {1, 5, 7, 4}, parameters(0.5f));
      add(str_cat("ArgMax_", graph::type_name(type)), b, b.op(graph::ArgMax{3}, {x}, type),
          {1, 1, 2});
    }
  }

  void quantization() {
    for (const DataType to : {DataType::kUInt8, DataType::kInt8}) {
      type_ = to;
      GraphBuilder b;
      const TensorId x = b.input(DataType::kFloat32, {1, 5, 7, 4});
      add("Quantize", b, b.op(graph::Quantize{}, {x}, to, parameters(0.03f)), {1, 1, 1});
      GraphBuilder r;
      const TensorId y = r.input(to, {1, 5, 7, 4}, parameters(0.03f));
      add("Quantize_Again", r, r.op(graph::Quantize{}, {y}, to, parameters(0.06f)), {1, 1, 1});
      GraphBuilder d;
      const TensorId z = d.input(to, {1, 5, 7, 4}, parameters(0.03f));
      add("Dequantize", d, d.op(graph::Dequantize{}, {z}, DataType::kFloat32), {1, 1, 2});
    }
  }

  /// float32 activations, int8 filters.
  void hybrids() {
    type_ = DataType::kFloat32;
    for (const bool each : {false, true}) {
      const auto weights = [&](GraphBuilder& b, graph::Shape shape, int32_t axis) {
        graph::Quantization q = per_tensor(0.01f, 0);
        if (each) {
          q = per_channel(static_cast<size_t>(shape[static_cast<size_t>(axis)]), 0.01f, axis);
          q.scales.back() = 0.02f;
        }
        return b.constant(DataType::kInt8, std::move(shape), int8_t{0}, std::move(q));
      };
      const std::string name = each ? "Hybrid_PerChannel" : "Hybrid_PerTensor";
      GraphBuilder b;
      const TensorId x = b.input(type_, {2, 9, 8, 4});
      const TensorId kernel = weights(b, {6, 3, 3, 4}, 0);
      add("Conv2D_" + name, b,
          b.op(graph::Conv2D{{graph::Padding::kSame, 2, 2}, graph::Activation::kRelu6},
               {x, kernel, bias(b, 6)}, type_),
          {each ? 5 : 2, 0, 0});
      GraphBuilder d;
      const TensorId y = d.input(type_, {2, 9, 8, 4});
      const TensorId deep = weights(d, {1, 3, 3, 8}, 3);
      graph::DepthwiseConv2D depthwise;
      depthwise.window = {graph::Padding::kSame, 1, 1, 2, 2};
      depthwise.depth_multiplier = 2;
      add("Depthwise_" + name, d, d.op(depthwise, {y, deep, bias(d, 8)}, type_),
          {each ? 6 : 4, 0, 0});
    }
  }

  graph::DataType type_ = DataType::kFloat32;
  std::vector<OpGraph> graphs_;
};

}  // namespace deeplab::testing
