#include "quantize/border.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "passes/remove_dead_ops.h"
#include "passes/rewrite.h"
#include "quantize/constants.h"

namespace deeplab::quantize {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Op;
using graph::Shape;
using graph::Tensor;
using graph::TensorId;

constexpr int32_t kUInt8Offset = 128;

PixelRule resolved_rule(const QuantizeOptions& options) {
  if (options.pixel_rule != PixelRule::kBest) return options.pixel_rule;
  return options.border == Border::kFloat32 ? PixelRule::kRounded : PixelRule::kShifted;
}

/// The stored value of real 0 in steps of a pixel, and how much it was rounded.
int32_t whole_zero_point(double zero_point) {
  return static_cast<int32_t>(std::clamp(std::nearbyint(zero_point), -128.0, 127.0));
}

/// The ARG_MAX over the classes that makes the output, through RESHAPEs and CASTs; or -1.
int final_arg_max(const Graph& graph) {
  TensorId id = graph.outputs.front();
  while (true) {
    const int position = graph.producer(id);
    if (position < 0) return -1;
    const Op& op = graph.ops[static_cast<size_t>(position)];
    if (std::holds_alternative<graph::ArgMax>(op.attributes)) return position;
    if (!std::holds_alternative<graph::Reshape>(op.attributes) &&
        !std::holds_alternative<graph::Cast>(op.attributes)) {
      return -1;
    }
    id = op.inputs.front();
  }
}

/// A tensor like `like` at the graph's border, where the outer one keeps the name.
TensorId outer_tensor(Graph& graph, TensorId inner, DataType type) {
  Tensor outer = graph.tensor(inner);
  graph.tensor(inner).name += "_int8";
  outer.type = outer.file_type = type;
  if (type == DataType::kFloat32) {
    outer.quantization = {};
  } else {
    outer.quantization.zero_points.front() += kUInt8Offset;
  }
  return append_tensor(graph, std::move(outer));
}

}  // namespace

Status set_output(Graph& graph, Output output) {
  const int arg_max = final_arg_max(graph);
  if (output == Output::kScores) {
    if (arg_max < 0) return {};
    graph.outputs = {graph.ops[static_cast<size_t>(arg_max)].inputs.front()};
    passes::remove_dead_ops(graph);
    return {};
  }
  if (arg_max >= 0) {
    const TensorId labels = graph.ops[static_cast<size_t>(arg_max)].output();
    if (graph.tensor(graph.outputs.front()).type != graph.tensor(labels).type) {
      graph.outputs = {labels};  // not what a CAST made of them
      passes::remove_dead_ops(graph);
    }
    return {};
  }
  const TensorId scores = graph.outputs.front();
  const Shape& shape = graph.tensor(scores).shape;
  if (shape.size() != 4) {
    return unsupported("no labels can be made of the output ", graph::shape_text(shape),
                       "; expected scores [1, height, width, classes]");
  }
  Tensor labels;
  labels.name = "labels";
  labels.type = labels.file_type = DataType::kInt64;
  labels.shape = {shape[0], shape[1], shape[2]};
  graph.outputs = {append_tensor(graph, std::move(labels))};
  graph.ops.push_back({graph::ArgMax{3}, {scores}, graph.outputs, 0});
  return {};
}

std::optional<PixelScale> input_pixels(const QuantizeOptions& options) {
  if (!options.pixels || resolved_rule(options) == PixelRule::kRounded) return options.pixels;
  const auto mean = static_cast<float>(kUInt8Offset + pixel_quantization(options)->zero_point);
  return PixelScale{mean, options.pixels->std};
}

float input_shift(const QuantizeOptions& options) {
  const auto pixels = input_pixels(options);
  return pixels ? (pixels->mean - options.pixels->mean) / pixels->std : 0;
}

std::optional<ActivationQuantization> pixel_quantization(const QuantizeOptions& options) {
  if (!options.pixels) return std::nullopt;
  const auto [mean, std] = *options.pixels;
  if (resolved_rule(options) == PixelRule::kShifted) {
    return ActivationQuantization{1 / std, whole_zero_point(double{mean} - kUInt8Offset)};
  }
  constexpr double kPixelSteps = 128 / 127.5;
  return ActivationQuantization{static_cast<float>(1 / (kPixelSteps * std)),
                                whole_zero_point((mean - 127.5) * kPixelSteps)};
}

void add_borders(Graph& graph, Border border) {
  if (border == Border::kInt8) return;
  const bool is_float = border == Border::kFloat32;
  const DataType type = is_float ? DataType::kFloat32 : DataType::kUInt8;
  const TensorId input = graph.inputs.front();
  const TensorId output = graph.outputs.front();
  graph.inputs = {outer_tensor(graph, input, type)};
  graph.ops.insert(graph.ops.begin(), {graph::Quantize{}, graph.inputs, {input}, 0});
  if (graph.tensor(output).type != DataType::kInt8) return;
  graph.outputs = {outer_tensor(graph, output, type)};
  graph::Attributes back = graph::Quantize{};
  if (is_float) back = graph::Dequantize{};
  graph.ops.push_back({back, {output}, graph.outputs, 0});
}

}  // namespace deeplab::quantize
