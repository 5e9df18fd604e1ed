#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::AveragePool2D& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                           from.window_shape(a.window, a.filter_h, a.filter_w));
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::AveragePool2DFloat{shape, min, max});
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const auto [min, max] = quantized_bounds(a.activation, from.out());
  return Lowered(kernels::AveragePool2DInt8{shape, from.out().quantization.zero_point(), min, max,
                                            from.from_uint8()});
}

Result<Lowered> lower(const OpLowering& from, const graph::MaxPool2D& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::WindowShape shape,
                           from.window_shape(a.window, a.filter_h, a.filter_w));
  if (from.all(DataType::kFloat32)) {
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(kernels::MaxPool2DFloat{shape, min, max});
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const auto [min, max] = quantized_bounds(a.activation, from.out());
  return Lowered(kernels::MaxPool2DInt8{shape, min, max});
}

void run(const kernels::AveragePool2DInt8& op, const ReferenceRun& to) {
  average_pool2d_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::AveragePool2DFloat& op, const ReferenceRun& to) {
  average_pool2d_reference(op, to.in<float>(0), to.out<float>());
}
void run(const kernels::MaxPool2DInt8& op, const ReferenceRun& to) {
  max_pool2d_rows(op, to.in<int8_t>(0), to.out<int8_t>(), 0, op.shape.batch * op.shape.out_h);
}
void run(const kernels::MaxPool2DFloat& op, const ReferenceRun& to) {
  max_pool2d_rows(op, to.in<float>(0), to.out<float>(), 0, op.shape.batch * op.shape.out_h);
}

}  // namespace deeplab::plan
