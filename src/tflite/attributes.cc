// From an operator's options and shape-like operands to the IR's attributes.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "graph/op.h"
#include "tflite/source.h"

namespace deeplab::tflite {
namespace {

using Code = schema::BuiltinOperator;

Result<graph::Activation> activation_of(const SourceOp& op, schema::ActivationFunctionType type) {
  switch (type) {
    case schema::ActivationFunctionType::NONE:
      return graph::Activation::kNone;
    case schema::ActivationFunctionType::RELU:
      return graph::Activation::kRelu;
    case schema::ActivationFunctionType::RELU_N1_TO_1:
      return graph::Activation::kReluN1To1;
    case schema::ActivationFunctionType::RELU6:
      return graph::Activation::kRelu6;
    default:
      break;
  }
  const std::string name = schema::EnumNameActivationFunctionType(type);
  return op.unsupported("fused activation ",
                        name.empty() ? std::to_string(static_cast<int>(type)) : name,
                        " (NONE, RELU, RELU_N1_TO_1 and RELU6 are supported)");
}

Result<graph::Padding> padding(const SourceOp& op, schema::Padding type) {
  if (type == schema::Padding::SAME) return graph::Padding::kSame;
  if (type == schema::Padding::VALID) return graph::Padding::kValid;
  return op.error("unknown padding ", static_cast<int>(type));
}

template <typename Options>
Result<const Options*> need(const SourceOp& op, const Options* options) {
  if (options != nullptr) return options;
  return op.error("its options are missing or of another op's type");
}

template <typename Options>
Result<graph::Window> window(const SourceOp& op, const Options& options) {
  graph::Window window;
  DEEPLAB_ASSIGN_OR_RETURN(window.padding, padding(op, options.padding()));
  window.stride_h = options.stride_h();
  window.stride_w = options.stride_w();
  return window;
}

/// A negative axis counts from the end. Out-of-range ones are left for validate() to name.
int32_t from_front(int32_t axis, size_t rank) {
  return axis < 0 ? axis + static_cast<int32_t>(rank) : axis;
}

Result<graph::Attributes> conv_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_Conv2DOptions()));
  graph::Conv2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, window(op, *options));
  a.window.dilation_h = options->dilation_h_factor();
  a.window.dilation_w = options->dilation_w_factor();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> depthwise_conv_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_DepthwiseConv2DOptions()));
  graph::DepthwiseConv2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, window(op, *options));
  a.window.dilation_h = options->dilation_h_factor();
  a.window.dilation_w = options->dilation_w_factor();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  // The option is redundant and newer writers leave it 0: the filter says it.
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto filter, op.shape(1));
  if (x.size() != 4 || filter.size() != 4 || x[3] < 1 || filter[3] < 1 || filter[3] % x[3] != 0) {
    return op.error("expected an input [N,H,W,C] and a filter [1,H,W,C*M]");
  }
  a.depth_multiplier = filter[3] / x[3];
  if (options->depth_multiplier() != 0 && options->depth_multiplier() != a.depth_multiplier) {
    return op.error("the depth multiplier ", options->depth_multiplier(),
                    " does not fit a filter of ", filter[3], " channels over an input of ", x[3]);
  }
  return graph::Attributes(a);
}

/// ADD, SUB, MUL: their only option is an activation, which may be left out.
template <typename Arithmetic, typename Options>
Result<graph::Attributes> arithmetic(const SourceOp& op) {
  Arithmetic a;
  const Options* options = op.op.builtin_options_as<Options>();
  if (options != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  }
  return graph::Attributes(a);
}

/// MAXIMUM, MINIMUM, SQUARED_DIFFERENCE, and DIV, which may have an activation.
template <graph::BinaryFunction function>
Result<graph::Attributes> binary(const SourceOp& op) {
  graph::Binary a{function};
  if (const auto* options = op.op.builtin_options_as_DivOptions()) {
    DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  }
  return graph::Attributes(a);
}

