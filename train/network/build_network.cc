#include "train/network/build_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>
#include <utility>

#include "train/data/random.h"

namespace deeplab::train {
namespace {

using graph::TensorId;

/// Number i of a stream of standard normal ones (Box and Muller 1958).
double normal(uint64_t key, size_t i) {
  const double radius = 1.0 - unit_interval(derive_key(key, 2 * i));  // above 0
  const double angle = 2 * std::numbers::pi * unit_interval(derive_key(key, 2 * i + 1));
  return std::sqrt(-2 * std::log(radius)) * std::cos(angle);
}

class Builder {
 public:
  explicit Builder(uint64_t seed) : seed_(seed) {}

  TensorId input(graph::Shape shape) {
    const TensorId id = tensor("image", std::move(shape));
    graph_.inputs.push_back(id);
    return id;
  }

  TensorId conv(const std::string& name, TensorId x, int32_t out, int32_t size, int32_t stride,
                graph::Activation activation, float deviation = 0) {
    const int32_t in = channels(x);
    if (deviation == 0) deviation = std::sqrt(2.0f / static_cast<float>(size * size * in));
    const TensorId filter = weights(name + "/weights", {out, size, size, in}, deviation);
    const TensorId bias = weights(name + "/biases", {out}, 0);
    graph::Conv2D attributes;
    attributes.window.stride_h = attributes.window.stride_w = stride;
    attributes.activation = activation;
    return op(name, attributes, {x, filter, bias});
  }

  TensorId depthwise(const std::string& name, TensorId x, int32_t stride, int32_t dilation) {
    const int32_t count = channels(x);
    const TensorId filter = weights(name + "/weights", {1, 3, 3, count}, std::sqrt(2.0f / 9.0f));
    const TensorId bias = weights(name + "/biases", {count}, 0);
    graph::DepthwiseConv2D attributes;
    attributes.window.stride_h = attributes.window.stride_w = stride;
    attributes.window.dilation_h = attributes.window.dilation_w = dilation;
    attributes.activation = graph::Activation::kRelu6;
    return op(name, attributes, {x, filter, bias});
  }

  TensorId add(const std::string& name, TensorId a, TensorId b,
               graph::Activation activation = graph::Activation::kNone) {
    return op(name, graph::Add{activation}, {a, b});
  }

  TensorId global_pool(const std::string& name, TensorId x) {
    graph::AveragePool2D attributes;
    attributes.window.padding = graph::Padding::kValid;
    attributes.filter_h = shape(x)[1];
    attributes.filter_w = shape(x)[2];
    attributes.window.stride_h = attributes.filter_h;
    attributes.window.stride_w = attributes.filter_w;
    return op(name, attributes, {x});
  }

  TensorId resize(const std::string& name, TensorId x, int32_t height, int32_t width) {
    return op(name, graph::ResizeBilinear{height, width, true, false}, {x});
  }

  TensorId concatenate(const std::string& name, std::vector<TensorId> parts) {
    return parts.size() == 1 ? parts[0] : op(name, graph::Concatenation{3}, std::move(parts));
  }

  TensorId op(const std::string& name, graph::Attributes attributes, std::vector<TensorId> inputs) {
    const TensorId out = tensor(name, {});
    graph::Op made{
        std::move(attributes), std::move(inputs), {out}, static_cast<int32_t>(graph_.ops.size())};
    auto inferred = graph::infer_shape(graph_, made);
    if (!inferred.ok()) {
      if (error_.ok()) error_ = annotate(inferred.status(), name);
      inferred = graph::Shape{1, 1, 1, 1};
    }
    graph_.tensor(out).shape = *inferred;
    graph_.ops.push_back(std::move(made));
    return out;
  }

  const graph::Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  int32_t channels(TensorId id) const { return shape(id)[3]; }

  Result<graph::Graph> finish(TensorId output) && {
    DEEPLAB_RETURN_IF_ERROR(error_);
    graph_.outputs = {output};
    DEEPLAB_RETURN_IF_ERROR(graph::validate(graph_));
    return std::move(graph_);
  }

 private:
  TensorId tensor(const std::string& name, graph::Shape shape) {
    graph::Tensor made;
    made.name = name;
    made.shape = std::move(shape);
    graph_.tensors.push_back(std::move(made));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  TensorId weights(const std::string& name, graph::Shape shape, float deviation) {
    const TensorId id = tensor(name, std::move(shape));
    std::vector<float> values(static_cast<size_t>(graph_.tensor(id).elements()));
    if (deviation > 0) {
      const uint64_t key = derive_key(seed_, static_cast<uint64_t>(id));
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = deviation * static_cast<float>(normal(key, i));
      }
    }
    graph_.tensor(id).data = bytes_of(values);
    return id;
  }

