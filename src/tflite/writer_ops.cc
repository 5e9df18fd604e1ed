// From the IR's attributes to an operator's options, shape-like operands and version. Versions and
// releases are those of TensorFlow's tools/versioning (op_version.cc, runtime_version.cc), for the
// types of the IR.
#include <utility>

#include "graph/dequantize.h"
#include "graph/operands.h"
#include "tflite/writer_parts.h"

namespace deeplab::tflite {
namespace {

using Code = schema::BuiltinOperator;

schema::ActivationFunctionType activation(graph::Activation activation) {
  switch (activation) {
    case graph::Activation::kNone:
      return schema::ActivationFunctionType::NONE;
    case graph::Activation::kRelu:
      return schema::ActivationFunctionType::RELU;
    case graph::Activation::kReluN1To1:
      return schema::ActivationFunctionType::RELU_N1_TO_1;
    case graph::Activation::kRelu6:
      return schema::ActivationFunctionType::RELU6;
  }
  return schema::ActivationFunctionType::NONE;
}

template <typename Options>
void set_window(Options& options, const graph::Window& window) {
  const bool same = window.padding == graph::Padding::kSame;
  options.padding = same ? schema::Padding::SAME : schema::Padding::VALID;
  options.stride_h = window.stride_h;
  options.stride_w = window.stride_w;
}

ListOperand list(const char* name, std::vector<int32_t> values) {
  graph::Shape shape = {static_cast<int32_t>(values.size())};
  return {name, std::move(values), std::move(shape)};
}

ListOperand pairs(const char* name, std::span<const std::array<int32_t, 2>> pairs) {
  ListOperand operand{name, {}, {static_cast<int32_t>(pairs.size()), 2}};
  for (const auto& [before, after] : pairs) {
    operand.values.push_back(before);
    operand.values.push_back(after);
  }
  return operand;
}

class Converter {
 public:
  Converter(const graph::Graph& graph, const graph::Op& op) : graph_(graph), op_(op) {}

  FileOp operator()(const graph::Conv2D& a) const {
    schema::Conv2DOptionsT options;
    set_window(options, a.window);
    options.dilation_h_factor = a.window.dilation_h;
    options.dilation_w_factor = a.window.dilation_w;
    options.fused_activation_function = activation(a.activation);
    return make(Code::CONV_2D, hybrid() ? (per_channel() ? 5 : 2) : int8() ? 3 : 1, options);
  }

  FileOp operator()(const graph::DepthwiseConv2D& a) const {
    schema::DepthwiseConv2DOptionsT options;
    set_window(options, a.window);
    options.dilation_h_factor = a.window.dilation_h;
    options.dilation_w_factor = a.window.dilation_w;
    options.depth_multiplier = a.depth_multiplier;
    options.fused_activation_function = activation(a.activation);
    const bool dilated = a.window.dilation_h != 1 || a.window.dilation_w != 1;
    const int32_t version = int8() ? 3 : dilated ? 2 : 1;
    return make(Code::DEPTHWISE_CONV_2D, hybrid() ? (per_channel() ? 6 : 4) : version, options);
  }

  FileOp operator()(const graph::Add& a) const {
    schema::AddOptionsT options;
    options.fused_activation_function = activation(a.activation);
    return make(Code::ADD, since_int8(2), options);
  }

  FileOp operator()(const graph::Sub& a) const {
    schema::SubOptionsT options;
    options.fused_activation_function = activation(a.activation);
    FileOp op = make(Code::SUB, since_int8(2), options);
    op.swap_inputs = a.reversed;
    return op;
  }

  FileOp operator()(const graph::Mul& a) const {
    schema::MulOptionsT options;
    options.fused_activation_function = activation(a.activation);
    return make(Code::MUL, since_int8(2), options);
  }

  FileOp operator()(const graph::Binary& a) const {
    using F = graph::BinaryFunction;
    switch (a.function) {
      case F::kMaximum:
        return make(Code::MAXIMUM, since_int8(2), schema::MaximumMinimumOptionsT{});
      case F::kMinimum:
        return make(Code::MINIMUM, since_int8(2), schema::MaximumMinimumOptionsT{});
      case F::kSquaredDifference:
        return make(Code::SQUARED_DIFFERENCE, 1, schema::SquaredDifferenceOptionsT{});
      case F::kDiv:
        break;
    }
    schema::DivOptionsT options;
    options.fused_activation_function = activation(a.activation);
    FileOp op = make(Code::DIV, 1, options);
    op.swap_inputs = a.reversed;
    return op;
  }

