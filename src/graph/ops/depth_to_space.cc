#include "graph/op_view.h"

namespace deeplab::graph {

Result<Shape> DepthToSpace::output_shape(const OpView& op) const {
  const Shape& x = op.shape();
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", x, 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_block(block, block));
  const int32_t cells = block * block;
  if (x[3] % cells != 0) {
    return op.error("the ", x[3], " channels are not a multiple of the block ", block, "x", block);
  }
  Shape out = {x[0], 1, 1, x[3] / cells};
  DEEPLAB_ASSIGN_OR_RETURN(out, op.with_dimension(std::move(out), 1, int64_t{x[1]} * block));
  return op.with_dimension(std::move(out), 2, int64_t{x[2]} * block);
}
Status DepthToSpace::check_types(const OpView& op) const { return op.same_type(); }

Result<Shape> SpaceToDepth::output_shape(const OpView& op) const {
  const Shape& x = op.shape();
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", x, 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_block(block, block));
  if (x[1] % block != 0 || x[2] % block != 0) {
    return op.error("the size ", x[1], "x", x[2], " is not a multiple of the block ", block, "x",
                    block);
  }
  Shape out = {x[0], x[1] / block, x[2] / block, 1};
  return op.with_dimension(std::move(out), 3, int64_t{x[3]} * block * block);
}
Status SpaceToDepth::check_types(const OpView& op) const { return op.same_type(); }

}  // namespace deeplab::graph
