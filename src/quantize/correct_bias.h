// Rounding weights shifts the means of a convolution's results; its bias can undo that.
#pragma once

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/graph_runner.h"
#include "quantize/statistics.h"

namespace deeplab::quantize {

/// Activations whose channel means correct_biases() compares: the convolutions' inputs, and what
/// ADDs add to their results.
std::vector<graph::TensorId> mean_sources(const graph::Graph& graph);

/// Corrects the int32 biases of `quantized`, made of `float_graph` by quantize_graph(), so that
/// each convolution's result before its activation has, channel by channel, the mean over the
/// samples that it has in float: Nagel et al. (2019), section 4.2, with means measured instead of
/// derived. Being linear, a convolution's mean result follows from its inputs' means (windows
/// that reach over the border are taken as if they did not). Convolutions are corrected in
/// execution order, each with the inputs that those before it, corrected, give: an op runs once per
/// sample, and only what ops to come will read is kept in between.
///
/// A result that only an ADD reads, as at the end of a residual block, is corrected for the sum:
/// what an activation, a pool or the like put into the shortcut has a shift of its own, which no
/// other bias takes back. The paper corrects the block's result alone; then that shift stays, and
/// each block adds to it, since the block no longer works against it. Shortcuts that are sums of
/// corrected results, as in MobileNetV2, need nothing.
///
/// `means` has been collected from `float_graph` on the same samples, for mean_sources();
/// `input_shift` is that of the options. Convolutions without a bias stay as they are. Results
/// do not depend on `engine`.
Status correct_biases(graph::Graph& quantized, const graph::Graph& float_graph,
                      const Statistics& means, const Samples& samples, const Engine& engine,
                      float input_shift);

}  // namespace deeplab::quantize
