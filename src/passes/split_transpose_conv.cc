#include "passes/split_transpose_conv.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

namespace deeplab::passes {
namespace {

using graph::Graph;
using graph::Op;
using graph::Shape;
using graph::Tensor;
using graph::TensorId;

/// Weights after the split over those before.
constexpr int32_t kMostZeros = 4;

/// One side of the picture.
struct Side {
  int32_t taps = 0;    ///< Of the convolution's filter.
  int32_t places = 0;  ///< Rows or columns that it makes.
  int32_t pad_after = 0;
};
Side split_side(int32_t in, int32_t out, int32_t filter, int32_t stride, int32_t pad) {
  const auto ceil_div = [](int64_t a, int32_t b) { return static_cast<int32_t>((a + b - 1) / b); };
  Side side;
  side.taps = ceil_div(filter, stride);
  side.places = ceil_div(int64_t{out} + pad, stride);
  side.pad_after = side.places - in;
  return side;
}

class Splitter {
 public:
  Splitter(Graph& graph, const Op& op)
      : graph_(graph), op_(op), a_(std::get<graph::TransposeConv>(op.attributes)) {}

  /// The ops that take its place; none if it has to stay.
  std::vector<Op> split() {
    const Shape x = graph_.tensor(op_.inputs[0]).shape;
    const Tensor& filter = graph_.tensor(op_.inputs[1]);
    if (a_.stride_h != a_.stride_w || !filter.is_constant()) return {};
    const Side rows = split_side(x[1], a_.height, filter.shape[1], a_.stride_h, a_.pad_top);
    const Side columns = split_side(x[2], a_.width, filter.shape[2], a_.stride_w, a_.pad_left);
    if (rows.pad_after < 0 || columns.pad_after < 0) return {};
    // With strides far beyond the filter, nearly all weights would be zeros.
    const int64_t taps = int64_t{rows.taps} * columns.taps * a_.stride_h * a_.stride_w;
    if (taps > int64_t{kMostZeros} * filter.shape[1] * filter.shape[2]) return {};

    const int32_t stride = a_.stride_h;
    const Tensor y = graph_.tensor(op_.output());
    std::vector<TensorId> inputs = {op_.inputs[0], add(split_filter(filter, rows, columns))};
    if (op_.inputs.size() > 2 && op_.inputs[2] != graph::kNoTensor) {
      inputs.push_back(add(repeated_bias(graph_.tensor(op_.inputs[2]))));
    }
    graph::Conv2D conv;
    conv.window.padding = graph::Padding::kExplicit;
    conv.window.pad_top = rows.taps - 1;
    conv.window.pad_bottom = rows.pad_after;
    conv.window.pad_left = columns.taps - 1;
    conv.window.pad_right = columns.pad_after;
    conv.activation = a_.activation;
    Tensor places = y;
    places.name += "/places";
    places.shape = {x[0], rows.places, columns.places, y.shape[3] * stride * stride};

    const Shape whole = {x[0], rows.places * stride, columns.places * stride, y.shape[3]};
    const bool crops = whole != y.shape;
    std::vector<Op> ops;
    const TensorId conv_output = stride == 1 && !crops ? op_.output() : add(std::move(places));
    ops.push_back({conv, std::move(inputs), {conv_output}, op_.index});
    TensorId last = conv_output;
    if (stride > 1) {
      Tensor joined = y;
      joined.name += "/joined";
      joined.shape = whole;
      const TensorId output = crops ? add(std::move(joined)) : op_.output();
      ops.push_back({graph::DepthToSpace{stride}, {last}, {output}, op_.index});
      last = output;
    }
    if (crops) {
      ops.push_back({graph::Slice{{0, a_.pad_top, a_.pad_left, 0}, y.shape, {1, 1, 1, 1}, {}},
                     {last},
                     {op_.output()},
                     op_.index});
    }
    return ops;
  }

 private:
  TensorId add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }
  int32_t places() const { return a_.stride_h * a_.stride_w; }

  /// Tap (t, u) of place (p, q) is the filter's (p + s * (taps - 1 - t), q + s * (taps - 1 - u)).
  Tensor split_filter(const Tensor& filter, const Side& rows, const Side& columns) const {
    const int32_t stride = a_.stride_h;
    const Shape& from = filter.shape;
    Tensor split = filter;
    split.name += "/split";
    split.shape = {from[0] * places(), rows.taps, columns.taps, from[3]};
    repeat(split.quantization.scales, filter.quantization);
    repeat(split.quantization.zero_points, filter.quantization);
    const size_t element = graph::size_of(filter.type);
    const size_t run = static_cast<size_t>(from[3]) * element;
    std::vector<std::byte> bytes(split.byte_size());
    if (filter.type != graph::DataType::kFloat32) {
      const auto zero = static_cast<std::byte>(filter.quantization.zero_point());
      std::fill(bytes.begin(), bytes.end(), zero);
    }
    std::byte* to = bytes.data();
    for (int32_t place = 0; place < places(); ++place) {
      for (int32_t co = 0; co < from[0]; ++co) {
        for (int32_t t = 0; t < rows.taps; ++t) {
          for (int32_t u = 0; u < columns.taps; ++u, to += run) {
            const int32_t ky = place / stride + stride * (rows.taps - 1 - t);
            const int32_t kx = place % stride + stride * (columns.taps - 1 - u);
            if (ky >= from[1] || kx >= from[2]) continue;
            const auto tap = static_cast<size_t>((int64_t{co} * from[1] + ky) * from[2] + kx);
            std::memcpy(to, filter.data->data() + tap * run, run);
          }
        }
      }
    }
    split.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return split;
  }

  Tensor repeated_bias(const Tensor& bias) const {
    Tensor repeated = bias;
    repeated.name += "/repeated";
    repeated.shape = {static_cast<int32_t>(bias.elements()) * places()};
    repeat(repeated.quantization.scales, bias.quantization);
    repeat(repeated.quantization.zero_points, bias.quantization);
    repeated.quantization.axis = 0;
    std::vector<std::byte> bytes;
    for (int32_t place = 0; place < places(); ++place) {
      bytes.insert(bytes.end(), bias.data->begin(), bias.data->end());
    }
    repeated.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return repeated;
  }

  template <typename T>
  void repeat(std::vector<T>& values, const graph::Quantization& from) const {
    if (!from.per_channel()) return;
    const std::vector<T> once = values;
    for (int32_t place = 1; place < places(); ++place) {
      values.insert(values.end(), once.begin(), once.end());
    }
  }

  Graph& graph_;
  const Op op_;
  const graph::TransposeConv a_;
};

}  // namespace

void split_transpose_conv(Graph& graph) {
  std::vector<Op> ops;
  for (const Op& op : graph.ops) {
    std::vector<Op> parts;
    if (std::holds_alternative<graph::TransposeConv>(op.attributes)) {
      parts = Splitter(graph, op).split();
    }
    if (parts.empty()) {
      ops.push_back(op);
    } else {
      std::move(parts.begin(), parts.end(), std::back_inserter(ops));
    }
  }
  graph.ops = std::move(ops);
}

}  // namespace deeplab::passes
