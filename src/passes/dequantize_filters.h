// Networks of dynamic range (int8 filters, float activations), as float networks.
#pragma once

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::passes {

///   a convolution of float32 with an int8 filter  =>  the same with a float32 filter
///
/// The filter's values, scale * stored, become a new constant at the end of graph.tensors: one
/// for each filter, however many convolutions share it. The convolution is then a float one like
/// any other: batch norms fold into it, and it has vector kernels. The same bytes under the
/// engine's rounding; under TensorFlow Lite's the op quantizes its input, and no longer does.
/// Error (kResourceExhausted): together the filters have more than Limits::max_weights weights.
Status dequantize_filters(graph::Graph& graph);

}  // namespace deeplab::passes
