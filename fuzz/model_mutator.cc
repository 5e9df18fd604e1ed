// How libFuzzer changes a model file. Half of the time its bytes, as libFuzzer does by itself: that
// reaches the reader. Else the graph that they hold, whose shapes and weights are made to fit
// again: that stays a valid model and reaches the kernels.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "fuzz/target.h"
#include "graph/graph.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed);

namespace deeplab::fuzz {
namespace {

using graph::Attributes;
using graph::Graph;
using graph::Op;
using graph::Shape;
using graph::Tensor;
using graph::TensorId;

constexpr size_t kTail = 4;  // How the model is run: model.cc.
constexpr int64_t kMostElements = 1 << 12;

class Mutator {
 public:
  Mutator(Graph& graph, unsigned seed) : graph_(graph), random_(seed) {}

  /// False: the result is not a graph.
  bool run() {
    for (int changes = 1 + below(3); changes > 0; --changes) {
      switch (below(7)) {
        case 0:
          change_input();
          break;
        case 1:
          change_quantization();
          break;
        case 2:
          change_constant();
          break;
        case 3:
          append_op();
          break;
        default:
          change_attributes();
      }
    }
    return fit();
  }

 private:
  int32_t below(int32_t n) { return static_cast<int32_t>(random_() % static_cast<unsigned>(n)); }
  template <typename T>
  T& any(std::vector<T>& list) {
    return list[static_cast<size_t>(below(static_cast<int32_t>(list.size())))];
  }
  template <typename Function, size_t count>
  Function any_function(const std::string_view (&/*names*/)[count]) {
    return static_cast<Function>(below(static_cast<int32_t>(count)));
  }
  int32_t extent() {
    constexpr int32_t kExtents[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 33};
    return below(2) == 0 ? 1 + below(12) : kExtents[below(10)];
  }
  bool chance(int32_t one_in) { return below(one_in) == 0; }

  void change_input() {
    Shape& shape = graph_.tensor(any(graph_.inputs)).shape;
    if (!shape.empty()) any(shape) = extent();
  }

  /// Of all tensors that share it, as ops that keep parameters want it.
  void change_quantization() {
    const graph::Quantization old = any(graph_.tensors).quantization;
    if (!old.present()) return;
    graph::Quantization changed = old;
    constexpr float kFactors[] = {0.5f, 2.0f, 1e-3f, 1e3f, 1e-30f, 1e30f, 1.0f / 3};
    if (chance(2)) any(changed.scales) *= kFactors[below(7)];
    if (chance(2)) changed.zero_points[0] = below(256) - (chance(2) ? 128 : 0);
    for (Tensor& tensor : graph_.tensors) {
      if (tensor.quantization == old) tensor.quantization = changed;
    }
  }

  void change_constant() {
    Tensor& tensor = any(graph_.tensors);
    if (!tensor.is_constant() || tensor.data->empty()) return;
    std::vector<std::byte> bytes(tensor.data->begin(), tensor.data->end());
    const auto value = static_cast<std::byte>(below(256));
    if (chance(3)) {
      std::fill(bytes.begin(), bytes.end(), value);
    } else {
      for (int i = 1 + below(8); i > 0; --i) any(bytes) = value;
    }
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }

  /// One field, or the filter of a convolution.
  void change_attributes() {
    Op& op = any(graph_.ops);
    const bool dense = std::holds_alternative<graph::Conv2D>(op.attributes);
    if ((dense || std::holds_alternative<graph::DepthwiseConv2D>(op.attributes)) && chance(2)) {
      return change_filter(op, dense);
    }
    int32_t fields = 0;
    graph::visit_fields(op.attributes, [&](const auto&, auto&&) { ++fields; });
    if (fields == 0) return;
    int32_t left = below(fields);
    rank_ = static_cast<int32_t>(graph_.tensor(op.inputs[0]).shape.size());
    graph::visit_fields(op.attributes, [&](const graph::FieldName& name, auto&& field) {
      if (left-- == 0) change(name, field);
    });
  }

