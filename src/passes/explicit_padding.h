// Convolutions, dense and depthwise, as the padding passes see them.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace deeplab::passes {

/// The window of a CONV_2D or DEPTHWISE_CONV_2D, or null.
graph::Window* convolution_window(graph::Op& op);

/// The same window with its padding in numbers, for the input that the op has now.
std::optional<graph::Window> with_explicit_padding(const graph::Graph& graph, const graph::Op& op,
                                                   const graph::Window& window);

/// If the convolution's padding is in numbers that are SAME's or VALID's at this input: gives it
/// that name; a file has no others. Gives whether it has one now.
bool name_padding(const graph::Graph& graph, graph::Op& op);

}  // namespace deeplab::passes
