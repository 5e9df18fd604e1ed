#include "quantize/quantize_graph.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "quantize/border.h"
#include "quantize/constants.h"
#include "quantize/parameter_groups.h"

namespace deeplab::quantize {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Op;
using graph::Tensor;
using graph::TensorId;

size_t at(TensorId id) { return static_cast<size_t>(id); }

std::string tensor_label(const Tensor& tensor, TensorId id) {
  return tensor.name.empty() ? str_cat("tensor ", id) : str_cat("tensor \"", tensor.name, "\"");
}

/// What an op's fused (or own) activation lets through.
Range activation_range(const Op& op) {
  const graph::Interval interval = graph::interval(graph::activation_of(op.attributes));
  return {interval.min, interval.max};
}

graph::Quantization per_tensor(const ActivationQuantization& q) {
  return {{q.scale}, {q.zero_point}, 0};
}

/// One quantization of one graph.
class Quantizer {
 public:
  Quantizer(const Graph& from, const ActivationRanges& ranges, const QuantizeOptions& options)
      : from_(from), graph_(from), ranges_(ranges), options_(options) {}

  Result<Graph> run() {
    DEEPLAB_RETURN_IF_ERROR(check_float(from_));
    DEEPLAB_RETURN_IF_ERROR(check_borders());
    if (ranges_.size() != from_.tensors.size()) {
      return invalid_argument("expected a range for each of ", from_.tensors.size(),
                              " tensors, found ", ranges_.size());
    }
    DEEPLAB_RETURN_IF_ERROR(set_output(graph_, options_.output));
    groups_ = shared_parameters(graph_);
    DEEPLAB_RETURN_IF_ERROR(check_shift());
    DEEPLAB_RETURN_IF_ERROR(choose_parameters());
    DEEPLAB_RETURN_IF_ERROR(quantize_tensors());
    add_borders(graph_, options_.border);
    for (size_t i = 0; i < graph_.ops.size(); ++i) graph_.ops[i].index = static_cast<int32_t>(i);
    DEEPLAB_RETURN_IF_ERROR(annotate(graph::validate(graph_), "the quantized graph"));
    return std::move(graph_);
  }

 private:
  struct Parameters {
    Range range;
    std::optional<ActivationQuantization> fixed;
    ActivationQuantization chosen;
  };

  Status check_borders() const {
    if (from_.inputs.size() != 1 || from_.outputs.size() != 1) {
      return unsupported("expected a graph of one input and one output, found ",
                         from_.inputs.size(), " and ", from_.outputs.size());
    }
    if (from_.tensor(from_.inputs[0]).shape.size() == 4) return {};
    return unsupported(
        "expected a picture [1, height, width, channels] as the graph's input, found ",
        graph::shape_text(from_.tensor(from_.inputs[0]).shape));
  }

  /// Only a bias can take back what the shifted pixels leave out.
  Status check_shift() const {
    if (input_shift(options_) == 0) return {};
    const TensorId pixels = groups_[at(graph_.inputs.front())];
    for (const Op& op : graph_.ops) {
      Convolution conv;
      const bool reads = std::ranges::any_of(
          op.inputs, [&](TensorId id) { return id >= 0 && groups_[at(id)] == pixels; });
      if (!reads || graph::keeps_parameters(op.attributes) || as_convolution(op, conv)) continue;
      return unsupported(graph::op_label(op),
                         " reads pixels: expected a convolution where pixels "
                         "are to be taken as they are");
    }
    return {};
  }

  Parameters& group_of(TensorId id) { return groups_parameters_[at(groups_[at(id)])]; }

  /// Adds a source's range to its group.
  Status add_range(TensorId id, Range range, const Range& interval) {
    const std::string label = tensor_label(from_.tensor(id), id);
    if (!range.known()) return invalid_argument(label, ": its range is not known");
    range.min = std::clamp(range.min, interval.min, interval.max);
    range.max = std::clamp(range.max, interval.min, interval.max);
    if (!std::isfinite(range.min) || !std::isfinite(range.max)) {
      return invalid_argument(label, ": its range is not finite");
    }
    group_of(id).range.include(range);
    return {};
  }

  Status fix(TensorId id, const ActivationQuantization& quantization) {
    Parameters& group = group_of(id);
    if (group.fixed && *group.fixed != quantization) {
      return unsupported(tensor_label(from_.tensor(id), id),
                         ": its scale is given, and an op that cannot rescale ties it to another "
                         "scale that is given");
    }
    group.fixed = quantization;
    return {};
  }

