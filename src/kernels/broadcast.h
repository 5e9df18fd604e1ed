// Broadcasting of the second operand: ADD, SUB and MUL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/shape.h"

namespace deeplab::kernels {

/// The shape of `a` and of the output, and how `b` is stretched over it.
struct BroadcastShape {
  Dims dims;
  /// Elements between neighbours of b along each dimension; 0 if b is repeated. Innermost: 0 or
  /// 1.
  std::array<int64_t, kMaxRank> b_strides = {};

  /// b has the shape of a: the op is elementwise over dims.elements().
  bool elementwise() const { return dims.rank == 1 && b_strides[0] == 1; }
  /// b, of the innermost dimension's shape, meets every piece of that size.
  bool repeats() const { return dims.rank == 2 && b_strides[0] == 0 && b_strides[1] == 1; }
};

/// Calls body(i, j): element i of a and of the output meets element j of b. The innermost dimension
/// is a loop of its own, which compilers vectorize.
template <typename Body>
void for_each_pair(const BroadcastShape& shape, const Body& body) {
  const int64_t count = shape.dims.elements();
  const auto last = static_cast<size_t>(shape.dims.rank - 1);
  const int64_t inner = shape.dims.extent[last];
  std::array<int32_t, kMaxRank> index = {};
  int64_t j = 0;
  for (int64_t i = 0; i < count; i += inner) {
    if (shape.b_strides[last] == 0) {
      for (int64_t k = 0; k < inner; ++k) body(i + k, j);
    } else {
      for (int64_t k = 0; k < inner; ++k) body(i + k, j + k);
    }
    for (size_t d = last; d-- > 0;) {
      j += shape.b_strides[d];
      if (++index[d] < shape.dims.extent[d]) break;
      j -= shape.b_strides[d] * index[d];
      index[d] = 0;
    }
  }
}

}  // namespace deeplab::kernels
