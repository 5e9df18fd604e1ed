// What stored 8-bit constants stand for.
#pragma once

#include <cstddef>
#include <span>

#include "graph/graph.h"

namespace deeplab::graph {

/// Writes scale * (stored - zero point) of every element, a difference in int32 and one float32
/// product, as TensorFlow Lite has it. `stored` holds the int8 or uint8 elements of a tensor of
/// this shape. If `q` has several scales, they are as many as `shape` has along q.axis.
void dequantize(std::span<const std::byte> stored, DataType type, const Shape& shape,
                const Quantization& q, float* to);

/// Whether `op` is a convolution of float32 with an int8 filter: as TensorFlow Lite's dynamic
/// range quantization makes it; its kernels call it hybrid.
bool is_hybrid(const Graph& graph, const Op& op);

}  // namespace deeplab::graph
