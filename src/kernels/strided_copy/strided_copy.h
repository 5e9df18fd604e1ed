// Ops that only choose and order elements: STRIDED_SLICE, TRANSPOSE, DEPTH_TO_SPACE,
// SPACE_TO_DEPTH.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/shape.h"

namespace deeplab::kernels {

/// Output element (i0, i1, ...) is input element offset + i0 * strides[0] + i1 * strides[1] + ...
struct StridedCopy {
  Dims dims;                                   ///< Of the output; at least one dimension.
  std::array<int64_t, kMaxRank> strides = {};  ///< In elements; may be negative.
  int64_t offset = 0;
  int32_t element_size = 1;  ///< Bytes: 1, 4 or 8.
};

/// Joins dimensions that lie one after the other in the input, too, and leaves out those of one
/// element. The copy is the same.
StridedCopy simplify(const StridedCopy& copy);

/// Output elements with an index of [begin, end) along dimension 0.
void strided_copy(const StridedCopy& copy, const std::byte* input, std::byte* output, int32_t begin,
                  int32_t end);

}  // namespace deeplab::kernels
