#include "train/network/graph_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "passes/label_head.h"

namespace deeplab::train {
namespace {

using graph::TensorId;
using torch::Tensor;

constexpr double kEpsilon = 1e-3;  // batch norm's, as in TensorFlow's MobileNet

bool is_convolution(const graph::Op& op) {
  return std::holds_alternative<graph::Conv2D>(op.attributes) ||
         std::holds_alternative<graph::DepthwiseConv2D>(op.attributes);
}
bool is_depthwise(const graph::Op& op) {
  return std::holds_alternative<graph::DepthwiseConv2D>(op.attributes);
}

std::vector<int64_t> sizes_of(const graph::Shape& shape) { return {shape.begin(), shape.end()}; }

Tensor tensor_of(const graph::Tensor& constant) {
  const auto values = constant.values<float>();
  return torch::from_blob(const_cast<float*>(values.data()), sizes_of(constant.shape)).clone();
}

std::shared_ptr<const std::vector<std::byte>> bytes_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().contiguous();
  std::vector<std::byte> bytes(static_cast<size_t>(flat.numel()) * sizeof(float));
  std::memcpy(bytes.data(), flat.data_ptr<float>(), bytes.size());
  return std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

// The layout that torch calls NCHW, as a view of the same memory, and back.
Tensor channels_first(const Tensor& x) { return x.permute({0, 3, 1, 2}); }
Tensor channels_last(const Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }

Tensor activated(const Tensor& x, Activation activation) {
  if (activation == Activation::kNone) return x;
  if (activation == Activation::kRelu) return at::relu(x);
  const graph::Interval interval = graph::interval(activation);
  return at::hardtanh(x, interval.min, interval.max);
}

/// Refuses, once and for all, what run() cannot do.
Status check_op(const graph::Graph& g, const graph::Op& op) {
  if (graph::fused_activation(op.attributes) == Activation::kReluN1To1) {
    return unsupported(graph::op_label(op), ": training knows no activation RELU_N1_TO_1");
  }
  if (const auto* depthwise = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) {
    const graph::Shape& filter = g.tensor(op.inputs[1]).shape;
    const graph::Window& w = depthwise->window;
    if (depthwise->depth_multiplier == 1 && filter[1] == 3 && filter[2] == 3 &&
        w.stride_h == w.stride_w && w.dilation_h == w.dilation_w) {
      return {};
    }
    return unsupported(graph::op_label(op),
                       ": training knows 3x3 depthwise filters with equal "
                       "strides and dilations on both axes, one per input channel");
  }
  if (const auto* pool = std::get_if<graph::AveragePool2D>(&op.attributes)) {
    const graph::Shape& in = g.tensor(op.inputs[0]).shape;
    if (pool->filter_h == in[1] && pool->filter_w == in[2]) return {};
    return unsupported(graph::op_label(op), ": training knows only pooling over the whole picture");
  }
  if (const auto* resize = std::get_if<graph::ResizeBilinear>(&op.attributes)) {
    if (resize->align_corners || resize->half_pixel_centers) return {};
    return unsupported(graph::op_label(op), ": training needs align_corners or half_pixel_centers");
  }
  if (std::holds_alternative<graph::Conv2D>(op.attributes) ||
      std::holds_alternative<graph::Add>(op.attributes) ||
      std::holds_alternative<graph::Concatenation>(op.attributes) ||
      std::holds_alternative<graph::Relu>(op.attributes) ||
      std::holds_alternative<graph::Relu6>(op.attributes)) {
    return {};
  }
  return unsupported(graph::op_label(op), ": training knows no gradient of this op");
}

/// Ops whose result becomes scores without another activation: their size is not to be normalized.
std::vector<bool> score_layers(const graph::Graph& g, TensorId scores) {
  std::vector<bool> found(g.ops.size(), false);
  std::vector<TensorId> open = {scores};
  while (!open.empty()) {
    const int at = g.producer(open.back());
    open.pop_back();
    if (at < 0) continue;
    const graph::Op& op = g.ops[static_cast<size_t>(at)];
    if (is_convolution(op)) {
      found[static_cast<size_t>(at)] = true;
    } else if (graph::fused_activation(op.attributes) == Activation::kNone) {
      open.insert(open.end(), op.inputs.begin(), op.inputs.end());
    }
  }
  return found;
}

}  // namespace

FakeQuantization fake_quantization(const graph::Graph& quantized, size_t activations) {
  FakeQuantization fake;
  fake.activations.resize(activations);
  // Activations keep their ids, so the int8 graph says how each is rounded.
  for (size_t id = 0; id < activations; ++id) {
    const graph::Tensor& tensor = quantized.tensors[id];
    if (tensor.type == graph::DataType::kInt8 && tensor.quantization.present()) {
      fake.activations[id] = {tensor.quantization.scale(), tensor.quantization.zero_point()};
    }
  }
  return fake;
}

Result<GraphNetwork> GraphNetwork::create(const graph::Graph& graph, int32_t crop_height,
                                          int32_t crop_width, BatchNorm batch_norm) {
  GraphNetwork network;
  network.original_ = graph;
  network.graph_ = graph;
  network.batch_norm_ = batch_norm;
  DEEPLAB_RETURN_IF_ERROR(graph::resize_input(network.graph_, crop_height, crop_width));
  DEEPLAB_ASSIGN_OR_RETURN(const passes::LabelHead head, passes::cut_label_head(network.graph_));
  if (head.has_resize && !head.align_corners && !head.half_pixel_centers) {
    return unsupported("training needs a last resize with align_corners or half_pixel_centers");
  }
  network.scores_ = head.scores;
  network.align_corners_ = head.align_corners;
  for (const graph::Op& op : network.graph_.ops) {
    DEEPLAB_RETURN_IF_ERROR(check_op(network.graph_, op));
  }
  DEEPLAB_RETURN_IF_ERROR(network.add_layers());
  return network;
}

int GraphNetwork::add_parameter(std::string name, Tensor value, bool decays) {
  value.requires_grad_(true);
  parameters_.push_back({std::move(name), std::move(value), decays, false});
  return static_cast<int>(parameters_.size()) - 1;
}

Status GraphNetwork::add_layers() {
  layers_.resize(graph_.ops.size());
  const auto scores = score_layers(graph_, scores_);
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    const graph::Op& op = graph_.ops[i];
    if (!is_convolution(op)) continue;
    const graph::Tensor& filter = graph_.tensor(op.inputs[1]);
    if (filter.type != graph::DataType::kFloat32) {
      return invalid_argument(graph::op_label(op), ": training needs float32 weights, found ",
                              graph::type_name(filter.type));
    }
    const std::string& name = graph_.tensor(op.output()).name;
    Layer& layer = layers_[i];
    layer.filter = add_parameter(name + "/filter", tensor_of(filter), true);
    const graph::Shape& in = graph_.tensor(op.inputs[0]).shape;
    const bool pooled = in[1] == 1 && in[2] == 1;  // too few values for statistics
    const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != graph::kNoTensor;
    if (batch_norm_ == BatchNorm::kNone || scores[i] || pooled || !has_bias) {
      if (has_bias) {
        layer.bias = add_parameter(name + "/bias", tensor_of(graph_.tensor(op.inputs[2])), false);
      }
      continue;
    }
    // The same function as before, whatever the filter: offset - mean * scale = bias.
    const Tensor bias = tensor_of(graph_.tensor(op.inputs[2]));
    layer.scale = add_parameter(name + "/gamma", torch::ones_like(bias), false);
    layer.offset = add_parameter(name + "/beta", bias, false);
    layer.running = static_cast<int>(buffers_.size());
    buffers_.push_back(torch::zeros_like(bias));
    buffers_.push_back(torch::ones_like(bias) - kEpsilon);
  }
  return {};
}

