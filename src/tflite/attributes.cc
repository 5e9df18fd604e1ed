// From an operator's options and shape-like operands to the IR's attributes.
#include <algorithm>

#include "graph/op.h"
#include "tflite/source.h"

namespace deeplab::tflite {
namespace {

using Code = schema::BuiltinOperator;

Result<graph::Activation> activation(const SourceOp& op, schema::ActivationFunctionType type) {
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
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> depthwise_conv_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_DepthwiseConv2DOptions()));
  graph::DepthwiseConv2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, window(op, *options));
  a.window.dilation_h = options->dilation_h_factor();
  a.window.dilation_w = options->dilation_w_factor();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation(op, options->fused_activation_function()));
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
Result<graph::Attributes> arithmetic(const SourceOp& op, const Options* options) {
  Arithmetic a;
  if (options != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation(op, options->fused_activation_function()));
  }
  return graph::Attributes(a);
}

Result<graph::Attributes> average_pool_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_Pool2DOptions()));
  graph::AveragePool2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, window(op, *options));
  a.filter_h = options->filter_height();
  a.filter_w = options->filter_width();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> mean(const SourceOp& op) {
  graph::Mean a;
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

template <typename Resize, typename Options>
Result<graph::Attributes> resize(const SourceOp& op, const Options* options) {
  Resize a;
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
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> tile(const SourceOp& op) {
  graph::Tile a;
  DEEPLAB_ASSIGN_OR_RETURN(a.multiples, op.numbers(1, "multiples", kMaxRank));
  return graph::Attributes(a);
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

Result<graph::Attributes> attributes(const SourceOp& op) {
  switch (op.code) {
    case Code::CONV_2D:
      return conv_2d(op);
    case Code::DEPTHWISE_CONV_2D:
      return depthwise_conv_2d(op);
    case Code::ADD:
      return arithmetic<graph::Add>(op, op.op.builtin_options_as_AddOptions());
    case Code::SUB:
      return arithmetic<graph::Sub>(op, op.op.builtin_options_as_SubOptions());
    case Code::MUL:
      return arithmetic<graph::Mul>(op, op.op.builtin_options_as_MulOptions());
    case Code::AVERAGE_POOL_2D:
      return average_pool_2d(op);
    case Code::MEAN:
      return mean(op);
    case Code::RESIZE_BILINEAR:
      return resize<graph::ResizeBilinear>(op, op.op.builtin_options_as_ResizeBilinearOptions());
    case Code::RESIZE_NEAREST_NEIGHBOR:
      return resize<graph::ResizeNearestNeighbor>(
          op, op.op.builtin_options_as_ResizeNearestNeighborOptions());
    case Code::CONCATENATION:
      return concatenation(op);
    case Code::TILE:
      return tile(op);
    case Code::PAD:
      return pad(op);
    case Code::QUANTIZE:
      return graph::Attributes(graph::Quantize{});
    case Code::DEQUANTIZE:
      return graph::Attributes(graph::Dequantize{});
    case Code::ARG_MAX:
      return arg_max(op);
    case Code::SOFTMAX:
      return softmax(op);
    case Code::RELU:
      return graph::Attributes(graph::Relu{});
    case Code::RELU6:
      return graph::Attributes(graph::Relu6{});
    case Code::RESHAPE:
      return reshape(op);
    case Code::SPACE_TO_BATCH_ND:
      return space_to_batch_nd(op);
    case Code::BATCH_TO_SPACE_ND:
      return batch_to_space_nd(op);
    default:
      return op.unsupported("this op is not supported");
  }
}

/// How many of an op's file inputs are data; the others have become attributes.
size_t data_inputs(const SourceOp& op, size_t listed) {
  switch (op.code) {
    case Code::CONV_2D:
    case Code::DEPTHWISE_CONV_2D:
    case Code::ADD:
    case Code::SUB:
    case Code::MUL:
    case Code::CONCATENATION:
      return listed;
    default:
      return 1;
  }
}

/// How many inputs the file may list.
size_t max_inputs(const SourceOp& op) {
  switch (op.code) {
    case Code::CONCATENATION:
      return kMaxOperands;
    case Code::CONV_2D:
    case Code::DEPTHWISE_CONV_2D:
    case Code::SPACE_TO_BATCH_ND:
    case Code::BATCH_TO_SPACE_ND:
      return 3;
    case Code::QUANTIZE:
    case Code::DEQUANTIZE:
    case Code::SOFTMAX:
    case Code::RELU:
    case Code::RELU6:
    case Code::AVERAGE_POOL_2D:
      return 1;
    default:
      return 2;
  }
}

}  // namespace

Result<graph::Op> read_op(const SourceOp& from) {
  graph::Op op;
  op.index = from.index;
  DEEPLAB_ASSIGN_OR_RETURN(op.attributes, attributes(from));
  const auto inputs = elements(from.op.inputs());
  const auto outputs = elements(from.op.outputs());
  if (inputs.size() > max_inputs(from) || outputs.size() != 1) {
    return from.error("expected at most ", max_inputs(from), " inputs and 1 output, found ",
                      inputs.size(), " and ", outputs.size());
  }
  const size_t data = std::min(inputs.size(), data_inputs(from, inputs.size()));
  op.inputs.assign(inputs.begin(), inputs.begin() + static_cast<ptrdiff_t>(data));
  op.outputs.assign(outputs.begin(), outputs.end());
  return op;
}

}  // namespace deeplab::tflite
