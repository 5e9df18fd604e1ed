#include <cstring>

#include "kernels/strided_copy/strided_copy.h"

namespace deeplab::kernels {
namespace {

template <typename Element>
void copy_elements(const Element* input, int64_t stride, int64_t count, Element* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = input[i * stride];
}

/// The innermost dimension.
void copy_run(const StridedCopy& copy, const std::byte* input, std::byte* output) {
  const auto last = static_cast<size_t>(copy.dims.rank - 1);
  const int64_t count = copy.dims.extent[last];
  const int64_t stride = copy.strides[last];
  if (stride == 1) {
    std::memcpy(output, input, static_cast<size_t>(count) * static_cast<size_t>(copy.element_size));
    return;
  }
  const auto as = [&]<typename Element>(Element* out) {
    copy_elements(reinterpret_cast<const Element*>(input), stride, count, out);
  };
  if (copy.element_size == 1) {
    as(reinterpret_cast<int8_t*>(output));
  } else if (copy.element_size == 4) {
    as(reinterpret_cast<int32_t*>(output));
  } else {
    as(reinterpret_cast<int64_t*>(output));
  }
}

}  // namespace

StridedCopy simplify(const StridedCopy& copy) {
  StridedCopy simple = copy;
  simple.dims.rank = 0;
  for (int d = 0; d < copy.dims.rank; ++d) {
    const int32_t extent = copy.dims.extent[static_cast<size_t>(d)];
    const int64_t stride = copy.strides[static_cast<size_t>(d)];
    if (extent == 1) continue;
    const auto last = static_cast<size_t>(simple.dims.rank);
    if (last > 0 && simple.strides[last - 1] == stride * extent) {
      simple.dims.extent[last - 1] *= extent;  // All elements: within 2^30.
      simple.strides[last - 1] = stride;
      continue;
    }
    simple.dims.extent[last] = extent;
    simple.strides[last] = stride;
    ++simple.dims.rank;
  }
  if (simple.dims.rank == 0) {
    simple.dims.rank = 1;
    simple.dims.extent[0] = 1;
    simple.strides[0] = 1;
  }
  return simple;
}

void strided_copy(const StridedCopy& copy, const std::byte* input, std::byte* output, int32_t begin,
                  int32_t end) {
  const int64_t size = copy.element_size;
  const int inner = copy.dims.rank - 1;
  if (inner == 0) {  // A part of the one run.
    StridedCopy part = copy;
    part.dims.extent[0] = end - begin;
    copy_run(part, input + (copy.offset + begin * copy.strides[0]) * size, output + begin * size);
    return;
  }
  const int64_t run = copy.dims.extent[static_cast<size_t>(inner)];
  int64_t slice = run;
  for (int d = 1; d < inner; ++d) slice *= copy.dims.extent[static_cast<size_t>(d)];
  std::array<int32_t, kMaxRank> index = {};
  index[0] = begin;
  int64_t from = copy.offset + begin * copy.strides[0];
  for (int64_t to = begin * slice; to < end * slice; to += run) {
    copy_run(copy, input + from * size, output + to * size);
    for (auto d = static_cast<size_t>(inner); d-- > 0;) {
      from += copy.strides[d];
      if (d == 0 || ++index[d] < copy.dims.extent[d]) break;
      from -= copy.strides[d] * index[d];
      index[d] = 0;
    }
  }
}

}  // namespace deeplab::kernels
