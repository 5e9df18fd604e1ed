#include <algorithm>

#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Tile& a) {
  DEEPLAB_RETURN_IF_ERROR(from.expect_moved());
  kernels::Tile tile;
  DEEPLAB_ASSIGN_OR_RETURN(tile.dims, from.dims(from.in(0).shape));
  std::copy(a.multiples.begin(), a.multiples.end(), tile.multiples.begin());
  tile.element_size = from.element_size();
  return Lowered(tile);
}

void run(const kernels::Tile& op, const ReferenceRun& to) {
  tile_reference(op, to.inputs[0], to.output);
}

}  // namespace deeplab::plan