template <typename Pool>
Result<graph::Attributes> pool_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_Pool2DOptions()));
  Pool a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, window(op, *options));
  a.filter_h = options->filter_height();
  a.filter_w = options->filter_width();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

/// MEAN, SUM, REDUCE_MAX.
template <typename Reduction>
Result<graph::Attributes> reduction(const SourceOp& op, Reduction a) {
  if (const auto* options = op.op.builtin_options_as_ReducerOptions()) {
    a.keep_dims = options->keep_dims();
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(a.axes, op.numbers(1, "axes", kMaxRank));
  for (int32_t& axis : a.axes) axis = from_front(axis, x.size());
  std::ranges::sort(a.axes);
  a.axes.erase(std::unique(a.axes.begin(), a.axes.end()), a.axes.end());
  return graph::Attributes(a);
}

Result<graph::Attributes> mean(const SourceOp& op) { return reduction(op, graph::Mean{}); }
template <graph::ReduceFunction function>
Result<graph::Attributes> reduce(const SourceOp& op) {
  return reduction(op, graph::Reduce{function, {}, false});
}

template <typename Resize, typename Options>
Result<graph::Attributes> resize(const SourceOp& op) {
  Resize a;
  const Options* options = op.op.builtin_options_as<Options>();
  if (options != nullptr) {
    a.align_corners = options->align_corners();
    a.half_pixel_centers = options->half_pixel_centers();
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto size, op.numbers(1, "a target size", 2));
  if (size.size() != 2) return op.error("expected a target size of 2 numbers, found 1");
  a.height = size[0];
  a.width = size[1];
  return graph::Attributes(a);
}

Result<graph::Attributes> concatenation(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_ConcatenationOptions()));
  graph::Concatenation a;
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  a.axis = from_front(options->axis(), x.size());
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> tile(const SourceOp& op) {
  graph::Tile a;
  DEEPLAB_ASSIGN_OR_RETURN(a.multiples, op.numbers(1, "multiples", kMaxRank));
  return graph::Attributes(a);
}

/// BROADCAST_TO: a TILE of the dimensions that are 1.
Result<graph::Attributes> broadcast_to(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto to, op.numbers(1, "a shape", kMaxRank));
  graph::Tile a;
  a.multiples = to;
  for (size_t d = 0; d < to.size(); ++d) {
    if (to.size() != x.size() || (x[d] != 1 && x[d] != to[d])) {
      return op.unsupported("cannot broadcast ", graph::shape_text({x.begin(), x.end()}), " to ",
                            graph::shape_text(to));
    }
    if (x[d] != 1) a.multiples[d] = 1;
  }
  return graph::Attributes(a);
}

/// The start of a TRANSPOSE_CONV's input in its output, and that output's size.
struct Upsampling {
  int32_t size;
  int32_t pad;
};
/// TensorFlow's SAME and VALID of the convolution that this is the gradient of. Any size that gives
/// as many places is allowed; without one (0) it is the usual size.
Upsampling upsampling(bool same, int32_t in, int32_t filter, int32_t stride, int32_t size) {
  const int64_t usual = same ? int64_t{in} * stride : (int64_t{in} - 1) * stride + filter;
  const int64_t extent = size != 0 ? size : usual;
  const int64_t total =
      same ? std::max<int64_t>((int64_t{in} - 1) * stride + filter - extent, 0) : 0;
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  return {static_cast<int32_t>(std::clamp<int64_t>(extent, 0, kMax)),
          static_cast<int32_t>(std::clamp<int64_t>(total / 2, 0, kMax))};
}

Result<graph::Attributes> transpose_conv(const SourceOp& op, bool same, int32_t stride_h,
                                         int32_t stride_w, graph::Activation activation,
                                         size_t x_input, graph::Shape size) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(x_input));
  DEEPLAB_ASSIGN_OR_RETURN(const auto filter, op.shape(1));
  if (x.size() != 4 || filter.size() != 4) {
    return op.error("expected an input [N,H,W,C] and a filter [C,H,W,C]");
  }
  if (stride_h < 1 || stride_w < 1) {
    return op.error("expected strides of at least 1, found ", stride_h, "x", stride_w);
  }
  const Upsampling rows = upsampling(same, x[1], filter[1], stride_h, size[0]);
  const Upsampling columns = upsampling(same, x[2], filter[2], stride_w, size[1]);
  return graph::Attributes(graph::TransposeConv{rows.size, columns.size, stride_h, stride_w,
                                                rows.pad, columns.pad, activation});
}