  FileOp operator()(const graph::AveragePool2D& a) const {
    return make(Code::AVERAGE_POOL_2D, since_int8(2), pool(a));
  }
  FileOp operator()(const graph::MaxPool2D& a) const {
    return make(Code::MAX_POOL_2D, since_int8(2), pool(a));
  }

  FileOp operator()(const graph::TransposeConv& a) const {
    schema::TransposeConvOptionsT options;
    const bool valid = a.pad_top == 0 && a.pad_left == 0;
    options.padding = valid ? schema::Padding::VALID : schema::Padding::SAME;
    options.stride_h = a.stride_h;
    options.stride_w = a.stride_w;
    options.fused_activation_function = activation(a.activation);
    const bool fused = a.activation != graph::Activation::kNone;
    const bool has_bias = op_.inputs.size() > 2 && op_.inputs[2] != graph::kNoTensor;
    const graph::Shape& out = graph_.tensor(op_.output()).shape;
    FileOp op = make(Code::TRANSPOSE_CONV,
                     fused      ? 4
                     : has_bias ? 3
                                : since_int8(2),
                     options, {list("output_shape", out)});
    op.operands_first = true;
    op.swap_inputs = true;
    return op;
  }

  FileOp operator()(const graph::FullyConnected& a) const {
    schema::FullyConnectedOptionsT options;
    options.keep_num_dims = a.keep_dims;
    options.fused_activation_function = activation(a.activation);
    return make(Code::FULLY_CONNECTED, a.keep_dims ? 5 : since_int8(4), options);
  }

  FileOp operator()(const graph::Prelu&) const { return make(Code::PRELU, 1); }

  FileOp operator()(const graph::Unary& a) const {
    using F = graph::UnaryFunction;
    switch (a.function) {
      case F::kLogistic:
        return make(Code::LOGISTIC, since_int8(2));
      case F::kTanh:
        return make(Code::TANH, since_int8(2));
      case F::kHardSwish:
        return make(Code::HARD_SWISH, 1);
      case F::kLeakyRelu: {
        schema::LeakyReluOptionsT options;
        options.alpha = a.alpha;
        return make(Code::LEAKY_RELU, type() == graph::DataType::kFloat32 ? 1 : 2, options);
      }
      case F::kElu:
        return make(Code::ELU, since_int8(2));
      case F::kExp:
        return make(Code::EXP, 1);
      case F::kSqrt:
        return make(Code::SQRT, 1);
      case F::kRsqrt:
        return make(Code::RSQRT, 1);
      case F::kSquare:
        return make(Code::SQUARE, 1);
      case F::kAbs:
        return make(Code::ABS, 1);
      case F::kNeg:
        return make(Code::NEG, 1);
      case F::kLog:
        return make(Code::LOG, 1);
    }
    return {};
  }

  FileOp operator()(const graph::Mean& a) const { return reduction(Code::MEAN, a); }
  FileOp operator()(const graph::Reduce& a) const {
    return reduction(a.function == graph::ReduceFunction::kSum ? Code::SUM : Code::REDUCE_MAX, a);
  }
  template <typename Reduction>
  FileOp reduction(Code code, const Reduction& a) const {
    schema::ReducerOptionsT options;
    options.keep_dims = a.keep_dims;
    return make(code, since_int8(2), options, {list("axes", a.axes)});
  }

  FileOp operator()(const graph::ResizeBilinear& a) const {
    schema::ResizeBilinearOptionsT options;
    options.align_corners = a.align_corners;
    options.half_pixel_centers = a.half_pixel_centers;
    return make(Code::RESIZE_BILINEAR, a.half_pixel_centers ? 3 : since_int8(2), options,
                {list("size", {a.height, a.width})});
  }

  FileOp operator()(const graph::ResizeNearestNeighbor& a) const {
    schema::ResizeNearestNeighborOptionsT options;
    options.align_corners = a.align_corners;
    options.half_pixel_centers = a.half_pixel_centers;
    const bool placed = a.align_corners || a.half_pixel_centers;
    return make(Code::RESIZE_NEAREST_NEIGHBOR, placed ? 3 : since_int8(2), options,
                {list("size", {a.height, a.width})});
  }

  FileOp operator()(const graph::Concatenation& a) const {
    schema::ConcatenationOptionsT options;
    options.axis = a.axis;
    options.fused_activation_function = activation(a.activation);
    return make(Code::CONCATENATION, since_int8(2), options);
  }

  FileOp operator()(const graph::Tile& a) const {
    return make(Code::TILE, since_int8(3), schema::TileOptionsT{},
                {list("multiples", a.multiples)});
  }