  template <typename Field>
  void change(const graph::FieldName& /*name*/, Field& field) {
    change(field);
  }
  void change(const graph::FieldName& name, int32_t& value) {
    value = name.json == "axis" ? below(rank_ + 1) : 1 + below(3);
  }
  void change(const graph::FieldName& name, std::vector<int32_t>& values) {
    if (name.json == "axes") {
      values.clear();
      for (int32_t axis = 0; axis < rank_; ++axis) {
        if (chance(2)) values.push_back(axis);
      }
    } else if (chance(2)) {
      std::shuffle(values.begin(), values.end(), random_);
    } else if (!values.empty()) {
      any(values) = 1 + below(4);
    }
  }
  void change(bool& value) { value = !value; }
  void change(float& value) {
    constexpr float kFactors[] = {1, 0.5f, 100, 1e-20f, 1e20f};
    value = kFactors[below(5)];
  }
  void change(std::array<int32_t, 2>& amounts) { amounts = {below(4), below(4)}; }
  void change(graph::Amounts& amounts) {
    if (!amounts.empty()) change(any(amounts));
  }
  void change(const graph::FieldPair<int32_t>& pair) {
    pair.h = chance(2) ? extent() : 1 + below(3);
    pair.w = chance(2) ? extent() : 1 + below(3);
  }
  void change(const graph::FieldPair<std::array<int32_t, 2>>& pair) {
    change(pair.h);
    change(pair.w);
  }
  void change(graph::Window& w) {
    switch (below(4)) {
      case 0:
        w.padding = chance(2) ? graph::Padding::kSame : graph::Padding::kValid;
        break;
      case 1:
        w.stride_h = w.stride_w = 1 + below(3);
        break;
      case 2:
        w.stride_w = 1 + below(5);
        w.dilation_h = 1 + below(6);
        break;
      default:
        w.dilation_h = w.dilation_w = 1 + below(5);
    }
  }
  void change(graph::Activation& a) { a = static_cast<graph::Activation>(below(4)); }

  void change_filter(const Op& op, bool dense) {
    Shape& filter = graph_.tensor(op.inputs[1]).shape;
    const int32_t what = below(3);
    if (what == 0) return change_filter_type(op, dense ? 0 : 3);
    if (filter.size() != 4) return;
    if (what == 1 && dense) {
      filter[0] = extent();
    } else {
      filter[static_cast<size_t>(1 + below(2))] = 1 + below(5);
    }
  }
  /// A float32 filter becomes an int8 one with one scale or one scale per channel, and back.
  void change_filter_type(const Op& op, size_t axis) {
    Tensor& filter = graph_.tensor(op.inputs[1]);
    if (graph_.tensor(op.inputs[0]).type != graph::DataType::kFloat32) return;
    if (!filter.is_constant() || filter.shape.size() != 4) return;
    const bool was_float = filter.type == graph::DataType::kFloat32;
    filter.type = filter.file_type = was_float ? graph::DataType::kInt8 : graph::DataType::kFloat32;
    filter.quantization = {};
    std::vector<std::byte> bytes(filter.byte_size(), std::byte{0x3c});
    if (was_float) {
      const size_t scales = chance(2) ? 1 : static_cast<size_t>(filter.shape[axis]);
      filter.quantization = {std::vector<float>(scales, 0.01f), std::vector<int32_t>(scales),
                             static_cast<int32_t>(axis)};
      filter.quantization.scales[0] *= chance(2) ? 1.0f : 3.0f;
      std::copy_n(filter.data->begin(), std::min(bytes.size(), filter.data->size()), bytes.begin());
    }
    filter.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }

