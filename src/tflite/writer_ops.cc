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

  FileOp operator()(const graph::AveragePool2D& a) const {
    schema::Pool2DOptionsT options;
    set_window(options, a.window);
    options.filter_height = a.filter_h;
    options.filter_width = a.filter_w;
    options.fused_activation_function = activation(a.activation);
    return make(Code::AVERAGE_POOL_2D, since_int8(2), options);
  }

  FileOp operator()(const graph::Mean& a) const {
    schema::ReducerOptionsT options;
    options.keep_dims = a.keep_dims;
    return make(Code::MEAN, since_int8(2), options, {list("axes", a.axes)});
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
    return make(Code::PAD, rank() > 4 ? 4 : since_int8(2), schema::PadOptionsT{},
                {pairs("paddings", a.amounts)});
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
    {Code::ADD, 1, {1, 5, 0}},
    {Code::ADD, 2, {1, 14, 0}},
    {Code::ARG_MAX, 1, {1, 9, 0}},
    {Code::ARG_MAX, 2, {1, 14, 0}},
    {Code::AVERAGE_POOL_2D, 1, {1, 5, 0}},
    {Code::AVERAGE_POOL_2D, 2, {1, 14, 0}},
    {Code::BATCH_TO_SPACE_ND, 1, {1, 6, 0}},
    {Code::BATCH_TO_SPACE_ND, 2, {1, 14, 0}},
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
    {Code::DEQUANTIZE, 1, {1, 13, 1}},
    {Code::DEQUANTIZE, 2, {1, 14, 0}},
    {Code::MEAN, 1, {1, 6, 0}},
    {Code::MEAN, 2, {1, 14, 0}},
    {Code::MUL, 1, {1, 5, 0}},
    {Code::MUL, 2, {1, 14, 0}},
    {Code::PAD, 1, {1, 5, 0}},
    {Code::PAD, 2, {1, 14, 0}},
    {Code::PAD, 4, {2, 6, 0}},
    {Code::QUANTIZE, 1, {1, 14, 0}},
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
    {Code::SOFTMAX, 1, {1, 5, 0}},
    {Code::SOFTMAX, 2, {1, 14, 0}},
    {Code::SPACE_TO_BATCH_ND, 1, {1, 6, 0}},
    {Code::SPACE_TO_BATCH_ND, 2, {1, 14, 0}},
    {Code::SUB, 1, {1, 6, 0}},
    {Code::SUB, 2, {1, 14, 0}},
    {Code::TILE, 1, {1, 10, 1}},
    {Code::TILE, 3, {2, 8, 0}},
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
