// PAD in front of a convolution, as the convolution's own padding.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// If a convolution alone reads the result of a PAD that pads height and width only, adds the
/// amounts to the convolution's padding. Exact: both fill with real zero.
void fold_pad(graph::Graph& graph);

}  // namespace deeplab::passes