/// Inputs: the output's shape, the filter, x and perhaps a bias.
Result<graph::Attributes> transpose_conv(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_TransposeConvOptions()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.numbers(0, "an output shape", 4));
  if (shape.size() != 4) return op.error("expected an output shape of 4 numbers");
  DEEPLAB_ASSIGN_OR_RETURN(const auto activation,
                           activation_of(op, options->fused_activation_function()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto kind, padding(op, options->padding()));
  return transpose_conv(op, kind == graph::Padding::kSame, options->stride_h(), options->stride_w(),
                        activation, 2, {shape[1], shape[2]});
}

/// MediaPipe's op of its own: inputs x, filter, bias; its options are TensorFlow Lite's
/// TfLiteTransposeConvParams as they lie in memory: padding (1 SAME, 2 VALID), width, height.
Result<graph::Attributes> transpose_conv_bias(const SourceOp& op) {
  const auto bytes = std::as_bytes(elements(op.op.custom_options()));
  std::array<int32_t, 3> numbers;
  if (bytes.size() < sizeof numbers) {
    return op.error("expected options of ", sizeof numbers, " bytes, found ", bytes.size());
  }
  std::memcpy(numbers.data(), bytes.data(), sizeof numbers);
  if (numbers[0] != 1 && numbers[0] != 2) return op.error("unknown padding ", numbers[0]);
  return transpose_conv(op, numbers[0] == 1, numbers[2], numbers[1], graph::Activation::kNone, 0,
                        {0, 0});
}

Result<graph::Attributes> fully_connected(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_FullyConnectedOptions()));
  if (options->weights_format() != schema::FullyConnectedOptionsWeightsFormat::DEFAULT) {
    return op.unsupported("shuffled weights are not supported");
  }
  graph::FullyConnected a;
  a.keep_dims = options->keep_num_dims();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation_of(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

template <graph::UnaryFunction function>
Result<graph::Attributes> unary(const SourceOp& op) {
  graph::Unary a{function};
  if (const auto* options = op.op.builtin_options_as_LeakyReluOptions()) a.alpha = options->alpha();
  return graph::Attributes(a);
}

template <typename Attribute>
Result<graph::Attributes> plain(const SourceOp& /*op*/) {
  return graph::Attributes(Attribute{});
}

template <typename Attribute, typename Options>
Result<graph::Attributes> block_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as<Options>()));
  return graph::Attributes(Attribute{options->block_size()});
}

/// Input `k` as {before, after} a dimension.
Result<std::vector<std::array<int32_t, 2>>> pairs(const SourceOp& op, size_t k, const char* what,
                                                  size_t max) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto flat, op.numbers(k, what, 2 * max));
  if (flat.size() % 2 != 0) {
    return op.error("expected ", what, " in pairs, found ", flat.size(), " numbers");
  }
  std::vector<std::array<int32_t, 2>> pairs;
  for (size_t i = 0; i < flat.size(); i += 2) pairs.push_back({flat[i], flat[i + 1]});
  return pairs;
}

Result<graph::Attributes> pad(const SourceOp& op) {
  graph::Pad a;
  DEEPLAB_ASSIGN_OR_RETURN(a.amounts, pairs(op, 1, "paddings", kMaxRank));
  return graph::Attributes(a);
}

/// PAD with a value of its own: a scalar of the input's type and scale.
Result<graph::Attributes> pad_v2(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(graph::Attributes attributes, pad(op));
  DEEPLAB_ASSIGN_OR_RETURN(std::get<graph::Pad>(attributes).value, op.real(2, "a value"));
  return attributes;
}

