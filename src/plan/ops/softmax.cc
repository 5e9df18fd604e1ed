#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Softmax& a) {
  const int32_t depth = from.in(0).shape.back();
  const int64_t outer = from.in(0).elements() / depth;
  if (from.all(DataType::kFloat32)) return Lowered(kernels::SoftmaxFloat{outer, depth, a.beta});
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const float scale = a.beta * from.in(0).quantization.scale();
  DEEPLAB_RETURN_IF_ERROR(from.multiplier(scale).status());
  return Lowered(kernels::SoftmaxInt8{
      outer, depth, scale,
      kernels::make_softmax_multiplier(a.beta, from.in(0).quantization.scale())});
}

void run(const kernels::SoftmaxInt8& op, const ReferenceRun& to) {
  softmax_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::SoftmaxFloat& op, const ReferenceRun& to) {
  softmax_reference(op, to.in<float>(0), to.out<float>());
}

}  // namespace deeplab::plan
