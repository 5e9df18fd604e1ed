#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

template <typename Element>
void arg_max(const LoweredArgMax& op, const Element* input, const ReferenceRun& to) {
  if (op.int64_output) {
    arg_max_reference(op.params, input, to.out<int64_t>());
  } else {
    arg_max_reference(op.params, input, to.out<int32_t>());
  }
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::ArgMax& a) {
  const DataType input = from.in(0).type;
  const DataType output = from.out().type;
  if ((input != DataType::kInt8 && input != DataType::kFloat32) ||
      (output != DataType::kInt32 && output != DataType::kInt64)) {
    return from.no_kernel();
  }
  const graph::Shape& shape = from.in(0).shape;
  kernels::ArgMax arg_max;
  arg_max.axis = shape[index(a.axis)];
  for (size_t d = 0; d < shape.size(); ++d) {
    if (d < index(a.axis)) arg_max.outer *= shape[d];
    if (d > index(a.axis)) arg_max.inner *= shape[d];
  }
  return Lowered(LoweredArgMax{arg_max, input == DataType::kFloat32, output == DataType::kInt64});
}

void run(const LoweredArgMax& op, const ReferenceRun& to) {
  if (op.float_input) {
    arg_max(op, to.in<float>(0), to);
  } else {
    arg_max(op, to.in<int8_t>(0), to);
  }
}

}  // namespace deeplab::plan