Result<graph::Attributes> mirror_pad(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_MirrorPadOptions()));
  graph::MirrorPad a;
  DEEPLAB_ASSIGN_OR_RETURN(a.amounts, pairs(op, 1, "paddings", kMaxRank));
  if (options->mode() != schema::MirrorPadMode::REFLECT &&
      options->mode() != schema::MirrorPadMode::SYMMETRIC) {
    return op.error("unknown mode ", static_cast<int>(options->mode()));
  }
  a.symmetric = options->mode() == schema::MirrorPadMode::SYMMETRIC;
  return graph::Attributes(a);
}

Result<graph::Attributes> transpose(const SourceOp& op) {
  graph::Transpose a;
  DEEPLAB_ASSIGN_OR_RETURN(a.permutation, op.numbers(1, "a permutation", kMaxRank));
  for (int32_t& d : a.permutation) d = from_front(d, a.permutation.size());
  return graph::Attributes(a);
}

graph::Slice whole(std::span<const int32_t> shape) {
  graph::Slice a;
  a.begin.assign(shape.size(), 0);
  a.size.assign(shape.begin(), shape.end());
  a.step.assign(shape.size(), 1);
  return a;
}

/// SLICE: a size of -1 is what is left.
Result<graph::Attributes> slice(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  graph::Slice a = whole(x);
  DEEPLAB_ASSIGN_OR_RETURN(a.begin, op.numbers(1, "a begin", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(a.size, op.numbers(2, "a size", kMaxRank));
  if (a.begin.size() != x.size() || a.size.size() != x.size()) {
    return op.error("expected a begin and a size for ", x.size(), " dimensions, found ",
                    a.begin.size(), " and ", a.size.size());
  }
  for (size_t d = 0; d < x.size(); ++d) {
    if (a.size[d] == -1 && a.begin[d] >= 0 && a.begin[d] <= x[d]) a.size[d] = x[d] - a.begin[d];
  }
  return graph::Attributes(a);
}

/// STRIDED_SLICE, by numpy's rules for begin:end:step; a bit of a mask is about one dimension.
Result<graph::Attributes> strided_slice(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_StridedSliceOptions()));
  if (options->ellipsis_mask() != 0 || options->new_axis_mask() != 0) {
    return op.unsupported("an ellipsis or a new axis is not supported");
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  graph::Slice a = whole(x);
  DEEPLAB_ASSIGN_OR_RETURN(const auto begin, op.numbers(1, "a begin", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(const auto end, op.numbers(2, "an end", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(const auto step, op.numbers(3, "a step", kMaxRank));
  if (begin.size() > x.size() || end.size() != begin.size() || step.size() != begin.size()) {
    return op.error("expected begin, end and step for at most ", x.size(), " dimensions, found ",
                    begin.size(), ", ", end.size(), " and ", step.size());
  }
  for (size_t d = 0; d < begin.size(); ++d) {
    const auto has = [&](int32_t mask) { return (mask >> d & 1) != 0; };
    const int64_t extent = x[d];
    int64_t stride = step[d];
    if (stride == 0 || extent < 1) return op.error("cannot take steps of ", stride);
    const int64_t low = stride > 0 ? 0 : -1;
    const int64_t high = stride > 0 ? extent : extent - 1;
    const auto place = [&](int64_t at) { return std::clamp(at < 0 ? at + extent : at, low, high); };
    int64_t first = has(options->begin_mask()) ? (stride > 0 ? 0 : extent - 1) : place(begin[d]);
    int64_t past = has(options->end_mask()) ? (stride > 0 ? extent : -1) : place(end[d]);
    if (has(options->shrink_axis_mask())) {
      first = begin[d] < 0 ? begin[d] + extent : begin[d];
      stride = 1;
      past = first + 1;
      a.dropped.push_back(static_cast<int32_t>(d));
    }
    const int64_t count = (past - first + stride - (stride > 0 ? 1 : -1)) / stride;
    if (count < 1) return op.unsupported("nothing is left along dimension ", d);
    a.begin[d] = static_cast<int32_t>(first);
    a.size[d] = static_cast<int32_t>(count);
    a.step[d] = static_cast<int32_t>(std::clamp<int64_t>(stride, -extent, extent));
  }
  return graph::Attributes(a);
}

Result<graph::Attributes> arg_max(const SourceOp& op) {
  graph::ArgMax a;
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(1, "an axis", 1));
  if (axis.size() != 1) return op.error("expected one axis, found ", axis.size());
  a.axis = from_front(axis[0], x.size());
  return graph::Attributes(a);
}

Result<graph::Attributes> softmax(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_SoftmaxOptions()));
  return graph::Attributes(graph::Softmax{options->beta()});
}

/// EXPAND_DIMS: a RESHAPE with one more dimension.
Result<graph::Attributes> expand_dims(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(1, "an axis", 1));
  const int32_t at = axis.empty() ? -1 : from_front(axis[0], x.size() + 1);
  if (at < 0 || static_cast<size_t>(at) > x.size()) {
    return op.error("cannot add a dimension at ", axis.empty() ? 0 : axis[0]);
  }
  graph::Reshape a;
  a.shape.assign(x.begin(), x.end());
  a.shape.insert(a.shape.begin() + at, 1);
  return graph::Attributes(a);
}

/// SQUEEZE: a RESHAPE without dimensions of 1, all or those listed.
Result<graph::Attributes> squeeze(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  std::vector<int32_t> axes;
  if (const auto* options = op.op.builtin_options_as_SqueezeOptions()) {
    for (int32_t axis : elements(options->squeeze_dims())) {
      axes.push_back(from_front(axis, x.size()));
    }
  }
  graph::Reshape a;
  for (size_t d = 0; d < x.size(); ++d) {
    const bool listed = std::ranges::find(axes, static_cast<int32_t>(d)) != axes.end();
    if (listed && x[d] != 1) return op.error("dimension ", d, " has ", x[d], " elements, not 1");
    if (axes.empty() ? x[d] != 1 : !listed) a.shape.push_back(x[d]);
  }
  return graph::Attributes(a);
}

Result<graph::Attributes> reshape(const SourceOp& op) {
  graph::Reshape a;
  if (elements(op.op.inputs()).size() > 1) {
    DEEPLAB_ASSIGN_OR_RETURN(a.shape, op.numbers(1, "a new shape", kMaxRank));
    return graph::Attributes(a);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_ReshapeOptions()));
  const auto shape = elements(options->new_shape());
  if (shape.size() > kMaxRank) {
    return op.unsupported("the new shape has ", shape.size(), " dimensions, more than ", kMaxRank);
  }
  a.shape.assign(shape.begin(), shape.end());
  return graph::Attributes(a);
}

