// NumPy's .npy, format 1.0: one tensor per file, so that any Python can read it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace deeplab::app {

/// The file: magic, version, a header that says type, order and shape, padded so that the data
/// start at a multiple of 64, then `elements` (C order, little-endian) as they are. `elements`
/// holds exactly the bytes that `type` and `shape` ask for.
/// Source: numpy.lib.format, "Format Version 1.0".
std::vector<std::byte> encode_npy(graph::DataType type, const graph::Shape& shape,
                                  std::span<const std::byte> elements);

}  // namespace deeplab::app
