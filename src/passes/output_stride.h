// A network with dilated convolutions, on a coarser grid.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::passes {

/// Pixels per cell where the network is coarsest: the largest product of strides of its
/// convolutions. 8 and 16 are usual.
int32_t output_stride(const graph::Graph& graph);

/// The same weights at a larger output stride: dilations become strides again. `stride` is that of
/// the graph times a power of two; for each doubling
///
///     conv k x k -> ... -> conv dilated by 2d  =>  conv k x k of stride 2 -> ... -> conv dilated
///     by d
///
/// The stride goes to the last convolution with a window before the first dilated one, which is
/// where a network made for the larger stride has it, and every dilation after it is halved. So
/// the features at the larger stride are every second row and column of those at the smaller one,
/// to the bit; only what looks at the whole picture (a pooled branch) sees other values. Pooling
/// over the picture, sizes of resizes, tiles, reshapes and padding in front of convolutions follow,
/// and SPACE_TO_BATCH_ND around convolutions becomes their dilation first (fold_space_to_batch()).
/// Tensor ids keep their meaning.
///
/// Errors (kUnsupported; the graph is unchanged then): another stride than those, with the one that
/// the graph has; an op that reads neighbours which are no longer there, by its name; a padding
/// that cannot be halved. What graph::validate() says of the result and `limits`. `graph` is
/// validated.
Status set_output_stride(graph::Graph& graph, int32_t stride, const graph::Limits& limits = {});

}  // namespace deeplab::passes