/// The block and the two pairs that SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND take.
struct Block {
  std::vector<int32_t> size;
  std::vector<std::array<int32_t, 2>> amounts;
};
Result<Block> block(const SourceOp& op, const char* what) {
  Block b;
  DEEPLAB_ASSIGN_OR_RETURN(b.size, op.numbers(1, "a block shape", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(b.amounts, pairs(op, 2, what, kMaxRank));
  if (b.size.size() != 2 || b.amounts.size() != 2) {
    return op.unsupported("expected a block of height and width, found ", b.size.size(),
                          " block dimensions and ", b.amounts.size(), " pairs of ", what);
  }
  return b;
}

Result<graph::Attributes> space_to_batch_nd(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const Block b, block(op, "paddings"));
  return graph::Attributes(graph::SpaceToBatchNd{b.size[0], b.size[1], b.amounts[0], b.amounts[1]});
}

Result<graph::Attributes> batch_to_space_nd(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const Block b, block(op, "crops"));
  return graph::Attributes(graph::BatchToSpaceNd{b.size[0], b.size[1], b.amounts[0], b.amounts[1]});
}

// ---- Operators that become several ops -------------------------------------------------------

/// A tensor between two of them.
graph::TensorId add_tensor(const SourceOp& op, ReadOps& to, size_t like) {
  to.like.push_back(like);
  return static_cast<graph::TensorId>(op.source.tensor_count() + to.like.size() - 1);
}
void add_op(const SourceOp& op, ReadOps& to, graph::Attributes attributes,
            std::vector<graph::TensorId> inputs, graph::TensorId output) {
  to.ops.push_back({std::move(attributes), std::move(inputs), {output}, op.index});
}

