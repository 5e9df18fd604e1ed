#include <cstring>

#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Reshape& /*a*/) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  return Lowered(LoweredCopy{from.out().byte_size()});
}

void run(const LoweredCopy& op, const ReferenceRun& to) {
  std::memcpy(to.output, to.inputs[0], op.bytes);
}

}  // namespace deeplab::plan