Tensor GraphNetwork::quantized(const Tensor& x, TensorId id) const {
  if (!fake_.on()) return x;
  const auto& q = fake_.activations[static_cast<size_t>(id)];
  return q ? fake_quantize(x, q->scale, q->zero_point) : x;
}

Tensor GraphNetwork::forward(const Tensor& images, bool training,
                             BatchStatistics* statistics) const {
  std::vector<Tensor> tensors(graph_.tensors.size());
  const TensorId input = graph_.inputs.front();
  tensors[static_cast<size_t>(input)] = quantized(images, input);
  std::vector<int> readers(graph_.tensors.size(), 0);
  for (const graph::Op& op : graph_.ops) {
    for (TensorId id : op.inputs) {
      if (id != graph::kNoTensor) ++readers[static_cast<size_t>(id)];
    }
  }
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    const graph::Op& op = graph_.ops[i];
    tensors[static_cast<size_t>(op.output())] =
        quantized(run(op, i, tensors, training, statistics), op.output());
    // What nobody reads any more is freed, unless the gradient needs it.
    for (TensorId id : op.inputs) {
      if (id != graph::kNoTensor && --readers[static_cast<size_t>(id)] == 0) {
        tensors[static_cast<size_t>(id)] = Tensor();
      }
    }
  }
  return tensors[static_cast<size_t>(scores_)];
}