  /// An op after some tensor, whose result becomes an output.
  void append_op() {
    const TensorId from = chance(2) ? graph_.outputs[0] : any(graph_.ops).output();
    const Tensor& x = graph_.tensor(from);
    if (x.type == graph::DataType::kInt32 || x.type == graph::DataType::kInt64) return;
    Tensor y = x;
    y.name += "'";
    Op op{{}, {from}, {static_cast<TensorId>(graph_.tensors.size())}, 0};
    const size_t rank = x.shape.size();
    // A second operand: the picture itself, another one, or a constant per channel.
    const auto second_operand = [&]() -> TensorId {
      if (chance(2)) return chance(2) ? from : any(graph_.ops).output();
      Tensor constant = x;
      constant.shape = {x.shape.empty() ? 1 : x.shape.back()};
      constant.data =
          std::make_shared<const std::vector<std::byte>>(constant.byte_size(), std::byte{0x3f});
      graph_.tensors.push_back(std::move(constant));
      ++op.outputs[0];
      return static_cast<TensorId>(graph_.tensors.size() - 1);
    };
    switch (below(23)) {
      case 0:
        op.attributes = graph::Relu{};
        break;
      case 1:
        op.attributes = graph::Relu6{};
        break;
      case 2:
        op.attributes = graph::ResizeBilinear{extent(), extent(), chance(2), false};
        break;
      case 3:
        op.attributes = graph::ArgMax{static_cast<int32_t>(rank) - 1};
        y.type = y.file_type = chance(2) ? graph::DataType::kInt32 : graph::DataType::kInt64;
        y.quantization = {};
        break;
      case 4:
        op.attributes = graph::Add{};
        op.inputs.push_back(second_operand());
        break;
      case 9:
        op.attributes = graph::Sub{graph::Activation::kNone, chance(2)};
        op.inputs.push_back(second_operand());
        break;
      case 10:
        op.attributes = graph::Mul{};
        op.inputs.push_back(second_operand());
        break;
      case 5:
        op.attributes = graph::Concatenation{static_cast<int32_t>(rank) - 1};
        op.inputs.push_back(chance(2) ? from : any(graph_.ops).output());
        break;
      case 6:
        op.attributes = graph::Mean{{1, 2}, true};
        break;
      case 7:
        op.attributes = graph::AveragePool2D{{graph::Padding::kSame, 2, 2}, 3, 3};
        break;
      case 8:
        op.attributes = graph::Pad{std::vector<std::array<int32_t, 2>>(rank, {0, 1})};
        break;
      case 11:
        op.attributes = graph::MaxPool2D{{graph::Padding::kSame, 2, 2}, 3, 3};
        break;
      case 12:
        op.attributes = graph::Unary{any_function<graph::UnaryFunction>(kUnaryNames), 0.25f};
        break;
      case 13:
        op.attributes = graph::Prelu{};
        op.inputs.push_back(second_operand());
        break;
      case 14: {
        graph::Slice slice;
        for (int32_t extent : x.shape) {
          slice.begin.push_back(below(extent));
          slice.size.push_back(1 + below(extent - slice.begin.back()));
          slice.step.push_back(1);
        }
        op.attributes = std::move(slice);
        break;
      }
      case 15: {
        graph::Transpose transpose;
        for (size_t d = 0; d < rank; ++d) transpose.permutation.push_back(static_cast<int32_t>(d));
        std::shuffle(transpose.permutation.begin(), transpose.permutation.end(), random_);
        op.attributes = std::move(transpose);
        break;
      }
      case 16:
        op.attributes = graph::DepthToSpace{2};
        break;
      case 17:
        op.attributes = graph::SpaceToDepth{2};
        break;
      case 18:
        op.attributes = graph::Cast{};
        y.type = y.file_type = chance(2) ? graph::DataType::kFloat32 : graph::DataType::kInt32;
        y.quantization = {};
        break;
      case 19:
        op.attributes = graph::Binary{any_function<graph::BinaryFunction>(kBinaryNames),
                                      graph::Activation::kNone, false};
        op.inputs.push_back(second_operand());
        break;
      case 20:
        op.attributes =
            graph::Reduce{any_function<graph::ReduceFunction>(kReduceNames), {1, 2}, true};
        break;
      case 21: {  // Any of the list; what its attributes lack, change_attributes() may give it.
        std::vector<Attributes> all = graph::all_ops();
        op.attributes = any(all);
        if (graph::arity(op.attributes).min > 1) op.inputs.push_back(second_operand());
        break;
      }
      default:
        op.attributes = graph::Dequantize{};
        y.type = y.file_type = graph::DataType::kFloat32;
        y.quantization = {};
    }
    graph_.tensors.push_back(std::move(y));
    graph_.ops.push_back(std::move(op));
    if (chance(2)) {
      graph_.outputs = {graph_.ops.back().output()};
    } else {
      graph_.outputs.push_back(graph_.ops.back().output());
    }
  }

