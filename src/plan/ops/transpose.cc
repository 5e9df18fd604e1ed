#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Transpose& a) {
  const graph::Shape of_input = dense_strides(from.in(0).shape);
  graph::Shape strides;
  for (int32_t d : a.permutation) strides.push_back(of_input[index(d)]);
  return from.strided_copy(from.out().shape, strides, 0);
}

}  // namespace deeplab::plan
