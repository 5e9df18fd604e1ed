// Private to this folder: one op of a graph as the rules in ops/ see it, and what several of them
// ask for. The rules for types are those of TensorFlow Lite's kernels, so that a file that they run
// is a file that we run; if they trust a number that could overflow, there is a stated limit here.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::graph {

// Bounds that keep every position inside a padded picture within int32: an input extent is at
// most 2^30 (Limits::max_tensor_bytes), a dilated filter at most 2^15 * 2^12.
inline constexpr int32_t kMaxStride = 1 << 12;
inline constexpr int32_t kMaxDilation = 1 << 12;
inline constexpr int32_t kMaxFilter = 1 << 15;
inline constexpr int32_t kMaxPadding = 1 << 27;

/// "op 12 (CONV_2D): " and the rest, as an error.
template <typename... Parts>
Status op_error(const Op& op, const Parts&... parts) {
  return invalid_model(op_label(op), ": ", parts...);
}

inline bool is_eight_bit(const Tensor& tensor) {
  return tensor.type == DataType::kUInt8 || tensor.type == DataType::kInt8;
}

class OpView {
 public:
  OpView(const Graph& graph, const Op& op) : graph_(graph), op_(op) {}

  const Graph& graph() const { return graph_; }
  const Op& op() const { return op_; }
  size_t inputs() const { return op_.inputs.size(); }
  const Tensor& in(size_t k = 0) const { return graph_.tensor(op_.inputs[k]); }
  const Tensor& out() const { return graph_.tensor(op_.output()); }
  const Shape& shape(size_t k = 0) const { return in(k).shape; }

  template <typename... Parts>
  Status error(const Parts&... parts) const {
    return op_error(op_, parts...);
  }
  template <typename... Parts>
  Status not_supported(const Parts&... parts) const {
    return unsupported(op_label(op_), ": ", parts...);
  }

  // ---- For output_shape(): operands are in range, nothing else is known.

  Status expect_rank(const char* what, const Shape& shape, size_t rank) const;
  Status expect_axis(int32_t axis) const;
  /// As many as the input has dimensions.
  Status expect_entries(const char* what, size_t entries) const;
  Status expect_padding(int32_t before, int32_t after) const;
  Status expect_block(int32_t block_h, int32_t block_w) const;
  /// `shape` with another extent, if that is one.
  Result<Shape> with_dimension(Shape shape, size_t d, int64_t extent) const;
  /// Of a window that slides over input 0.
  Result<Shape> slide(const Window& window, int32_t filter_h, int32_t filter_w,
                      int32_t channels) const;

  // ---- For check_types(): shapes are right.

  /// float32 or 8 bits.
  Status computable(const Tensor& tensor, const char* what) const;
  Status expect_type(const Tensor& tensor, const char* what, DataType type) const;
  /// Input k is not a constant.
  Status expect_activation(size_t k) const;
  Status expect_constant(size_t k, const char* what) const;
  Status expect_per_tensor(const Tensor& tensor) const;
  Status expect_above_0(float scale) const;
  /// One input and an output of one type that can be computed with.
  Status same_type() const;
  /// The same, or labels, which may be moved, too: exporters put a RESHAPE after an ARG_MAX.
  Status same_type_or_labels() const;
  /// Two inputs and an output of one type; the second may be a constant.
  Status two_operands() const;
  /// The ratio of an input's scale to the output's is one that requantization takes.
  Status expect_rescale(const Tensor& input) const;
  Status expect_factor(double factor) const;
  /// A sum of so many 8-bit values fits an int32.
  Status expect_averaged(int64_t count) const;
  /// The parameters that TensorFlow Lite's kernel takes as given.
  Status expect_output(double scale, int32_t zero_point) const;
  Status expect_parameters_of(const Tensor& input) const;

 private:
  const Graph& graph_;
  const Op& op_;
};

/// Checks that `op` has as many operands as its type takes and that every id is in range;
/// only a convolution's bias may be kNoTensor.
Status check_operands(const Graph& graph, const Op& op);

/// Multiply-accumulates for one element of the output; 0 for ops that are not convolutions.
int64_t taps(const Graph& graph, const Op& op);

}  // namespace deeplab::graph
