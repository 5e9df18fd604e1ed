// A float graph in the form that calibration and quantization expect.
#pragma once

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::quantize {

/// Removes identities, fuses RELU and RELU6 into the ops before them, makes one dilated convolution
/// of SPACE_TO_BATCH_ND, convolution and BATCH_TO_SPACE_ND if its padding is SAME or VALID,
/// folds batch norms into the convolutions before them (so that in 8 bits neither they nor what
/// lies between take a rounding), makes a CONV_2D and a DEPTH_TO_SPACE of each TRANSPOSE_CONV that
/// allows it, gives every convolution filter and bias constants of its own and, if it has none, a
/// bias of zeros. Tensor ids keep their meaning. Only batch norms and TRANSPOSE_CONV move a
/// rounding (passes/fold_batch_norm.h, split_transpose_conv.h); without them, results stay the same
/// to the bit. Error: not a float graph (check_float()).
Status prepare_float_graph(graph::Graph& graph);

}  // namespace deeplab::quantize
