// Private to this folder: what validate(), infer_shape() and resize_input() share.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::graph {

/// "op 12 (CONV_2D): " and the rest, as an error.
template <typename... Parts>
Status op_error(const Op& op, const Parts&... parts) {
  return invalid_model(op_label(op), ": ", parts...);
}

/// Checks that `op` has as many operands as its type takes and that every id is in range;
/// only a convolution's bias may be kNoTensor.
Status check_operands(const Graph& graph, const Op& op);

/// Checks the op's types and quantization parameters. Its shapes have been checked.
Status check_types(const Graph& graph, const Op& op);

/// Multiply-accumulates for one element of the output; 0 for ops that are not convolutions.
int64_t taps(const Graph& graph, const Op& op);

/// Several visitors as one, for std::visit.
template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace deeplab::graph
