#include <algorithm>

#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

/// a_sign * a + b_sign * b
Result<Lowered> sum(const OpLowering& from, graph::Activation activation, float a_sign,
                    float b_sign) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, from.broadcast());
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(activation);
    return Lowered(kernels::AddFloat{shape, a_sign, b_sign, min, max});
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  kernels::AddInt8 add;
  add.shape = shape;
  add.a_zero_point = from.in(0).quantization.zero_point();
  add.b_zero_point = from.in(1).quantization.zero_point();
  const double scale_a = from.in(0).quantization.scale();
  const double scale_b = from.in(1).quantization.scale();
  const double scale_out = from.out().quantization.scale();
  DEEPLAB_ASSIGN_OR_RETURN(const auto a_factor, from.multiplier(scale_a / scale_out));
  DEEPLAB_ASSIGN_OR_RETURN(const auto b_factor, from.multiplier(scale_b / scale_out));
  add.a_scale = a_sign * a_factor.scale;
  add.b_scale = b_sign * b_factor.scale;
  const double common = 2 * std::max(scale_a, scale_b);
  DEEPLAB_ASSIGN_OR_RETURN(add.a_multiplier, from.multiplier(scale_a / common));
  DEEPLAB_ASSIGN_OR_RETURN(add.b_multiplier, from.multiplier(scale_b / common));
  DEEPLAB_ASSIGN_OR_RETURN(add.output_multiplier,
                           from.multiplier(common / ((1 << kernels::kTfLiteAddShift) * scale_out)));
  from.set_output(activation, add);
  return Lowered(add);
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::Add& a) {
  return sum(from, a.activation, 1, 1);
}

Result<Lowered> lower(const OpLowering& from, const graph::Sub& a) {
  return a.reversed ? sum(from, a.activation, -1, 1) : sum(from, a.activation, 1, -1);
}

Result<Lowered> lower(const OpLowering& from, const graph::Mul& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, from.broadcast());
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::MulFloat{shape, min, max});
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  kernels::MulInt8 mul;
  mul.shape = shape;
  mul.a_zero_point = from.in(0).quantization.zero_point();
  mul.b_zero_point = from.in(1).quantization.zero_point();
  // float32 products and quotients, as TensorFlow Lite has them here.
  DEEPLAB_ASSIGN_OR_RETURN(mul.multiplier, from.multiplier(from.in(0).quantization.scale() *
                                                           from.in(1).quantization.scale() /
                                                           from.out().quantization.scale()));
  from.set_output(a.activation, mul);
  return Lowered(mul);
}

Result<Lowered> lower(const OpLowering& from, const graph::Prelu& /*a*/) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, from.broadcast());
  if (from.all(DataType::kFloat32)) return Lowered(kernels::PreluFloat{shape});
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  kernels::PreluInt8 prelu;
  prelu.shape = shape;
  prelu.input_zero_point = from.in(0).quantization.zero_point();
  prelu.alpha_zero_point = from.in(1).quantization.zero_point();
  // float32 products and quotients, as TensorFlow Lite has them here.
  const float scale = from.in(0).quantization.scale();
  const float scale_out = from.out().quantization.scale();
  DEEPLAB_ASSIGN_OR_RETURN(prelu.identity, from.multiplier(scale / scale_out));
  DEEPLAB_ASSIGN_OR_RETURN(prelu.product,
                           from.multiplier(scale * from.in(1).quantization.scale() / scale_out));
  prelu.output_zero_point = from.out().quantization.zero_point();
  return Lowered(prelu);
}

Result<Lowered> lower(const OpLowering& from, const graph::Binary& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::BroadcastShape shape, from.broadcast());
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::BinaryFloat{shape, a.function, a.reversed, min, max});
  }
  const bool largest = a.function == graph::BinaryFunction::kMaximum;
  if (!largest && a.function != graph::BinaryFunction::kMinimum) return from.no_kernel();
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  return Lowered(kernels::ExtremeInt8{shape, largest});
}

void run(const kernels::AddInt8& op, const ReferenceRun& to) {
  add_reference(op, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1), to.out<int8_t>());
}
void run(const kernels::AddFloat& op, const ReferenceRun& to) {
  add_reference(op, to.in<float>(0), to.in<float>(1), to.out<float>());
}
void run(const kernels::MulInt8& op, const ReferenceRun& to) {
  mul_reference(op, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1), to.out<int8_t>());
}
void run(const kernels::MulFloat& op, const ReferenceRun& to) {
  mul_reference(op, to.in<float>(0), to.in<float>(1), to.out<float>());
}
void run(const kernels::PreluInt8& op, const ReferenceRun& to) {
  prelu_reference(op, to.rounding, to.in<int8_t>(0), to.in<int8_t>(1), to.out<int8_t>());
}
void run(const kernels::PreluFloat& op, const ReferenceRun& to) {
  prelu_reference(op, to.in<float>(0), to.in<float>(1), to.out<float>());
}
void run(const kernels::ExtremeInt8& op, const ReferenceRun& to) {
  binary_reference(op, to.in<int8_t>(0), to.in<int8_t>(1), to.out<int8_t>());
}
void run(const kernels::BinaryFloat& op, const ReferenceRun& to) {
  binary_reference(op, to.in<float>(0), to.in<float>(1), to.out<float>());
}

}  // namespace deeplab::plan