/// SPLIT and SPLIT_V: a slice for each output. `sizes` along `axis`; one -1 is what is left.
Status split(const SourceOp& op, ReadOps& to, size_t x_input, int32_t axis,
             std::vector<int32_t> sizes) {
  DEEPLAB_ASSIGN_OR_RETURN(const size_t x, op.input(x_input, "a tensor"));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(x_input));
  const auto outputs = elements(op.op.outputs());
  axis = from_front(axis, shape.size());
  if (axis < 0 || static_cast<size_t>(axis) >= shape.size()) {
    return op.error("axis ", axis, " is outside the input");
  }
  const auto d = static_cast<size_t>(axis);
  if (sizes.empty() && !outputs.empty()) {
    if (shape[d] % static_cast<int64_t>(outputs.size()) != 0) {
      return op.error("cannot split ", shape[d], " elements into ", outputs.size());
    }
    sizes.assign(outputs.size(), shape[d] / static_cast<int32_t>(outputs.size()));
  }
  if (outputs.empty() || sizes.size() != outputs.size()) {
    return op.error("expected as many sizes as outputs, found ", sizes.size(), " and ",
                    outputs.size());
  }
  int64_t known = 0;
  for (int32_t size : sizes) known += std::max(size, 0);
  int64_t at = 0;
  for (size_t k = 0; k < outputs.size(); ++k) {
    graph::Slice a = whole(shape);
    const int64_t size = sizes[k] < 0 ? shape[d] - known : sizes[k];
    if (size < 1 || at + size > shape[d]) {
      return op.error("output ", k, " would take ", size, " of ", shape[d], " elements from ", at,
                      " on");
    }
    a.begin[d] = static_cast<int32_t>(at);
    a.size[d] = static_cast<int32_t>(size);
    add_op(op, to, std::move(a), {static_cast<graph::TensorId>(x)}, outputs[k]);
    at += size;
  }
  return {};
}

Status split(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(0, "an axis", 1));
  return axis.size() == 1 ? split(op, to, 1, axis[0], {}) : op.error("expected one axis");
}
Status split_v(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto sizes, op.numbers(1, "sizes", kMaxOperands));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(2, "an axis", 1));
  return axis.size() == 1 ? split(op, to, 0, axis[0], sizes) : op.error("expected one axis");
}

/// UNPACK: a slice of one element for each output, without that dimension.
Status unpack(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_UnpackOptions()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(0));
  const size_t before = to.ops.size();
  const auto outputs = elements(op.op.outputs());
  DEEPLAB_RETURN_IF_ERROR(split(op, to, 0, options->axis(), {}));
  const int32_t axis = from_front(options->axis(), shape.size());
  if (shape[static_cast<size_t>(axis)] != static_cast<int64_t>(outputs.size())) {
    return op.error("expected ", shape[static_cast<size_t>(axis)], " outputs, found ",
                    outputs.size());
  }
  for (size_t i = before; i < to.ops.size(); ++i) {
    std::get<graph::Slice>(to.ops[i].attributes).dropped = {axis};
  }
  return {};
}

/// PACK: each input with one more dimension, joined along it.
Status pack(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_PackOptions()));
  const auto outputs = elements(op.op.outputs());
  if (outputs.size() != 1 || op.input_count() == 0 || op.input_count() > kMaxOperands) {
    return op.error("expected 1 to ", kMaxOperands, " inputs and 1 output, found ",
                    op.input_count(), " and ", outputs.size());
  }
  graph::Concatenation joined;
  std::vector<graph::TensorId> parts;
  for (size_t k = 0; k < op.input_count(); ++k) {
    DEEPLAB_ASSIGN_OR_RETURN(const size_t x, op.input(k, "a tensor"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(k));
    joined.axis = from_front(options->axis(), shape.size() + 1);
    if (joined.axis < 0 || static_cast<size_t>(joined.axis) > shape.size()) {
      return op.error("axis ", options->axis(), " is outside the input");
    }
    graph::Reshape wider;
    wider.shape.assign(shape.begin(), shape.end());
    wider.shape.insert(wider.shape.begin() + joined.axis, 1);
    parts.push_back(add_tensor(op, to, x));
    add_op(op, to, std::move(wider), {static_cast<graph::TensorId>(x)}, parts.back());
  }
  add_op(op, to, joined, std::move(parts), outputs[0]);
  return {};
}

