// Float networks whose converter left a batch norm, or a part of it, after the convolution.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

///   CONV_2D | DEPTHWISE_CONV_2D -> MUL | ADD | SUB by a constant per channel  =>  the convolution
///
/// The constant goes into the filter and the bias, the activation of the MUL, ADD or SUB becomes
/// the convolution's. float32 only, and only if no other op reads the tensor between them and the
/// convolution has no activation of its own. The one pass that changes results: sums are rounded
/// elsewhere, so each value may differ in its last bits (docs/numerics.md).
void fold_batch_norm(graph::Graph& graph);

}  // namespace deeplab::passes
