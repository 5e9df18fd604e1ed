// Which activations must have one scale and zero point, since the op between them moves or mixes
// stored values without rescaling them.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "quantize/parameters.h"

namespace deeplab::quantize {

/// The parameters that TensorFlow Lite's kernels expect on the int8 output: of SOFTMAX and
/// LOGISTIC, and of TANH.
std::optional<ActivationQuantization> given_parameters(const graph::Op& op);

/// For each tensor the lowest id of the tensors that must share its parameters, itself if it
/// stands alone: see graph::keeps_parameters(). Constants that such an op reads belong to the
/// group. Values of the group's other members lie between those of its sources: the graph's
/// inputs, constants, and what ops write that do not keep parameters. So only the sources' ranges
/// count. `graph` is validated; its types do not matter.
std::vector<graph::TensorId> shared_parameters(const graph::Graph& graph);

}  // namespace deeplab::quantize
