#include <cstring>

#include "kernels/mirror_pad/mirror_pad.h"
#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Pad& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  kernels::Pad pad;
  DEEPLAB_ASSIGN_OR_RETURN(pad.dims, from.dims(from.in(0).shape));
  for (size_t i = 0; i < a.amounts.size(); ++i) {
    pad.before[i] = a.amounts[i][0];
    pad.after[i] = a.amounts[i][1];
  }
  pad.element_size = from.element_size();
  if (from.out().type == DataType::kFloat32) {
    std::memcpy(pad.fill.data(), &a.value, sizeof a.value);
  } else if (from.out().type == DataType::kInt8) {
    pad.fill[0] = from.stored_byte(a.value);
  }
  return Lowered(pad);
}

Result<Lowered> lower(const OpLowering& from, const graph::MirrorPad& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  kernels::MirrorPad pad;
  DEEPLAB_ASSIGN_OR_RETURN(pad.dims, from.dims(from.in(0).shape));
  for (size_t i = 0; i < a.amounts.size(); ++i) {
    pad.before[i] = a.amounts[i][0];
    pad.after[i] = a.amounts[i][1];
  }
  pad.symmetric = a.symmetric;
  pad.element_size = from.element_size();
  return reference(
      [pad](const ReferenceRun& to) { mirror_pad_reference(pad, to.inputs[0], to.output); });
}

void run(const kernels::Pad& op, const ReferenceRun& to) {
  pad_reference(op, to.inputs[0], to.output);
}

}  // namespace deeplab::plan
