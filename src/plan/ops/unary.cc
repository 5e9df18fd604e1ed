#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Unary& a) {
  const int64_t count = from.out().elements();
  if (from.all(DataType::kFloat32)) return Lowered(kernels::UnaryFloat{count, a.function, a.alpha});
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const graph::Quantization& x = from.in(0).quantization;
  const graph::Quantization& y = from.out().quantization;
  return Lowered(kernels::UnaryInt8{
      count, kernels::unary_table(a.function, a.alpha,
                                  {x.scale(), x.zero_point(), y.scale(), y.zero_point()})});
}

void run(const kernels::UnaryInt8& op, const ReferenceRun& to) {
  unary_reference(op, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::UnaryFloat& op, const ReferenceRun& to) {
  unary_reference(op, to.in<float>(0), to.out<float>());
}

}  // namespace deeplab::plan
