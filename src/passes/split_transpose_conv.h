// TRANSPOSE_CONV as ops that have fast kernels.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// Makes each TRANSPOSE_CONV of one stride s for both sides a CONV_2D and a DEPTH_TO_SPACE, and a
/// STRIDED_SLICE if the result has to be cropped. An output row y + pad = q * s + p is made of the
/// input rows q, q - 1, ... with the filter's taps p, p + s, ..., so the convolution has a group of
/// output channels for each of the s * s places p. In 8 bits every output value keeps its sum and
/// its multiplier; in float the order of a sum changes. Taps that do not exist become weights of
/// real zero.
void split_transpose_conv(graph::Graph& graph);

}  // namespace deeplab::passes