  FileOp operator()(const graph::Pad& a) const {
    const int32_t version = rank() > 4 ? 4 : since_int8(2);
    if (a.value == 0) {
      return make(Code::PAD, version, schema::PadOptionsT{}, {pairs("paddings", a.amounts)});
    }
    FileOp op = make(Code::PADV2, version);
    op.operands = {pairs("paddings", a.amounts)};
    op.fill = a.value;
    return op;
  }

  FileOp operator()(const graph::MirrorPad& a) const {
    schema::MirrorPadOptionsT options;
    options.mode = a.symmetric ? schema::MirrorPadMode::SYMMETRIC : schema::MirrorPadMode::REFLECT;
    return make(Code::MIRROR_PAD, since_int8(2), options, {pairs("paddings", a.amounts)});
  }

  FileOp operator()(const graph::Slice& a) const {
    schema::StridedSliceOptionsT options;
    std::vector<int32_t> end;
    for (size_t d = 0; d < a.size.size(); ++d) {
      end.push_back(a.begin[d] + a.size[d] * a.step[d]);
      // Below 0 would count from the end.
      if (end.back() < 0) options.end_mask |= 1 << d;
    }
    for (int32_t d : a.dropped) options.shrink_axis_mask |= 1 << d;
    return make(Code::STRIDED_SLICE, since_int8(2), options,
                {list("begin", a.begin), list("end", std::move(end)), list("strides", a.step)});
  }

  FileOp operator()(const graph::Transpose& a) const {
    FileOp op = make(Code::TRANSPOSE, rank() > 4 ? 4 : since_int8(2));
    op.operands = {list("permutation", a.permutation)};
    return op;
  }

  FileOp operator()(const graph::DepthToSpace& a) const {
    schema::DepthToSpaceOptionsT options;
    options.block_size = a.block;
    return make(Code::DEPTH_TO_SPACE, since_int8(2), options);
  }

  FileOp operator()(const graph::SpaceToDepth& a) const {
    schema::SpaceToDepthOptionsT options;
    options.block_size = a.block;
    return make(Code::SPACE_TO_DEPTH, since_int8(2), options);
  }

  FileOp operator()(const graph::Cast&) const {
    schema::CastOptionsT options;
    options.in_data_type = file_type(input().type);
    options.out_data_type = file_type(graph_.tensor(op_.output()).type);
    return make(Code::CAST, 1, options);
  }

  FileOp operator()(const graph::Quantize&) const {
    return make(Code::QUANTIZE, 1, schema::QuantizeOptionsT{});
  }

  FileOp operator()(const graph::Dequantize&) const {
    return make(Code::DEQUANTIZE, since_int8(2), schema::DequantizeOptionsT{});
  }

  FileOp operator()(const graph::ArgMax& a) const {
    schema::ArgMaxOptionsT options;
    const bool wide = graph_.tensor(op_.output()).type == graph::DataType::kInt64;
    options.output_type = wide ? schema::TensorType::INT64 : schema::TensorType::INT32;
    return make(Code::ARG_MAX, since_int8(2), options, {{"axis", {a.axis}, {}}});
  }

  FileOp operator()(const graph::Softmax& a) const {
    schema::SoftmaxOptionsT options;
    options.beta = a.beta;
    return make(Code::SOFTMAX, since_int8(2), options);
  }

  FileOp operator()(const graph::Relu&) const {
    // The one op of the list whose uint8 form is newer, too.
    return make(Code::RELU, type() == graph::DataType::kFloat32 ? 1 : 2);
  }

  FileOp operator()(const graph::Relu6&) const { return make(Code::RELU6, since_int8(2)); }

  FileOp operator()(const graph::Reshape& a) const {
    schema::ReshapeOptionsT options;
    options.new_shape = a.shape;
    // A scalar's shape has no numbers: the options alone say it.
    std::vector<ListOperand> operands;
    if (!a.shape.empty()) operands.push_back(list("shape", a.shape));
    return make(Code::RESHAPE, 1, options, std::move(operands));
  }

  FileOp operator()(const graph::SpaceToBatchNd& a) const {
    const std::array<int32_t, 2> paddings[] = {a.pad_h, a.pad_w};
    return make(Code::SPACE_TO_BATCH_ND, since_int8(2), schema::SpaceToBatchNDOptionsT{},
                {list("block", {a.block_h, a.block_w}), pairs("paddings", paddings)});
  }

  FileOp operator()(const graph::BatchToSpaceNd& a) const {
    const std::array<int32_t, 2> crops[] = {a.crop_h, a.crop_w};
    return make(Code::BATCH_TO_SPACE_ND, since_int8(2), schema::BatchToSpaceNDOptionsT{},
                {list("block", {a.block_h, a.block_w}), pairs("crops", crops)});
  }