// ---- The list --------------------------------------------------------------------------------

/// How an operator is read.
struct OpReader {
  Code code;
  /// Null: `expand` reads it.
  Result<graph::Attributes> (*read)(const SourceOp& op);
  /// How many inputs the file may list.
  size_t max_inputs;
  /// Which of these are data, in the IR's order; the others have become attributes.
  std::vector<size_t> data_inputs;
  Status (*expand)(const SourceOp& op, ReadOps& to) = nullptr;
};

const std::vector<size_t> kFirst = {0};
/// As many as there are.
const std::vector<size_t> kAll = {};

std::span<const OpReader> op_readers() {
  using namespace schema;
  using F = graph::UnaryFunction;
  using B = graph::BinaryFunction;
  static const OpReader kReaders[] = {
      {Code::CONV_2D, conv_2d, 3, kAll},
      {Code::DEPTHWISE_CONV_2D, depthwise_conv_2d, 3, kAll},
      {Code::TRANSPOSE_CONV, transpose_conv, 4, {2, 1, 3}},
      {Code::FULLY_CONNECTED, fully_connected, 3, kAll},
      {Code::ADD, arithmetic<graph::Add, AddOptions>, 2, kAll},
      {Code::SUB, arithmetic<graph::Sub, SubOptions>, 2, kAll},
      {Code::MUL, arithmetic<graph::Mul, MulOptions>, 2, kAll},
      {Code::MAXIMUM, binary<B::kMaximum>, 2, kAll},
      {Code::MINIMUM, binary<B::kMinimum>, 2, kAll},
      {Code::SQUARED_DIFFERENCE, binary<B::kSquaredDifference>, 2, kAll},
      {Code::DIV, binary<B::kDiv>, 2, kAll},
      {Code::PRELU, plain<graph::Prelu>, 2, kAll},
      {Code::AVERAGE_POOL_2D, pool_2d<graph::AveragePool2D>, 1, kFirst},
      {Code::MAX_POOL_2D, pool_2d<graph::MaxPool2D>, 1, kFirst},
      {Code::MEAN, mean, 2, kFirst},
      {Code::SUM, reduce<graph::ReduceFunction::kSum>, 2, kFirst},
      {Code::REDUCE_MAX, reduce<graph::ReduceFunction::kMax>, 2, kFirst},
      {Code::RESIZE_BILINEAR, resize<graph::ResizeBilinear, ResizeBilinearOptions>, 2, kFirst},
      {Code::RESIZE_NEAREST_NEIGHBOR,
       resize<graph::ResizeNearestNeighbor, ResizeNearestNeighborOptions>, 2, kFirst},
      {Code::CONCATENATION, concatenation, kMaxOperands, kAll},
      {Code::TILE, tile, 2, kFirst},
      {Code::BROADCAST_TO, broadcast_to, 2, kFirst},
      {Code::PAD, pad, 2, kFirst},
      {Code::PADV2, pad_v2, 3, kFirst},
      {Code::MIRROR_PAD, mirror_pad, 2, kFirst},
      {Code::SLICE, slice, 3, kFirst},
      {Code::STRIDED_SLICE, strided_slice, 4, kFirst},
      {Code::TRANSPOSE, transpose, 2, kFirst},
      {Code::DEPTH_TO_SPACE, block_2d<graph::DepthToSpace, DepthToSpaceOptions>, 1, kFirst},
      {Code::SPACE_TO_DEPTH, block_2d<graph::SpaceToDepth, SpaceToDepthOptions>, 1, kFirst},
      {Code::QUANTIZE, plain<graph::Quantize>, 1, kFirst},
      {Code::DEQUANTIZE, plain<graph::Dequantize>, 1, kFirst},
      {Code::CAST, plain<graph::Cast>, 1, kFirst},
      {Code::ARG_MAX, arg_max, 2, kFirst},
      {Code::SOFTMAX, softmax, 1, kFirst},
      {Code::RELU, plain<graph::Relu>, 1, kFirst},
      {Code::RELU6, plain<graph::Relu6>, 1, kFirst},
      {Code::LOGISTIC, unary<F::kLogistic>, 1, kFirst},
      {Code::TANH, unary<F::kTanh>, 1, kFirst},
      {Code::HARD_SWISH, unary<F::kHardSwish>, 1, kFirst},
      {Code::LEAKY_RELU, unary<F::kLeakyRelu>, 1, kFirst},
      {Code::ELU, unary<F::kElu>, 1, kFirst},
      {Code::EXP, unary<F::kExp>, 1, kFirst},
      {Code::SQRT, unary<F::kSqrt>, 1, kFirst},
      {Code::RSQRT, unary<F::kRsqrt>, 1, kFirst},
      {Code::SQUARE, unary<F::kSquare>, 1, kFirst},
      {Code::ABS, unary<F::kAbs>, 1, kFirst},
      {Code::NEG, unary<F::kNeg>, 1, kFirst},
      {Code::LOG, unary<F::kLog>, 1, kFirst},
      {Code::RESHAPE, reshape, 2, kFirst},
      {Code::EXPAND_DIMS, expand_dims, 2, kFirst},
      {Code::SQUEEZE, squeeze, 1, kFirst},
      {Code::SPACE_TO_BATCH_ND, space_to_batch_nd, 3, kFirst},
      {Code::BATCH_TO_SPACE_ND, batch_to_space_nd, 3, kFirst},
      {Code::SPLIT, nullptr, 2, {}, split},
      {Code::SPLIT_V, nullptr, 3, {}, split_v},
      {Code::UNPACK, nullptr, 1, {}, unpack},
      {Code::PACK, nullptr, kMaxOperands, {}, pack},
  };
  return kReaders;
}

