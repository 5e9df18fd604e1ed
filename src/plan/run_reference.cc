#include <cstring>

#include "plan/lower.h"

namespace deeplab::plan {
namespace {

/// Calls the reference kernel of each alternative.
struct ReferenceRun {
  kernels::Rounding rounding;
  std::span<const std::byte* const> inputs;
  std::byte* output;

  template <typename T>
  const T* in(size_t k) const {
    return reinterpret_cast<const T*>(inputs[k]);
  }
  const int32_t* int8_bias() const { return inputs.size() > 2 ? in<int32_t>(2) : nullptr; }
  const float* float_bias() const { return inputs.size() > 2 ? in<float>(2) : nullptr; }
  template <typename T>
  T* out() const {
    return reinterpret_cast<T*>(output);
  }

  void operator()(const LoweredConv2DInt8& op) const {
    conv2d_reference(op.params, rounding, in<int8_t>(0), in<int8_t>(1), int8_bias(), out<int8_t>());
  }
  void operator()(const kernels::Conv2DFloat& op) const {
    conv2d_reference(op, rounding, in<float>(0), in<float>(1), float_bias(), out<float>());
  }
  void operator()(const LoweredConv2DHybrid& op) const {
    conv2d_reference(op.params, rounding, in<float>(0), in<int8_t>(1), float_bias(), out<float>());
  }
  void operator()(const LoweredDepthwiseConv2DHybrid& op) const {
    depthwise_conv2d_reference(op.params, rounding, in<float>(0), in<int8_t>(1), float_bias(),
                               out<float>());
  }
  void operator()(const LoweredDepthwiseConv2DInt8& op) const {
    depthwise_conv2d_reference(op.params, rounding, in<int8_t>(0), in<int8_t>(1), int8_bias(),
                               out<int8_t>());
  }
  void operator()(const kernels::DepthwiseConv2DFloat& op) const {
    depthwise_conv2d_reference(op, rounding, in<float>(0), in<float>(1), float_bias(),
                               out<float>());
  }
  void operator()(const LoweredTransposeConvInt8& op) const {
    transpose_conv_reference(op.params, rounding, in<int8_t>(0), in<int8_t>(1), int8_bias(),
                             out<int8_t>());
  }
  void operator()(const kernels::TransposeConvFloat& op) const {
    transpose_conv_reference(op, in<float>(0), in<float>(1), float_bias(), out<float>());
  }
  void operator()(const kernels::PreluInt8& op) const {
    prelu_reference(op, rounding, in<int8_t>(0), in<int8_t>(1), out<int8_t>());
  }
  void operator()(const kernels::ExtremeInt8& op) const {
    binary_reference(op, in<int8_t>(0), in<int8_t>(1), out<int8_t>());
  }
  void operator()(const kernels::BinaryFloat& op) const {
    binary_reference(op, in<float>(0), in<float>(1), out<float>());
  }
  void operator()(const kernels::PreluFloat& op) const {
    prelu_reference(op, in<float>(0), in<float>(1), out<float>());
  }
  void operator()(const kernels::MaxPool2DInt8& op) const {
    max_pool2d_rows(op, in<int8_t>(0), out<int8_t>(), 0, op.shape.batch * op.shape.out_h);
  }
  void operator()(const kernels::MaxPool2DFloat& op) const {
    max_pool2d_rows(op, in<float>(0), out<float>(), 0, op.shape.batch * op.shape.out_h);
  }
  void operator()(const kernels::MirrorPad& op) const {
    mirror_pad_reference(op, inputs[0], output);
  }
  void operator()(const kernels::StridedCopy& op) const {
    strided_copy(op, inputs[0], output, 0, op.dims.extent[0]);
  }
  void operator()(const kernels::Cast& op) const { cast_reference(op, inputs[0], output); }
  void operator()(const kernels::UnaryInt8& op) const {
    unary_reference(op, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::UnaryFloat& op) const {
    unary_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::AddInt8& op) const {
    add_reference(op, rounding, in<int8_t>(0), in<int8_t>(1), out<int8_t>());
  }
  void operator()(const kernels::AddFloat& op) const {
    add_reference(op, in<float>(0), in<float>(1), out<float>());
  }
  void operator()(const kernels::MulInt8& op) const {
    mul_reference(op, rounding, in<int8_t>(0), in<int8_t>(1), out<int8_t>());
  }
  void operator()(const kernels::MulFloat& op) const {
    mul_reference(op, in<float>(0), in<float>(1), out<float>());
  }
  void operator()(const kernels::AveragePool2DInt8& op) const {
    average_pool2d_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::AveragePool2DFloat& op) const {
    average_pool2d_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::MeanInt8& op) const {
    mean_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::SumFloat& op) const {
    reduce_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::ReduceMaxInt8& op) const {
    reduce_reference(op, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::ReduceMaxFloat& op) const {
    reduce_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::MeanFloat& op) const {
    mean_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::ResizeBilinearInt8& op) const {
    resize_bilinear_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::ResizeBilinearFloat& op) const {
    resize_bilinear_reference(op, rounding, in<float>(0), out<float>());
  }
  void operator()(const kernels::ResizeNearestNeighbor& op) const {
    resize_nearest_neighbor_reference(op, inputs[0], output);
  }
  void operator()(const LoweredConcatenationInt8& op) const {
    concatenation_reference(op.params, rounding,
                            reinterpret_cast<const int8_t* const*>(inputs.data()), out<int8_t>());
  }
  void operator()(const LoweredConcatenationFloat& op) const {
    concatenation_reference(op.params, reinterpret_cast<const float* const*>(inputs.data()),
                            out<float>());
  }
  void operator()(const kernels::Tile& op) const { tile_reference(op, inputs[0], output); }
  void operator()(const kernels::Pad& op) const { pad_reference(op, inputs[0], output); }
  void operator()(const kernels::QuantizeFloat& op) const {
    quantize_reference(op, rounding, in<float>(0), out<int8_t>());
  }
  void operator()(const kernels::RequantizeInt8& op) const {
    requantize_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::DequantizeInt8& op) const {
    dequantize_reference(op, in<int8_t>(0), out<float>());
  }
  void operator()(const LoweredArgMax& op) const {
    if (op.float_input) {
      arg_max(op, in<float>(0));
    } else {
      arg_max(op, in<int8_t>(0));
    }
  }
  void operator()(const kernels::SoftmaxInt8& op) const {
    softmax_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::SoftmaxFloat& op) const {
    softmax_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::ReluInt8& op) const {
    relu_reference(op, rounding, in<int8_t>(0), out<int8_t>());
  }
  void operator()(const kernels::ReluFloat& op) const {
    relu_reference(op, in<float>(0), out<float>());
  }
  void operator()(const kernels::SpaceToBatchNd& op) const {
    space_to_batch_nd_reference(op, inputs[0], output);
  }
  void operator()(const kernels::BatchToSpaceNd& op) const {
    batch_to_space_nd_reference(op, inputs[0], output);
  }
  void operator()(const LoweredCopy& op) const { std::memcpy(output, inputs[0], op.bytes); }

 private:
  template <typename Element>
  void arg_max(const LoweredArgMax& op, const Element* input) const {
    if (op.int64_output) {
      arg_max_reference(op.params, input, out<int64_t>());
    } else {
      arg_max_reference(op.params, input, out<int32_t>());
    }
  }
};

}  // namespace

void run_reference(const Lowered& lowered, kernels::Rounding rounding,
                   std::span<const std::byte* const> inputs, std::byte* output) {
  std::visit(ReferenceRun{rounding, inputs, output}, lowered);
}

}  // namespace deeplab::plan