 private:
  const graph::Tensor& input() const { return graph_.tensor(op_.inputs[0]); }
  graph::DataType type() const { return input().type; }
  size_t rank() const { return input().shape.size(); }
  bool int8() const { return type() == graph::DataType::kInt8; }
  bool hybrid() const { return graph::is_hybrid(graph_, op_); }
  /// Of a convolution's filter.
  bool per_channel() const { return graph_.tensor(op_.inputs[1]).quantization.per_channel(); }
  /// Most ops have one version for what was there before int8, and one for int8.
  int32_t since_int8(int32_t version) const { return int8() ? version : 1; }

  template <typename Pool>
  static schema::Pool2DOptionsT pool(const Pool& a) {
    schema::Pool2DOptionsT options;
    set_window(options, a.window);
    options.filter_height = a.filter_h;
    options.filter_width = a.filter_w;
    options.fused_activation_function = activation(a.activation);
    return options;
  }

  static FileOp make(Code code, int32_t version) {
    FileOp op;
    op.code = code;
    op.version = version;
    return op;
  }
  template <typename Options>
  static FileOp make(Code code, int32_t version, Options options,
                     std::vector<ListOperand> operands = {}) {
    FileOp op = make(code, version);
    op.options.Set(std::move(options));
    op.operands = std::move(operands);
    return op;
  }

