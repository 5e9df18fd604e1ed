#include "kernels/reduce/reduce.h"

#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

Result<kernels::Reduction> reduction(const OpLowering& from, std::span<const int32_t> axes) {
  kernels::Reduction shape;
  DEEPLAB_ASSIGN_OR_RETURN(shape.dims, from.dims(from.in(0).shape));
  for (int32_t axis : axes) shape.reduced[index(axis)] = true;
  return shape;
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::Mean& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::Reduction shape, reduction(from, a.axes));
  if (from.all(DataType::kFloat32)) return Lowered(kernels::MeanFloat{shape});
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const double ratio = double{from.in(0).quantization.scale()} / from.out().quantization.scale();
  DEEPLAB_RETURN_IF_ERROR(from.multiplier(ratio).status());
  return Lowered(kernels::MeanInt8{shape, from.in(0).quantization.zero_point(),
                                   kernels::make_mean_multiplier(ratio, shape.count()),
                                   from.out().quantization.zero_point()});
}

Result<Lowered> lower(const OpLowering& from, const graph::Reduce& a) {
  DEEPLAB_ASSIGN_OR_RETURN(const kernels::Reduction shape, reduction(from, a.axes));
  if (from.all(DataType::kFloat32)) {
    const kernels::ReduceFloat reduce{shape, a.function};
    return reference([reduce](const ReferenceRun& to) {
      reduce_reference(reduce, to.in<float>(0), to.out<float>());
    });
  }
  if (!picks(a.function)) return from.no_kernel();
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  const kernels::ReduceInt8 reduce{shape, a.function};
  return reference([reduce](const ReferenceRun& to) {
    reduce_reference(reduce, to.in<int8_t>(0), to.out<int8_t>());
  });
}

void run(const kernels::MeanInt8& op, const ReferenceRun& to) {
  mean_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::MeanFloat& op, const ReferenceRun& to) {
  mean_reference(op, to.in<float>(0), to.out<float>());
}

}  // namespace deeplab::plan
