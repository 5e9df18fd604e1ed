#include <cstring>

#include "kernels/mirror_pad/mirror_pad.h"

namespace deeplab::kernels {
namespace {

/// Writes one index of the dimensions above `dim` and returns the end of what it wrote.
std::byte* mirror_from(const MirrorPad& pad, int dim, const std::byte* input, std::byte* output) {
  const auto size = static_cast<size_t>(pad.element_size);
  if (dim == pad.dims.rank) {
    std::memcpy(output, input, size);
    return output + size;
  }
  const auto d = static_cast<size_t>(dim);
  size_t slice = size;
  for (int i = dim + 1; i < pad.dims.rank; ++i) {
    slice *= static_cast<size_t>(pad.dims.extent[static_cast<size_t>(i)]);
  }
  const int32_t extent = pad.dims.extent[d];
  const int32_t skip = pad.symmetric ? 0 : 1;
  for (int32_t i = -pad.before[d]; i < extent + pad.after[d]; ++i) {
    int32_t from = i;
    if (i < 0) from = -i - 1 + skip;
    if (i >= extent) from = 2 * extent - 1 - i - skip;
    output = mirror_from(pad, dim + 1, input + slice * static_cast<size_t>(from), output);
  }
  return output;
}

}  // namespace

void mirror_pad_reference(const MirrorPad& pad, const std::byte* input, std::byte* output) {
  mirror_from(pad, 0, input, output);
}

}  // namespace deeplab::kernels
