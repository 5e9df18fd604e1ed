#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Slice& a) {
  graph::Shape strides = dense_strides(from.in(0).shape);
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    offset += int64_t{a.begin[d]} * strides[d];
    strides[d] *= a.step[d];
  }
  return from.strided_copy(a.size, strides, offset);
}

void run(const kernels::StridedCopy& op, const ReferenceRun& to) {
  strided_copy(op, to.inputs[0], to.output, 0, op.dims.extent[0]);
}

}  // namespace deeplab::plan
