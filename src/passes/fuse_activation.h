// RELU and RELU6 as ops of their own, moved into the op before.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// If a RELU or RELU6 alone reads the result of a convolution or an ADD, and has the same
/// quantization on both sides, makes it that op's fused activation. Exact: the clamp comes last
/// in both forms.
void fuse_activation(graph::Graph& graph);

}  // namespace deeplab::passes