  static Status expect_int8_form(const Op& op) {
    const auto* unary = std::get_if<graph::Unary>(&op.attributes);
    const bool float_only = unary != nullptr && !graph::has_8_bit_form(unary->function);
    const bool unknown = std::holds_alternative<graph::TransposeConv>(op.attributes) ||
                         std::holds_alternative<graph::FullyConnected>(op.attributes) ||
                         std::holds_alternative<graph::Cast>(op.attributes);
    if (!float_only && !unknown) return {};
    return unsupported(graph::op_label(op), ": this op cannot be quantized");
  }

  /// What joins a group of a given scale must fit it.
  static Status check_fixed(const ActivationQuantization& q, const Range& range) {
    if (!range.known()) return {};
    const float low = q.scale * static_cast<float>(-129 - q.zero_point);
    const float high = q.scale * static_cast<float>(128 - q.zero_point);
    if (range.min >= low && range.max <= high) return {};
    return unsupported("values from ", range.min, " to ", range.max,
                       " are joined, without rescaling, with ones of a given scale that end at ",
                       low, " and ", high);
  }

  Status add_constant(TensorId id) {
    Range range;
    for (float value : from_.tensor(id).values<float>()) range.include({value, value});
    return add_range(id, range, Range{-INFINITY, INFINITY});
  }

  Status choose_parameters() {
    groups_parameters_.resize(graph_.tensors.size());
    const TensorId input = graph_.inputs.front();
    if (const auto pixels = pixel_quantization(options_)) {
      DEEPLAB_RETURN_IF_ERROR(fix(input, *pixels));
    } else {
      DEEPLAB_RETURN_IF_ERROR(add_range(input, ranges_[at(input)], {-INFINITY, INFINITY}));
    }
    for (const Op& op : graph_.ops) {
      DEEPLAB_RETURN_IF_ERROR(expect_int8_form(op));
      Convolution conv;
      const size_t data_operands = as_convolution(op, conv) ? 1 : op.inputs.size();
      for (size_t k = 0; k < data_operands; ++k) {
        if (!graph_.tensor(op.inputs[k]).is_constant()) continue;
        DEEPLAB_RETURN_IF_ERROR(add_constant(op.inputs[k]));
      }
      const TensorId output = op.output();
      if (graph::keeps_parameters(op.attributes) ||
          graph_.tensor(output).type != DataType::kFloat32)
        continue;
      if (const auto given = given_parameters(op)) {
        DEEPLAB_RETURN_IF_ERROR(fix(output, *given));
      } else {
        DEEPLAB_RETURN_IF_ERROR(add_range(output, ranges_[at(output)], activation_range(op)));
      }
    }
    for (Parameters& group : groups_parameters_) {
      if (group.fixed) {
        DEEPLAB_RETURN_IF_ERROR(check_fixed(*group.fixed, group.range));
        group.chosen = *group.fixed;
      } else if (group.range.known()) {
        group.chosen = activation_quantization(group.range);
      }
    }
    return {};
  }

  Status quantize_tensors() {
    make_int8(graph_.inputs.front());
    for (Op& op : graph_.ops) {
      Convolution conv;
      if (as_convolution(op, conv)) {
        DEEPLAB_RETURN_IF_ERROR(quantize_convolution(op, conv));
      } else {
        for (TensorId& id : op.inputs) {
          if (graph_.tensor(id).is_constant()) id = quantized_operand(id);
        }
      }
      if (graph_.tensor(op.output()).type == DataType::kFloat32) make_int8(op.output());
    }
    return {};
  }

  void make_int8(TensorId id) {
    Tensor& tensor = graph_.tensor(id);
    tensor.type = tensor.file_type = DataType::kInt8;
    tensor.quantization = per_tensor(group_of(id).chosen);
  }

  /// Room for a constant made of `id`: its own place, or a new one if another use has that.
  TensorId place_for(TensorId id) {
    Tensor& tensor = graph_.tensor(id);
    if (tensor.type == DataType::kFloat32) return id;
    const TensorId copy = append_tensor(graph_, from_.tensor(id));
    graph_.tensor(copy).name += str_cat("_", copy);
    return copy;
  }

  TensorId quantized_operand(TensorId id) {
    const ActivationQuantization q = group_of(id).chosen;
    std::vector<int8_t> stored;
    for (float value : from_.tensor(id).values<float>()) {
      stored.push_back(quantize_activation(value, q));
    }
    const TensorId place = place_for(id);
    set_constant(place, DataType::kInt8, constant_bytes<int8_t>(stored), per_tensor(q));
    return place;
  }

  void set_constant(TensorId id, DataType type, std::shared_ptr<const std::vector<std::byte>> data,
                    graph::Quantization quantization) {
    Tensor& tensor = graph_.tensor(id);
    tensor.type = tensor.file_type = type;
    tensor.data = std::move(data);
    tensor.quantization = std::move(quantization);
  }

