#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

template <typename Block>
void set_block(const OpLowering& from, int32_t block_h, int32_t block_w, Block& op) {
  op.in_h = from.in(0).shape[1];
  op.in_w = from.in(0).shape[2];
  op.out_h = from.out().shape[1];
  op.out_w = from.out().shape[2];
  op.block_h = block_h;
  op.block_w = block_w;
  op.pixel_bytes = from.out().shape[3] * from.element_size();
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::SpaceToBatchNd& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  kernels::SpaceToBatchNd op;
  set_block(from, a.block_h, a.block_w, op);
  op.batch = from.in(0).shape[0];
  op.pad_top = a.pad_h[0];
  op.pad_left = a.pad_w[0];
  // Every byte of a stored real zero.
  op.fill = from.out().type == DataType::kInt8 ? from.stored_byte(0) : std::byte{0};
  return Lowered(op);
}

Result<Lowered> lower(const OpLowering& from, const graph::BatchToSpaceNd& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  kernels::BatchToSpaceNd op;
  set_block(from, a.block_h, a.block_w, op);
  op.batch = from.out().shape[0];
  op.crop_top = a.crop_h[0];
  op.crop_left = a.crop_w[0];
  return Lowered(op);
}

void run(const kernels::SpaceToBatchNd& op, const ReferenceRun& to) {
  space_to_batch_nd_reference(op, to.inputs[0], to.output);
}
void run(const kernels::BatchToSpaceNd& op, const ReferenceRun& to) {
  batch_to_space_nd_reference(op, to.inputs[0], to.output);
}

}  // namespace deeplab::plan
