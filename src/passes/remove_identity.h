// Ops whose output is their input.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// True for an op whose output always equals its (first) input, byte for byte: a resize to the
/// same size, a TILE of ones, a RESHAPE to the same shape, a PAD of nothing, a QUANTIZE to the
/// same parameters, a CONCATENATION of one tensor.
bool is_identity(const graph::Graph& graph, const graph::Op& op);

/// Removes them. If the op writes an output of the graph, the op before it writes that output
/// instead; an identity from an input or a constant straight to an output stays.
void remove_identity(graph::Graph& graph);

}  // namespace deeplab::passes
