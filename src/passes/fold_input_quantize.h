// A model with a float input and int8 inside starts with QUANTIZE. The caller, who has bytes,
// can quantize through a table of 256 entries instead of making floats first.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace deeplab::passes {

struct InputQuantize {
  graph::TensorId float_input = graph::kNoTensor;      ///< The input that the file has.
  graph::TensorId quantized_input = graph::kNoTensor;  ///< The input that the graph has now.
};

/// If input 0 is float32 and its only reader is a QUANTIZE, makes the quantized tensor the
/// input instead; its own Quantization says how to fill it. Nothing if the graph does not
/// start so: the graph is then unchanged.
std::optional<InputQuantize> fold_input_quantize(graph::Graph& graph);

}  // namespace deeplab::passes
