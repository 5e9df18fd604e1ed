// Private to this folder: the two ends of the quantized graph.
#pragma once

#include <optional>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/quantize_graph.h"

namespace deeplab::quantize {

/// Cuts an ARG_MAX off the end, or adds one, on the float graph.
Status set_output(graph::Graph& graph, Output output);

/// The int8 parameters of the input, by options.pixels and the rule; nothing without pixels.
std::optional<ActivationQuantization> pixel_quantization(const QuantizeOptions& options);

/// Puts the border's types around a graph that is int8 from end to end (except for labels).
void add_borders(graph::Graph& graph, Border border);

}  // namespace deeplab::quantize