const OpReader* find_reader(const SourceOp& op) {
  static const OpReader kTransposeConvBias = {Code::CUSTOM, transpose_conv_bias, 3, kAll};
  if (op.code == Code::CUSTOM) {
    return op.custom_name == "Convolution2DTransposeBias" ? &kTransposeConvBias : nullptr;
  }
  const auto readers = op_readers();
  const auto found = std::ranges::find(readers, op.code, &OpReader::code);
  return found == readers.end() ? nullptr : &*found;
}

}  // namespace

bool is_supported(const SourceOp& op) { return find_reader(op) != nullptr; }

Status read_op(const SourceOp& from, ReadOps& to) {
  const OpReader* reader = find_reader(from);
  if (reader == nullptr) return from.unsupported("this op is not supported");
  const auto inputs = elements(from.op.inputs());
  const auto outputs = elements(from.op.outputs());
  if (inputs.size() > reader->max_inputs) {
    return from.error("expected at most ", reader->max_inputs, " inputs, found ", inputs.size());
  }
  if (reader->read == nullptr) return reader->expand(from, to);
  DEEPLAB_ASSIGN_OR_RETURN(graph::Attributes attributes, reader->read(from));
  if (outputs.size() != 1) return from.error("expected 1 output, found ", outputs.size());
  graph::Op op{std::move(attributes), {}, {outputs[0]}, from.index};
  if (reader->data_inputs.empty()) {
    op.inputs.assign(inputs.begin(), inputs.end());
  } else {
    for (size_t k : reader->data_inputs) {
      if (k < inputs.size()) op.inputs.push_back(inputs[k]);
    }
  }
  to.ops.push_back(std::move(op));
  return {};
}

}  // namespace deeplab::tflite