  const graph::Graph& graph_;
  const graph::Op& op_;
};

struct VersionRelease {
  Code code;
  int32_t version;
  Release release;
};
constexpr VersionRelease kReleases[] = {
    {Code::ABS, 1, {1, 13, 0}},
    {Code::ADD, 1, {1, 5, 0}},
    {Code::ADD, 2, {1, 14, 0}},
    {Code::ARG_MAX, 1, {1, 9, 0}},
    {Code::ARG_MAX, 2, {1, 14, 0}},
    {Code::AVERAGE_POOL_2D, 1, {1, 5, 0}},
    {Code::AVERAGE_POOL_2D, 2, {1, 14, 0}},
    {Code::BATCH_TO_SPACE_ND, 1, {1, 6, 0}},
    {Code::BATCH_TO_SPACE_ND, 2, {1, 14, 0}},
    {Code::CAST, 1, {1, 5, 0}},
    {Code::CONCATENATION, 1, {1, 5, 0}},
    {Code::CONCATENATION, 2, {1, 14, 0}},
    {Code::CONV_2D, 1, {1, 5, 0}},
    {Code::CONV_2D, 2, {1, 14, 0}},
    {Code::CONV_2D, 3, {1, 14, 0}},
    {Code::CONV_2D, 5, {2, 4, 0}},
    {Code::DEPTHWISE_CONV_2D, 1, {1, 5, 0}},
    {Code::DEPTHWISE_CONV_2D, 2, {1, 12, 0}},
    {Code::DEPTHWISE_CONV_2D, 3, {1, 14, 0}},
    {Code::DEPTHWISE_CONV_2D, 4, {2, 2, 0}},
    {Code::DEPTHWISE_CONV_2D, 6, {2, 3, 0}},
    {Code::DEPTH_TO_SPACE, 1, {2, 1, 0}},
    {Code::DEPTH_TO_SPACE, 2, {2, 1, 0}},
    {Code::DEQUANTIZE, 1, {1, 13, 1}},
    {Code::DEQUANTIZE, 2, {1, 14, 0}},
    {Code::DIV, 1, {1, 6, 0}},
    {Code::ELU, 1, {1, 14, 0}},
    {Code::ELU, 2, {2, 3, 0}},
    {Code::EXP, 1, {1, 7, 0}},
    {Code::FULLY_CONNECTED, 1, {1, 5, 0}},
    {Code::FULLY_CONNECTED, 4, {1, 14, 0}},
    {Code::FULLY_CONNECTED, 5, {2, 0, 0}},
    {Code::HARD_SWISH, 1, {1, 15, 0}},
    {Code::LEAKY_RELU, 1, {1, 13, 1}},
    {Code::LEAKY_RELU, 2, {2, 3, 0}},
    {Code::LOG, 1, {1, 14, 0}},
    {Code::LOGISTIC, 1, {1, 14, 0}},
    {Code::LOGISTIC, 2, {1, 14, 0}},
    {Code::MAX_POOL_2D, 1, {1, 5, 0}},
    {Code::MAX_POOL_2D, 2, {1, 14, 0}},
    {Code::MAXIMUM, 1, {1, 14, 0}},
    {Code::MAXIMUM, 2, {1, 14, 0}},
    {Code::MEAN, 1, {1, 6, 0}},
    {Code::MEAN, 2, {1, 14, 0}},
    {Code::MINIMUM, 1, {1, 14, 0}},
    {Code::MINIMUM, 2, {1, 14, 0}},
    {Code::MIRROR_PAD, 1, {1, 13, 1}},
    {Code::MIRROR_PAD, 2, {2, 3, 0}},
    {Code::MUL, 1, {1, 5, 0}},
    {Code::MUL, 2, {1, 14, 0}},
    {Code::NEG, 1, {1, 9, 0}},
    {Code::PAD, 1, {1, 5, 0}},
    {Code::PAD, 2, {1, 14, 0}},
    {Code::PAD, 4, {2, 6, 0}},
    {Code::PADV2, 1, {1, 9, 0}},
    {Code::PADV2, 2, {1, 14, 0}},
    {Code::PADV2, 4, {2, 6, 0}},
    {Code::PRELU, 1, {1, 8, 0}},
    {Code::QUANTIZE, 1, {1, 14, 0}},
    {Code::REDUCE_MAX, 1, {1, 14, 0}},
    {Code::REDUCE_MAX, 2, {1, 14, 0}},
    {Code::RELU, 1, {1, 5, 0}},
    {Code::RELU, 2, {2, 1, 0}},
    {Code::RELU6, 1, {1, 5, 0}},
    {Code::RELU6, 2, {1, 14, 0}},
    {Code::RESHAPE, 1, {1, 5, 0}},
    {Code::RESIZE_BILINEAR, 1, {1, 7, 0}},
    {Code::RESIZE_BILINEAR, 2, {1, 14, 0}},
    {Code::RESIZE_BILINEAR, 3, {2, 2, 0}},
    {Code::RESIZE_NEAREST_NEIGHBOR, 1, {1, 13, 1}},
    {Code::RESIZE_NEAREST_NEIGHBOR, 2, {1, 14, 0}},
    {Code::RESIZE_NEAREST_NEIGHBOR, 3, {2, 3, 0}},
    {Code::RSQRT, 1, {1, 10, 0}},
    {Code::SOFTMAX, 1, {1, 5, 0}},
    {Code::SOFTMAX, 2, {1, 14, 0}},
    {Code::SPACE_TO_BATCH_ND, 1, {1, 6, 0}},
    {Code::SPACE_TO_BATCH_ND, 2, {1, 14, 0}},
    {Code::SPACE_TO_DEPTH, 1, {1, 5, 0}},
    {Code::SPACE_TO_DEPTH, 2, {1, 14, 0}},
    {Code::SQRT, 1, {1, 10, 0}},
    {Code::SQUARE, 1, {1, 12, 0}},
    {Code::SQUARED_DIFFERENCE, 1, {1, 13, 1}},
    {Code::STRIDED_SLICE, 1, {1, 6, 0}},
    {Code::STRIDED_SLICE, 2, {1, 14, 0}},
    {Code::SUB, 1, {1, 6, 0}},
    {Code::SUB, 2, {1, 14, 0}},
    {Code::SUM, 1, {1, 10, 0}},
    {Code::TANH, 1, {1, 14, 0}},
    {Code::TANH, 2, {1, 14, 0}},
    {Code::TILE, 1, {1, 10, 1}},
    {Code::TILE, 3, {2, 8, 0}},
    {Code::TRANSPOSE, 1, {1, 6, 0}},
    {Code::TRANSPOSE, 2, {1, 14, 0}},
    {Code::TRANSPOSE, 4, {2, 3, 0}},
    {Code::TRANSPOSE_CONV, 1, {1, 9, 0}},
    {Code::TRANSPOSE_CONV, 2, {2, 2, 0}},
    {Code::TRANSPOSE_CONV, 3, {2, 3, 0}},
    {Code::TRANSPOSE_CONV, 4, {2, 13, 0}},
};

}  // namespace

Result<FileOp> file_op(const graph::Graph& graph, const graph::Op& op) {
  FileOp file = std::visit(Converter(graph, op), op.attributes);
  for (const ListOperand& operand : file.operands) {
    if (operand.values.empty()) {
      return unsupported(graph::op_label(op), ": ", operand.name,
                         " without a number cannot be written: a constant is never empty");
    }
  }
  return file;
}

Release first_release(schema::BuiltinOperator code, int32_t version) {
  for (const VersionRelease& entry : kReleases) {
    if (entry.code == code && entry.version == version) return entry.release;
  }
  return {};
}

}  // namespace deeplab::tflite
