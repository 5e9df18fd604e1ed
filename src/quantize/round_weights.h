// Which of the two neighbours a weight is rounded to, chosen by what it does to the results.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/graph_runner.h"

namespace deeplab::quantize {

struct RoundWeightsOptions {
  /// A mean that moves is no error, since correct_biases() takes it back.
  bool ignore_means = true;
  /// Pixels looked at, over all samples, spread evenly. 512 channels have 131 k products of two.
  size_t pixels = 16384;
  /// Added to each channel's variance, as a share of the mean variance: what is not known of photos
  /// that were not seen. As in the second reference below.
  double damping = 0.01;
};

/// Rounds the filters of the 1x1 convolutions (CONV_2D) of `quantized`, made of `float_graph` by
/// quantize_graph(), anew. To nearest is best for each weight by itself; but the channels that a
/// convolution reads go together, so that the errors of its weights add up. With H the covariance
/// of the channels over the samples (or the mean of their products), w a row of the filter and s
/// its scale, q is sought that makes
///
///     (w - s q)^T H (w - s q)
///
/// small: weights are rounded one after the other, each after what the errors of those before it
/// ask of it (Babai's nearest plane, with H = R^T R by Cholesky; Frantar et al., "GPTQ", 2023,
/// which is the same in another order: Chen et al., "The Geometry of LLM Quantization", 2025).
/// Channels of large variance come first. Scales stay; stored weights stay in -127..127. Filters
/// that read the picture itself, depthwise ones and larger ones stay as they are.
///
/// Float samples, sums in double in one order: results do not depend on `engine`. Returns how many
/// weights changed.
Result<int64_t> round_weights(graph::Graph& quantized, const graph::Graph& float_graph,
                              const Samples& samples, const Engine& engine,
                              const RoundWeightsOptions& options);

}  // namespace deeplab::quantize