Tensor GraphNetwork::run(const graph::Op& op, size_t position, const std::vector<Tensor>& tensors,
                         bool training, BatchStatistics* statistics) const {
  const auto in = [&](size_t i) -> const Tensor& {
    return tensors[static_cast<size_t>(op.inputs[i])];
  };
  if (is_convolution(op)) {
    return convolution(op, layers_[position], in(0), training, statistics);
  }
  if (const auto* add = std::get_if<graph::Add>(&op.attributes)) {
    return activated(in(0) + in(1), add->activation);
  }
  if (const auto* pool = std::get_if<graph::AveragePool2D>(&op.attributes)) {
    return activated(in(0).mean({1, 2}, true), pool->activation);
  }
  if (const auto* resize = std::get_if<graph::ResizeBilinear>(&op.attributes)) {
    const Tensor& x = in(0);
    if (x.size(1) == 1 && x.size(2) == 1) {
      return x.expand({-1, resize->height, resize->width, -1}).contiguous();
    }
    return channels_last(at::upsample_bilinear2d(channels_first(x), {resize->height, resize->width},
                                                 resize->align_corners));
  }
  if (const auto* join = std::get_if<graph::Concatenation>(&op.attributes)) {
    std::vector<Tensor> parts;
    for (size_t i = 0; i < op.inputs.size(); ++i) parts.push_back(in(i));
    return activated(at::cat(parts, join->axis), join->activation);
  }
  return activated(in(0), graph::activation_of(op.attributes));
}

Tensor GraphNetwork::linear_convolution(const graph::Op& op, const Tensor& x, const Tensor& filter,
                                        const Tensor& bias, Activation activation) const {
  const bool depthwise = is_depthwise(op);
  const graph::Window& window = depthwise ? std::get<graph::DepthwiseConv2D>(op.attributes).window
                                          : std::get<graph::Conv2D>(op.attributes).window;
  // The graph is at the crop's size and was validated, so the window fits.
  const auto extent = [&](int axis, int32_t stride, int32_t dilation, int32_t before,
                          int32_t after) {
    return graph::window_extent(window.padding, static_cast<int32_t>(x.size(axis)),
                                static_cast<int32_t>(filter.size(axis)), stride, dilation, before,
                                after)
        .value();
  };
  const auto rows =
      extent(1, window.stride_h, window.dilation_h, window.pad_top, window.pad_bottom);
  const auto columns =
      extent(2, window.stride_w, window.dilation_w, window.pad_left, window.pad_right);
  if (depthwise) {
    return depthwise_convolution(x, filter, bias,
                                 {window.stride_h, window.dilation_h, rows.pad_before,
                                  columns.pad_before, rows.out, columns.out},
                                 activation);
  }
  if (filter.size(1) == 1 && filter.size(2) == 1 && window.stride_h == 1 && window.stride_w == 1) {
    return pointwise_convolution(x, filter, bias, activation);
  }
  const Tensor padded = at::constant_pad_nd(
      channels_first(x), {columns.pad_before, columns.pad_after, rows.pad_before, rows.pad_after});
  const Tensor y = at::conv2d(
      padded, channels_first(filter), bias, at::IntArrayRef{window.stride_h, window.stride_w},
      at::IntArrayRef{0, 0}, at::IntArrayRef{window.dilation_h, window.dilation_w});
  const auto bounds = graph::interval(activation);
  return activation == Activation::kNone
             ? channels_last(y)
             : at::clamp(channels_last(y), at::Scalar(bounds.min), at::Scalar(bounds.max));
}

