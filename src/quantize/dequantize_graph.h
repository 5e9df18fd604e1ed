// int8 or uint8 graph in, float graph out: the other way round than quantize_graph.h.
#pragma once

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::quantize {

/// The float32 graph with the values that a quantized one's weights stand for. QUANTIZE and
/// DEQUANTIZE disappear. Tensor ids keep their meaning. Float graphs come back unchanged.
Result<graph::Graph> dequantize_graph(const graph::Graph& graph);

}  // namespace deeplab::quantize
