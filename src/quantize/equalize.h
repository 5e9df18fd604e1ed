// Cross-layer equalization: channels that use little of a tensor's range are scaled up, and what
// reads them is scaled down, so that one scale per tensor fits all its channels better.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "quantize/parameters.h"
#include "quantize/statistics.h"

namespace deeplab::quantize {

struct EqualizeOptions {
  Granularity granularity = Granularity::kPerChannel;
  /// How far, by factor, unseen photos may go beyond what calibration saw before a channel that
  /// was scaled up meets the clamp of its RELU6.
  float headroom = 1.25f;
  int rounds = 2;  ///< Each pair's best factors depend on its neighbours'.
};

/// Works on pairs: a convolution whose output only one other convolution reads, through nothing
/// but resizes, average pools and concatenations of channels. For channel i between the two and
/// a factor s > 0, row i of the first filter and of its bias is divided by s, and what the
/// second one multiplies with channel i is multiplied by s: Nagel, van Baalen, Blankevoort,
/// Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019),
/// section 4.1. Their factors balance the two filters' ranges; here they are
///
///     per tensor    s = sqrt(range of row i / range of column i), theirs
///     per channel   s = sqrt(reach of channel i / range of column i): rows have scales of their
///                   own, so that what is left to balance is the tensor between
///     per channel, second one depthwise   s = reach of channel i / reach of the tensor: a
///                   depthwise filter's columns are its rows, and so have their own scales, too
///
/// where the reach is the largest magnitude that calibration saw. The paper replaces RELU6, which
/// does not commute with scaling, by RELU and takes a drop for it; here RELU6 stays, and
/// - a channel that reached 6 keeps its scale (s = 1);
/// - no other is scaled beyond 6 / headroom.
///
/// A tensor that several ops read, or that is a sum, as along the shortcuts of MobileNetV2, belongs
/// to a stream: all tensors that ADD, average pools and resizes tie together. Its channels are
/// scaled alike in all of it; every convolution that writes into it has its rows divided, every
/// one that reads it its columns multiplied, by
///
///     s = sqrt(reach of channel i / range of column i), each relative to the largest of its
///         tensor or filter and the largest such of the stream (per tensor: row i in reach's place)
///
/// So the float graph's results on the calibration photos change by rounding only. On others a
/// channel may now be clamped earlier or later than at 6, but not below `headroom` times what
/// calibration saw. High biases are not absorbed: with real ranges from calibration there is
/// nothing to gain from that.
///
/// `graph` is prepared (prepare_float_graph()); `statistics` holds its convolutions' outputs.
/// Returns how many channels were scaled.
int64_t equalize(graph::Graph& graph, const Statistics& statistics, const EqualizeOptions& options);

/// Largest over smallest (of those above 0) of the output channels' ranges in the filter of the
/// convolution at `op`: the spread that one scale per tensor must cover. 1 for other ops.
double weight_spread(const graph::Graph& graph, const graph::Op& op);

}  // namespace deeplab::quantize
