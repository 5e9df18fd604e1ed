// What quantization costs, op by op.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/graph_runner.h"

namespace deeplab::quantize {

/// One op's result in both graphs, over all samples.
struct OpDrop {
  int32_t index = 0;  ///< Op::index in the quantized graph.
  std::string name;   ///< "CONV_2D"
  graph::TensorId tensor = graph::kNoTensor;
  graph::Shape shape;
  /// Signal to quantization noise, 10 * log10(sum of x^2 / sum of (x - x')^2), in decibels; x'
  /// includes the noise of all earlier ops. Infinity if the two are equal.
  double sqnr_db = 0;
};

/// Runs both graphs on all samples. Compares the tensors that both have, written by ops
/// which do more than move values (range_sources()). Results do not depend on `engine`.
Result<std::vector<OpDrop>> measure_drop(const graph::Graph& float_graph,
                                         const graph::Graph& quantized, const Samples& samples,
                                         const Engine& engine, float input_shift);

}  // namespace deeplab::quantize
