#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

template <typename Resize>
kernels::ResizeShape resize_shape(const OpLowering& from, const Resize& a) {
  const graph::Shape& x = from.in(0).shape;
  return {x[0], x[1], x[2], a.height, a.width, x[3], a.align_corners, a.half_pixel_centers};
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::ResizeBilinear& a) {
  const kernels::ResizeShape shape = resize_shape(from, a);
  if (from.all(DataType::kFloat32)) return Lowered(kernels::ResizeBilinearFloat{shape});
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  return Lowered(kernels::ResizeBilinearInt8{shape, from.from_uint8()});
}

Result<Lowered> lower(const OpLowering& from, const graph::ResizeNearestNeighbor& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  return Lowered(kernels::ResizeNearestNeighbor{resize_shape(from, a), from.element_size()});
}

void run(const kernels::ResizeBilinearInt8& op, const ReferenceRun& to) {
  resize_bilinear_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::ResizeBilinearFloat& op, const ReferenceRun& to) {
  resize_bilinear_reference(op, to.rounding, to.in<float>(0), to.out<float>());
}
void run(const kernels::ResizeNearestNeighbor& op, const ReferenceRun& to) {
  resize_nearest_neighbor_reference(op, to.inputs[0], to.output);
}

}  // namespace deeplab::plan
