#include "passes/pipeline.h"

#include "passes/dequantize_filters.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_pad.h"
#include "passes/fold_space_to_batch.h"
#include "passes/fuse_activation.h"
#include "passes/remove_dead_ops.h"
#include "passes/remove_identity.h"
#include "passes/shift_uint8.h"
#include "passes/split_transpose_conv.h"

namespace deeplab::passes {

Status optimize(graph::Graph& graph, const OptimizeOptions& options) {
  // Types first: the other passes need not know of uint8.
  DEEPLAB_RETURN_IF_ERROR(shift_uint8(graph));
  // Before any batch norm is folded into a filter.
  if (options.dequantize_filters) DEEPLAB_RETURN_IF_ERROR(dequantize_filters(graph));
  if (options.split_transpose_convs) split_transpose_conv(graph);
  // Identities hide neighbours from the passes that look for pairs; an activation may stand
  // inside a SPACE_TO_BATCH sandwich or become visible after it; a PAD may be left in front of
  // one. Every pass only removes ops, so this ends, after two rounds for real models.
  for (size_t before = graph.ops.size() + 1; graph.ops.size() < before;) {
    before = graph.ops.size();
    if (options.remove_identities) remove_identity(graph);
    if (options.fuse_activations) fuse_activation(graph);
    if (options.fold_padding) {
      fold_space_to_batch(graph);
      fold_pad(graph);
    }
    // A batch norm that is left stands after a BATCH_TO_SPACE_ND.
    if (options.fold_batch_norms) fold_batch_norm(graph);
  }
  // Last: what the others leave without readers.
  remove_dead_ops(graph);
  return {};
}

}  // namespace deeplab::passes
