#include "plan/op_lowering.h"

namespace deeplab::plan {

// Output [n, y, by, x, bx, c] is input [n, y, x, by, bx, c].
Result<Lowered> lower(const OpLowering& from, const graph::DepthToSpace& a) {
  const graph::Shape& x = from.in(0).shape;
  const int32_t c = from.out().shape[3];
  const graph::Shape s = dense_strides({x[0], x[1], x[2], a.block, a.block, c});
  return from.strided_copy({x[0], x[1], a.block, x[2], a.block, c},
                           {s[0], s[1], s[3], s[2], s[4], s[5]}, 0);
}

// Output [n, y, x, by, bx, c] is input [n, y, by, x, bx, c].
Result<Lowered> lower(const OpLowering& from, const graph::SpaceToDepth& a) {
  const graph::Shape& y = from.out().shape;
  const int32_t c = from.in(0).shape[3];
  const graph::Shape s = dense_strides({y[0], y[1], a.block, y[2], a.block, c});
  return from.strided_copy({y[0], y[1], y[2], a.block, a.block, c},
                           {s[0], s[1], s[3], s[2], s[4], s[5]}, 0);
}

}  // namespace deeplab::plan