  /// Filters and biases as large as their convolution wants them, then all shapes.
  bool fit() {
    for (Op& op : graph_.ops) {
      if (!fit_weights(op)) return false;
      const auto shape = graph::infer_shape(graph_, op);
      if (!shape.ok()) return false;
      graph_.tensor(op.output()).shape = *shape;
      if (graph_.tensor(op.output()).elements() > kMostElements) return false;
    }
    return true;
  }

  bool fit_weights(const Op& op) {
    const bool dense = std::holds_alternative<graph::Conv2D>(op.attributes) ||
                       std::holds_alternative<graph::TransposeConv>(op.attributes);
    const auto* depthwise = std::get_if<graph::DepthwiseConv2D>(&op.attributes);
    if (!dense && depthwise == nullptr) return true;
    const Shape& x = graph_.tensor(op.inputs[0]).shape;
    Tensor& filter = graph_.tensor(op.inputs[1]);
    if (x.size() != 4 || filter.shape.size() != 4) return false;
    filter.shape[3] = dense ? x[3] : x[3] * depthwise->depth_multiplier;
    const int32_t channels = dense ? filter.shape[0] : filter.shape[3];
    resize_constant(filter, channels);
    if (op.inputs.size() > 2 && op.inputs[2] != graph::kNoTensor) {
      Tensor& bias = graph_.tensor(op.inputs[2]);
      bias.shape = {channels};
      resize_constant(bias, channels);
      bias.quantization = {};  // What it means: the writer says it.
    }
    return filter.elements() <= kMostElements;
  }

  /// Repeats what there is.
  static void resize_constant(Tensor& tensor, int32_t channels) {
    if (!tensor.is_constant() || tensor.data->empty() || tensor.elements() > kMostElements) return;
    graph::Quantization& q = tensor.quantization;
    if (q.per_channel()) {
      q.scales.resize(static_cast<size_t>(channels), q.scales[0]);
      q.zero_points.resize(static_cast<size_t>(channels), q.zero_points[0]);
    }
    std::vector<std::byte> bytes(tensor.byte_size());
    if (bytes.size() == tensor.data->size()) return;
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = (*tensor.data)[i % tensor.data->size()];
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }

  Graph& graph_;
  std::minstd_rand random_;
  int32_t rank_ = 0;  ///< Of the picture of the op whose fields change.
};

}  // namespace
}  // namespace deeplab::fuzz

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace deeplab;
  constexpr size_t kTail = fuzz::kTail;
  if (seed % 2 == 0 || size < kTail) return LLVMFuzzerMutate(data, size, max_size);
  uint8_t tail[kTail];
  std::memcpy(tail, data + size - kTail, kTail);
  auto file = tflite::read_model(std::as_bytes(std::span(data, size - kTail)), "seed");
  if (!file.ok()) return LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 1) {  // The same model, run another way.
    tail[seed / 8 % kTail] = static_cast<uint8_t>(seed / 64);
    std::memcpy(data + size - kTail, tail, kTail);
    return size;
  }
  if (!fuzz::Mutator(file->graph, seed).run()) return LLVMFuzzerMutate(data, size, max_size);
  file->metadata = {};
  const auto bytes = tflite::write_model(*file);
  if (!bytes.ok() || bytes->size() + kTail > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::memcpy(data, bytes->data(), bytes->size());
  std::memcpy(data + bytes->size(), tail, kTail);
  return bytes->size() + kTail;
}
