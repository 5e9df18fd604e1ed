// Two networks that have seen the same photo, op by op.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/deeplab/common/file_network.h"

namespace deeplab::app {

/// One op's result in both networks.
struct OpDifference {
  int32_t index = 0;  ///< Op::index in the first file.
  std::string name;   ///< "CONV_2D"
  graph::Shape shape;
  /// Both networks hold the tensor. The fields below mean nothing otherwise.
  bool compared = false;
  int64_t elements = 0;
  int64_t equal = 0;  ///< Less than half a step apart; in float, the same number.
  double max_difference = 0;
  /// max_difference in quantization steps (LSB): of the coarser of the two if they differ, of
  /// the quantized one if the other is float. Nothing if both are float.
  std::optional<double> max_steps;

  bool differs() const { return compared && equal < elements; }
  double equal_share() const {
    return elements > 0 ? static_cast<double>(equal) / static_cast<double>(elements) : 1.0;
  }
};

/// "op 12 (CONV_2D)": how every message names an op.
std::string op_label(const OpDifference& difference);

/// Why the ops of the two cannot be put side by side, in half a sentence; nothing if every op
/// has its counterpart of the same type and output shape. Data types and weights may differ:
/// values are compared as real numbers.
std::optional<std::string> op_mismatch(const graph::Graph& a, const graph::Graph& b);

/// All ops in execution order, of two networks without op_mismatch() after their run().
std::vector<OpDifference> compare_ops(FileNetwork& a, FileNetwork& b);

/// The same, but each op of `b` runs once more on what `a` has for its inputs, so that only its
/// own difference shows, without those of earlier ops. Leaves a mixture in the tensors of
/// `b`. Error: tensors that the two store differently, by type or quantization.
Result<std::vector<OpDifference>> compare_ops_on_same_inputs(FileNetwork& a, FileNetwork& b);

/// The first that differs(), or null.
const OpDifference* first_difference(const std::vector<OpDifference>& ops);

}  // namespace deeplab::app
