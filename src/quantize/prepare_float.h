// A float graph in the form that calibration and quantization expect.
#pragma once

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::quantize {

/// Removes identities, fuses RELU and RELU6 into the ops before them, gives every convolution
/// filter and bias constants of its own and, where it has none, a bias of zeros. Results stay the
/// same to the bit and tensor ids keep their meaning. Error: not a float graph (check_float()).
Status prepare_float_graph(graph::Graph& graph);

}  // namespace deeplab::quantize
