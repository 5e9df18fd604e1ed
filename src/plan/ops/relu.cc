#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

Result<Lowered> lower_relu(const OpLowering& from, graph::Activation activation) {
  const int64_t count = from.out().elements();
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(activation);
    return Lowered(kernels::ReluFloat{count, min, max});
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  kernels::ReluInt8 relu;
  relu.count = count;
  relu.input_zero_point = from.in(0).quantization.zero_point();
  // A float32 quotient, as TensorFlow Lite has it here.
  DEEPLAB_ASSIGN_OR_RETURN(relu.multiplier, from.multiplier(from.in(0).quantization.scale() /
                                                            from.out().quantization.scale()));
  from.set_output(activation, relu);
  return Lowered(relu);
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::Relu& /*a*/) {
  return lower_relu(from, graph::Activation::kRelu);
}

Result<Lowered> lower(const OpLowering& from, const graph::Relu6& /*a*/) {
  return lower_relu(from, graph::Activation::kRelu6);
}

void run(const kernels::ReluInt8& op, const ReferenceRun& to) {
  relu_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::ReluFloat& op, const ReferenceRun& to) {
  relu_reference(op, to.in<float>(0), to.out<float>());
}

}  // namespace deeplab::plan
