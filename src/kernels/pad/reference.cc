#include <algorithm>
#include <cstring>

#include "kernels/pad/pad.h"

namespace deeplab::kernels {
namespace {

/// Bytes of the output under one index of dimension `dim`.
size_t slice_bytes(const Pad& pad, int dim) {
  auto bytes = static_cast<size_t>(pad.element_size);
  for (int i = dim + 1; i < pad.dims.rank; ++i) {
    const auto k = static_cast<size_t>(i);
    bytes *= static_cast<size_t>(int64_t{pad.dims.extent[k]} + pad.before[k] + pad.after[k]);
  }
  return bytes;
}

void fill(const Pad& pad, std::byte* output, size_t bytes) {
  const auto element = static_cast<size_t>(pad.element_size);
  const bool one_byte = std::all_of(pad.fill.begin(), pad.fill.begin() + pad.element_size,
                                    [&](std::byte value) { return value == pad.fill[0]; });
  if (one_byte) {
    std::memset(output, std::to_integer<int>(pad.fill[0]), bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i += element) std::memcpy(output + i, pad.fill.data(), element);
}

/// As in tile: moves `input` past what it read and returns the end of what it wrote.
std::byte* pad_from(const Pad& pad, int dim, const std::byte*& input, std::byte* output) {
  if (dim == pad.dims.rank) {
    const auto element_size = static_cast<size_t>(pad.element_size);
    std::memcpy(output, input, element_size);
    input += element_size;
    return output + element_size;
  }
  const auto d = static_cast<size_t>(dim);
  const size_t slice = slice_bytes(pad, dim);
  const size_t before = slice * static_cast<size_t>(pad.before[d]);
  const size_t after = slice * static_cast<size_t>(pad.after[d]);
  fill(pad, output, before);
  output += before;
  for (int32_t i = 0; i < pad.dims.extent[d]; ++i) {
    output = pad_from(pad, dim + 1, input, output);
  }
  fill(pad, output, after);
  return output + after;
}

}  // namespace

void pad_reference(const Pad& pad, const std::byte* input, std::byte* output) {
  pad_from(pad, 0, input, output);
}

}  // namespace deeplab::kernels
