// The loops of MEAN, SUM and REDUCE_MAX.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/mean/mean.h"

namespace deeplab::kernels {

/// Dimensions picked out of a dense tensor.
struct StridedDims {
  int rank = 0;
  std::array<int32_t, kMaxRank> extent = {};
  std::array<int64_t, kMaxRank> stride = {};

  void push_front(int32_t e, int64_t s) {
    std::copy_backward(extent.begin(), extent.begin() + rank, extent.begin() + rank + 1);
    std::copy_backward(stride.begin(), stride.begin() + rank, stride.begin() + rank + 1);
    extent[0] = e;
    stride[0] = s;
    ++rank;
  }
  int64_t count() const {
    int64_t n = 1;
    for (size_t i = 0; i < static_cast<size_t>(rank); ++i) n *= extent[i];
    return n;
  }
  /// Where the `index`-th element in row-major order lies.
  int64_t offset(int64_t index) const {
    int64_t offset = 0;
    for (int i = rank - 1; i >= 0; --i) {
      const auto k = static_cast<size_t>(i);
      offset += index % extent[k] * stride[k];
      index /= extent[k];
    }
    return offset;
  }
};

/// Calls finish(output index, total) for every output; `total` starts as `start` and is given to
/// add(total, element) with the reduced elements in memory order. Neighbouring dimensions of a kind
/// are taken as one.
template <typename Total, typename Element, typename Add, typename Finish>
void for_each_reduced(const Reduction& shape, const Element* input, Total start, const Add& add,
                      const Finish& finish) {
  StridedDims kept;
  StridedDims reduced;
  int64_t stride = 1;
  for (int i = shape.dims.rank - 1; i >= 0; --i) {
    const auto k = static_cast<size_t>(i);
    StridedDims& group = shape.reduced[k] ? reduced : kept;
    const bool joins = i + 1 < shape.dims.rank && shape.reduced[k] == shape.reduced[k + 1];
    if (joins) {
      group.extent[0] *= shape.dims.extent[k];
    } else {
      group.push_front(shape.dims.extent[k], stride);
    }
    stride *= shape.dims.extent[k];
  }
  const int64_t outputs = kept.count();
  const int64_t terms = reduced.count();
  for (int64_t o = 0; o < outputs; ++o) {
    const Element* base = input + kept.offset(o);
    Total total = start;
    for (int64_t t = 0; t < terms; ++t) add(total, base[reduced.offset(t)]);
    finish(o, total);
  }
}

}  // namespace deeplab::kernels
