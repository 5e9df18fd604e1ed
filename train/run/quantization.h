// Quantization-aware training: the ranges of the activations, and the network that rounds to them.
#pragma once

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/statistics.h"
#include "train/network/graph_network.h"
#include "train/run/options.h"

namespace deeplab::train {

/// Ranges measured on options.quantize_photos photos of the training data.
Result<quantize::ActivationRanges> measure_ranges(const GraphNetwork& network,
                                                  const TrainOptions& options, int threads);

/// The int8 network: float32 in, scores out.
Result<graph::Graph> quantize_to_int8(const graph::Graph& float_graph,
                                      const quantize::ActivationRanges& ranges);

/// From now on `network` rounds as the int8 network of these ranges does. `float_graph` is its own
/// export.
Status simulate_int8(GraphNetwork& network, const graph::Graph& float_graph,
                     const quantize::ActivationRanges& ranges);

}  // namespace deeplab::train