Tensor GraphNetwork::convolution(const graph::Op& op, const Layer& layer, const Tensor& x,
                                 bool training, BatchStatistics* statistics) const {
  Tensor filter = parameters_[static_cast<size_t>(layer.filter)].value;
  Tensor bias = layer.bias < 0 ? Tensor() : parameters_[static_cast<size_t>(layer.bias)].value;
  const Activation activation = graph::fused_activation(op.attributes);

  if (fake_.on()) {
    const float in_scale = fake_.activations[static_cast<size_t>(op.inputs[0])].value().scale;
    const int32_t axis =
        is_depthwise(op) ? quantize::kDepthwiseChannelAxis : quantize::kConvChannelAxis;
    const auto plain = [](const Tensor& t) {
      return std::span<const float>(t.data_ptr<float>(), static_cast<size_t>(t.numel()));
    };
    const Tensor values = filter.detach().contiguous();
    const auto scales = quantize::weight_scales(
        plain(values), graph_.tensor(op.inputs[1]).shape, axis, fake_.granularity,
        bias.defined() ? plain(bias.detach()) : std::span<const float>{}, in_scale);
    Tensor steps = torch::tensor(scales);
    if (steps.numel() == 1) steps = steps.expand({filter.size(axis)}).contiguous();
    filter = at::fake_quantize_per_channel_affine(
        filter, steps, torch::zeros({steps.numel()}, torch::kInt), axis, -127, 127);
    if (bias.defined()) {
      const Tensor bias_steps = steps * in_scale;
      bias = bias + (at::round(bias.detach() / bias_steps) * bias_steps - bias.detach());
    }
  }
  if (layer.scale < 0) return linear_convolution(op, x, filter, bias, activation);

  const Tensor y = linear_convolution(op, x, filter, Tensor(), Activation::kNone);
  const Tensor& mean = buffers_[static_cast<size_t>(layer.running)];
  const Tensor& variance = buffers_[static_cast<size_t>(layer.running) + 1];
  const Tensor& gamma = parameters_[static_cast<size_t>(layer.scale)].value;
  const Tensor& beta = parameters_[static_cast<size_t>(layer.offset)].value;
  const bool own = training && batch_norm_ == BatchNorm::kTrain;
  if (own && statistics != nullptr) {
    const Tensor flat = y.detach().view({-1, y.size(3)});
    statistics->means.push_back(flat.mean(0));
    statistics->variances.push_back(flat.var(0, true));
  }
  const Tensor normalized = at::batch_norm(channels_first(y), gamma, beta, own ? Tensor() : mean,
                                           own ? Tensor() : variance, own, 0.0, kEpsilon, false);
  return activated(channels_last(normalized), graph::fused_activation(op.attributes));
}

void GraphNetwork::update_running(const std::vector<BatchStatistics>& batch, double momentum) {
  torch::NoGradGuard no_grad;
  if (batch.empty()) return;
  for (size_t i = 0; i < buffers_.size() / 2 && i < batch[0].means.size(); ++i) {
    Tensor mean = torch::zeros_like(buffers_[2 * i]);
    Tensor variance = torch::zeros_like(mean);
    for (const BatchStatistics& part : batch) {
      mean += part.means[i];
      variance += part.variances[i];
    }
    const auto count = static_cast<double>(batch.size());
    buffers_[2 * i].mul_(1 - momentum).add_(mean, momentum / count);
    buffers_[2 * i + 1].mul_(1 - momentum).add_(variance, momentum / count);
  }
}

void GraphNetwork::mark_fresh(const std::vector<std::string>& layers) {
  for (Parameter& parameter : parameters_) {
    const std::string layer = parameter.name.substr(0, parameter.name.rfind('/'));
    parameter.fresh = std::ranges::find(layers, layer) != layers.end();
  }
}

int GraphNetwork::backbone_end() const {
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    if (std::holds_alternative<graph::AveragePool2D>(graph_.ops[i].attributes)) {
      return static_cast<int>(i);
    }
  }
  return static_cast<int>(graph_.ops.size());
}

void GraphNetwork::freeze_before(int op) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    for (int at : {layers_[i].filter, layers_[i].bias, layers_[i].scale, layers_[i].offset}) {
      if (at < 0) continue;
      Parameter& parameter = parameters_[static_cast<size_t>(at)];
      parameter.value.requires_grad_(static_cast<int>(i) >= op || parameter.fresh);
    }
  }
}

void GraphNetwork::set_fake_quantization(FakeQuantization quantization) {
  fake_ = std::move(quantization);
}

std::vector<Tensor> GraphNetwork::values() const {
  std::vector<Tensor> values;
  for (const Parameter& parameter : parameters_) values.push_back(parameter.value.detach());
  return values;
}

graph::Graph GraphNetwork::export_graph(const std::vector<Tensor>& values) const {
  torch::NoGradGuard no_grad;
  graph::Graph result = original_;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (layer.filter < 0) continue;
    const graph::Op& op = graph_.ops[i];
    const auto value = [&](int at) { return values[static_cast<size_t>(at)]; };
    Tensor filter = value(layer.filter);
    Tensor bias = layer.bias < 0 ? Tensor() : value(layer.bias);
    if (layer.scale >= 0) {
      const Tensor factor = value(layer.scale) /
                            at::sqrt(buffers_[static_cast<size_t>(layer.running) + 1] + kEpsilon);
      bias = value(layer.offset) - buffers_[static_cast<size_t>(layer.running)] * factor;
      filter = filter * (is_depthwise(op) ? factor : factor.view({-1, 1, 1, 1}));
    }
    result.tensor(op.inputs[1]).data = bytes_of(filter);
    if (bias.defined()) result.tensor(op.inputs[2]).data = bytes_of(bias);
  }
  return result;
}

}  // namespace deeplab::train
