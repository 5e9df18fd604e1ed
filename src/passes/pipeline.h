// The passes that every model goes through before it is planned, in their order.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// Each switch exists so that a difference can be traced to one pass.
struct OptimizeOptions {
  bool dequantize_filters = true;     ///< dequantize_filters.
  bool split_transpose_convs = true;  ///< split_transpose_conv.
  bool fold_padding = true;           ///< fold_space_to_batch, fold_pad.
  bool remove_identities = true;      ///< remove_identity.
  bool fuse_activations = true;       ///< fuse_activation.
  bool fold_batch_norms = true;       ///< fold_batch_norm.
};

/// Rewrites a validated graph into a smaller one with the same bytes in every tensor that is
/// left, under the engine's rounding as under TFLite's; only fold_batch_norm and
/// split_transpose_conv move a rounding, in float32 alone, and dequantize_filters keeps the
/// engine's bytes only. Tensor ids and Op::index keep their meaning; tensors that no op writes any
/// more just stay unreferenced. uint8 graphs become int8 graphs (see shift_uint8.h). The cuts at
/// the ends (label_head.h, fold_input_quantize.h) are the caller's to choose and come after.
Status optimize(graph::Graph& graph, const OptimizeOptions& options = {});

}  // namespace deeplab::passes