  Status expect_finite(TensorId id) const {
    for (float value : from_.tensor(id).values<float>()) {
      if (!std::isfinite(value)) {
        return invalid_model(tensor_label(from_.tensor(id), id), ": found a weight of ", value);
      }
    }
    return {};
  }

  Status quantize_convolution(Op& op, const Convolution& conv) {
    DEEPLAB_RETURN_IF_ERROR(expect_finite(conv.filter));
    const Tensor& filter = from_.tensor(conv.filter);
    const FilterIndex index(conv, filter.shape);
    std::vector<double> bias(index.outputs());
    std::span<const float> float_bias;
    if (conv.bias != graph::kNoTensor) {
      DEEPLAB_RETURN_IF_ERROR(expect_finite(conv.bias));
      float_bias = from_.tensor(conv.bias).values<float>();
      std::ranges::copy(float_bias, bias.begin());
    }
    const float input_scale = graph_.tensor(conv.input).quantization.scale();
    std::vector<float> scales =
        weight_scales(filter.values<float>(), filter.shape, conv.channel_axis(),
                      options_.granularity, float_bias, input_scale);
    const auto scale_of = [&](size_t c) { return scales[scales.size() > 1 ? c : 0]; };

    const bool from_pixels = groups_[at(conv.input)] == groups_[at(graph_.inputs.front())];
    const float shift = from_pixels ? input_shift(options_) : 0;
    const std::span<const float> weights = filter.values<float>();
    std::vector<int8_t> stored(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t c = index.output(i);
      stored[i] = quantize_weight(weights[i], scale_of(c));
      bias[c] += double{shift} * scale_of(c) * stored[i];
    }
    std::vector<int32_t> stored_bias(bias.size());
    std::vector<float> bias_scales(scales.size());
    for (size_t c = 0; c < bias.size(); ++c) {
      stored_bias[c] = quantize_bias(bias[c], input_scale, scale_of(c));
    }
    std::ranges::transform(scales, bias_scales.begin(),
                           [&](float scale) { return input_scale * scale; });

    const std::vector<int32_t> zeros(scales.size());
    op.inputs[1] = place_for(conv.filter);
    set_constant(op.inputs[1], DataType::kInt8, constant_bytes<int8_t>(stored),
                 {scales, zeros, scales.size() > 1 ? conv.channel_axis() : 0});
    if (conv.bias == graph::kNoTensor && shift == 0) return {};
    op.inputs.resize(3, graph::kNoTensor);
    op.inputs[2] = conv.bias == graph::kNoTensor ? new_bias(op, bias.size()) : place_for(conv.bias);
    set_constant(op.inputs[2], DataType::kInt32, constant_bytes<int32_t>(stored_bias),
                 {bias_scales, zeros, 0});
    return {};
  }

  TensorId new_bias(const Op& op, size_t channels) {
    Tensor bias;
    bias.name = graph_.tensor(op.output()).name + "_bias";
    bias.shape = {static_cast<int32_t>(channels)};
    return append_tensor(graph_, std::move(bias));
  }

  const Graph& from_;
  Graph graph_;
  const ActivationRanges& ranges_;
  const QuantizeOptions& options_;
  std::vector<TensorId> groups_;               ///< shared_parameters().
  std::vector<Parameters> groups_parameters_;  ///< At each group's lowest id.
};

}  // namespace

Status check_float(const Graph& graph) {
  const auto check = [&](TensorId id) -> Status {
    const Tensor& tensor = graph.tensor(id);
    if (tensor.type == DataType::kFloat32 || tensor.type == DataType::kInt64) return {};
    if (tensor.type == DataType::kInt32 && !tensor.is_constant()) return {};  // of an ARG_MAX
    return invalid_argument(tensor_label(tensor, id), " is ", graph::type_name(tensor.type),
                            ": the model is quantized already, expected a float32 one");
  };
  for (TensorId id : graph.inputs) DEEPLAB_RETURN_IF_ERROR(check(id));
  for (const Op& op : graph.ops) {
    for (TensorId id : op.inputs) {
      if (id != graph::kNoTensor) DEEPLAB_RETURN_IF_ERROR(check(id));
    }
    DEEPLAB_RETURN_IF_ERROR(check(op.output()));
  }
  return {};
}

Result<Graph> quantize_graph(const Graph& float_graph, const ActivationRanges& ranges,
                             const QuantizeOptions& options) {
  return Quantizer(float_graph, ranges, options).run();
}

}  // namespace deeplab::quantize
