#include <algorithm>
#include <cstring>
#include <limits>

#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <typename Options>
Result<graph::Window> dilated_window(const SourceOp& op, const Options& options) {
  DEEPLAB_ASSIGN_OR_RETURN(graph::Window window, read_window(op, options));
  window.dilation_h = options.dilation_h_factor();
  window.dilation_w = options.dilation_w_factor();
  return window;
}

template <typename Options>
void set_dilated_window(Options& options, const graph::Window& window) {
  set_window(options, window);
  options.dilation_h_factor = window.dilation_h;
  options.dilation_w_factor = window.dilation_w;
}

bool per_channel_filter(const OpWriter& from) { return from.in(1).quantization.per_channel(); }

Result<graph::Attributes> read_conv_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_Conv2DOptions()));
  graph::Conv2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, dilated_window(op, *options));
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, read_activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

Result<graph::Attributes> read_depthwise_conv_2d(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_DepthwiseConv2DOptions()));
  graph::DepthwiseConv2D a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, dilated_window(op, *options));
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, read_activation(op, options->fused_activation_function()));
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
Result<graph::Attributes> read_transpose_conv(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_TransposeConvOptions()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.numbers(0, "an output shape", 4));
  if (shape.size() != 4) return op.error("expected an output shape of 4 numbers");
  DEEPLAB_ASSIGN_OR_RETURN(const auto activation,
                           read_activation(op, options->fused_activation_function()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto kind, read_padding(op, options->padding()));
  return transpose_conv(op, kind == graph::Padding::kSame, options->stride_h(), options->stride_w(),
                        activation, 2, {shape[1], shape[2]});
}

/// MediaPipe's op of its own: inputs x, filter, bias; its options are TensorFlow Lite's
/// TfLiteTransposeConvParams as they lie in memory: padding (1 SAME, 2 VALID), width, height.
Result<graph::Attributes> read_transpose_conv_bias(const SourceOp& op) {
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

Result<graph::Attributes> read_fully_connected(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_FullyConnectedOptions()));
  if (options->weights_format() != schema::FullyConnectedOptionsWeightsFormat::DEFAULT) {
    return op.unsupported("shuffled weights are not supported");
  }
  graph::FullyConnected a;
  a.keep_dims = options->keep_num_dims();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, read_activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Conv2D>) {
  static constexpr OpReader kReaders[] = {{Code::CONV_2D, read_conv_2d, 3, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::CONV_2D, 1, {1, 5, 0}},
                                            {Code::CONV_2D, 2, {1, 14, 0}},
                                            {Code::CONV_2D, 3, {1, 14, 0}},
                                            {Code::CONV_2D, 5, {2, 4, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Conv2D& a) {
  schema::Conv2DOptionsT options;
  set_dilated_window(options, a.window);
  options.fused_activation_function = file_activation(a.activation);
  const int32_t version = from.int8() ? 3 : 1;
  const int32_t hybrid_version = per_channel_filter(from) ? 5 : 2;
  return make_op(Code::CONV_2D, from.hybrid() ? hybrid_version : version, options);
}

OpFormat format(std::type_identity<graph::DepthwiseConv2D>) {
  static constexpr OpReader kReaders[] = {
      {Code::DEPTHWISE_CONV_2D, read_depthwise_conv_2d, 3, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::DEPTHWISE_CONV_2D, 1, {1, 5, 0}},
                                            {Code::DEPTHWISE_CONV_2D, 2, {1, 12, 0}},
                                            {Code::DEPTHWISE_CONV_2D, 3, {1, 14, 0}},
                                            {Code::DEPTHWISE_CONV_2D, 4, {2, 2, 0}},
                                            {Code::DEPTHWISE_CONV_2D, 6, {2, 3, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::DepthwiseConv2D& a) {
  schema::DepthwiseConv2DOptionsT options;
  set_dilated_window(options, a.window);
  options.depth_multiplier = a.depth_multiplier;
  options.fused_activation_function = file_activation(a.activation);
  const bool dilated = a.window.dilation_h != 1 || a.window.dilation_w != 1;
  const int32_t version = from.int8() ? 3 : dilated ? 2 : 1;
  const int32_t hybrid_version = per_channel_filter(from) ? 6 : 4;
  return make_op(Code::DEPTHWISE_CONV_2D, from.hybrid() ? hybrid_version : version, options);
}

OpFormat format(std::type_identity<graph::TransposeConv>) {
  static constexpr OpReader kReaders[] = {
      {Code::TRANSPOSE_CONV, read_transpose_conv, 4, {3, {2, 1, 3}}},
      {Code::CUSTOM, read_transpose_conv_bias, 3, kAll, nullptr, "Convolution2DTransposeBias"}};
  static constexpr OpVersion kVersions[] = {{Code::TRANSPOSE_CONV, 1, {1, 9, 0}},
                                            {Code::TRANSPOSE_CONV, 2, {2, 2, 0}},
                                            {Code::TRANSPOSE_CONV, 3, {2, 3, 0}},
                                            {Code::TRANSPOSE_CONV, 4, {2, 13, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::TransposeConv& a) {
  schema::TransposeConvOptionsT options;
  const bool valid = a.pad_top == 0 && a.pad_left == 0;
  options.padding = valid ? schema::Padding::VALID : schema::Padding::SAME;
  options.stride_h = a.stride_h;
  options.stride_w = a.stride_w;
  options.fused_activation_function = file_activation(a.activation);
  const bool fused = a.activation != graph::Activation::kNone;
  const auto& inputs = from.op().inputs;
  const bool has_bias = inputs.size() > 2 && inputs[2] != graph::kNoTensor;
  const int32_t version = fused ? 4 : has_bias ? 3 : from.since_int8(2);
  FileOp op =
      make_op(Code::TRANSPOSE_CONV, version, options, {list("output_shape", from.out().shape)});
  op.operands_first = true;
  op.swap_inputs = true;
  return op;
}

OpFormat format(std::type_identity<graph::FullyConnected>) {
  static constexpr OpReader kReaders[] = {{Code::FULLY_CONNECTED, read_fully_connected, 3, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::FULLY_CONNECTED, 1, {1, 5, 0}},
                                            {Code::FULLY_CONNECTED, 4, {1, 14, 0}},
                                            {Code::FULLY_CONNECTED, 5, {2, 0, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::FullyConnected& a) {
  schema::FullyConnectedOptionsT options;
  options.keep_num_dims = a.keep_dims;
  options.fused_activation_function = file_activation(a.activation);
  return make_op(Code::FULLY_CONNECTED, a.keep_dims ? 5 : from.since_int8(4), options);
}

}  // namespace deeplab::tflite