  uint64_t seed_;
  graph::Graph graph_;
  Status error_;
};

/// Expansion, output channels at depth multiplier 1, repeats, stride: MobileNetV2, table 2.
struct Stage {
  int32_t expansion;
  int32_t channels;
  int32_t repeats;
  int32_t stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

int32_t scaled(int32_t channels, double multiplier) {
  const auto nearest = static_cast<int32_t>(channels * multiplier / 4 + 0.5) * 4;
  return std::max(8, nearest);
}

struct Features {
  TensorId deep = graph::kNoTensor;  ///< At the output stride.
  TensorId fine = graph::kNoTensor;  ///< The last expanded features at stride 8.
};

Features backbone(Builder& b, TensorId image, const NetworkOptions& options) {
  const auto relu6 = graph::Activation::kRelu6;
  Features features;
  TensorId x = b.conv("stem", image, scaled(32, options.depth_multiplier), 3, 2, relu6);
  int32_t stride = 2;
  int32_t dilation = 1;
  int block = 0;
  for (const Stage& stage : kStages) {
    const int32_t out = scaled(stage.channels, options.depth_multiplier);
    for (int32_t i = 0; i < stage.repeats; ++i, ++block) {
      const std::string name = str_cat("block_", block);
      // Beyond the output stride a stride becomes a dilation of what follows.
      int32_t block_stride = i == 0 ? stage.stride : 1;
      int32_t next_dilation = dilation;
      if (block_stride > 1 && stride >= options.output_stride) {
        next_dilation *= block_stride;
        block_stride = 1;
      }
      const TensorId in = x;
      if (stage.expansion > 1) {
        x = b.conv(name + "/expand", x, stage.expansion * b.channels(x), 1, 1, relu6);
      }
      if (stride == 8) features.fine = x;
      x = b.depthwise(name + "/depthwise", x, block_stride, dilation);
      x = b.conv(name + "/project", x, out, 1, 1, graph::Activation::kNone);
      if (block_stride == 1 && b.channels(in) == out) x = b.add(name + "/add", in, x);
      stride *= block_stride;
      dilation = next_dilation;
    }
  }
  features.deep = x;
  return features;
}

constexpr int32_t kHeadChannels = 256;
constexpr int32_t kDecoderChannels = 48;
constexpr float kScoreDeviation = 0.01f;

/// DeepLabV3's head, and what the decoder needs of it.
TensorId pooling_head(Builder& b, const Features& features, const NetworkOptions& options) {
  const auto relu = graph::Activation::kRelu;
  const TensorId x = features.deep;
  const TensorId pooled =
      b.conv("image_pooling", b.global_pool("image_pooling/pool", x), kHeadChannels, 1, 1, relu);
  std::vector<TensorId> branches = {b.conv("aspp0", x, kHeadChannels, 1, 1, relu)};
  for (size_t i = 0; i < options.aspp_rates.size(); ++i) {
    const std::string name = str_cat("aspp", i + 1);
    branches.push_back(b.conv(name + "_pointwise",
                              b.depthwise(name + "_depthwise", x, 1, options.aspp_rates[i]),
                              kHeadChannels / 4, 1, 1, relu));
  }
  const TensorId local = b.conv("concat_projection", b.concatenate("concat", branches),
                                kHeadChannels, 1, 1, graph::Activation::kNone);
  const TensorId global =
      b.conv("concat_projection/pooled", pooled, kHeadChannels, 1, 1, graph::Activation::kNone);
  return b.add("concat_projection/add", local, global, relu);
}

TensorId scores_of(Builder& b, const Features& features, const NetworkOptions& options) {
  const auto none = graph::Activation::kNone;
  const TensorId head = pooling_head(b, features, options);
  TensorId scores = b.conv("logits/semantic", head, options.classes, 1, 1, none, kScoreDeviation);
  if (options.decoder == Decoder::kNone) return scores;

  const int32_t height = b.shape(features.fine)[1];
  const int32_t width = b.shape(features.fine)[2];
  const TensorId coarse =
      b.resize("decoder/coarse_upsampled",
               b.conv("decoder/coarse", head, kDecoderChannels, 1, 1, none), height, width);
  const TensorId fine = b.conv("decoder/fine", features.fine, kDecoderChannels, 1, 1, none);
  const TensorId joined = b.add("decoder/add", coarse, fine, graph::Activation::kRelu6);
  const TensorId mixed = b.depthwise("decoder/depthwise", joined, 1, 1);
  const TensorId correction =
      b.conv("decoder/correction", mixed, options.classes, 1, 1, none, 1e-4f);
  return b.add("decoder/scores", b.resize("decoder/scores_upsampled", scores, height, width),
               correction);
}

Status check(const NetworkOptions& o) {
  if (!(o.depth_multiplier > 0 && o.depth_multiplier <= 4)) {
    return invalid_argument("depth multiplier ", o.depth_multiplier, ": expected above 0 to 4");
  }
  if (o.output_stride != 8 && o.output_stride != 16) {
    return invalid_argument("output stride ", o.output_stride, ": expected 8 or 16");
  }
  if (o.height < 33 || o.width < 33 || o.height > 4097 || o.width > 4097) {
    return invalid_argument("canvas ", o.width, "x", o.height, ": expected 33 to 4097 per side");
  }
  if (o.classes < 2 || o.classes > 255) {
    return invalid_argument(o.classes, " classes: expected 2 to 255 (255 is the ignore label)");
  }
  for (int32_t rate : o.aspp_rates) {
    if (rate < 1 || rate > 64) return invalid_argument("ASPP rate ", rate, ": expected 1 to 64");
  }
  return {};
}

}  // namespace

std::shared_ptr<const std::vector<std::byte>> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

Result<graph::Graph> build_network(const NetworkOptions& options, uint64_t seed) {
  DEEPLAB_RETURN_IF_ERROR(check(options));
  Builder b(seed);
  const TensorId image = b.input({1, options.height, options.width, 3});
  const Features features = backbone(b, image, options);
  if (options.head == Head::kLiteRAspp) {
    return unsupported("the lite R-ASPP head is not built yet");
  }
  const TensorId scores = scores_of(b, features, options);
  const TensorId output = b.resize("scores", scores, options.height, options.width);
  return std::move(b).finish(output);
}

}  // namespace deeplab::train
