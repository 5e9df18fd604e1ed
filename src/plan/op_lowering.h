// Private to this folder: what the files in ops/ say of each op of graph/op_list.h, which is what
// computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "plan/lower.h"

namespace deeplab::plan {

using graph::DataType;
using graph::Tensor;

inline size_t index(int32_t i) { return static_cast<size_t>(i); }

template <typename T>
struct Bounds {
  T min, max;
};
/// The interval of an activation, in numbers that a float can be clamped to.
Bounds<float> activation_bounds(graph::Activation activation);
/// The same in stored values: TensorFlow Lite rounds bound / scale half away from zero.
Bounds<int32_t> quantized_bounds(graph::Activation activation, const Tensor& output);

/// Of a dense tensor of this shape, in elements.
graph::Shape dense_strides(const graph::Shape& shape);

/// One op that is lowered.
class OpLowering {
 public:
  OpLowering(const graph::Graph& graph, const graph::Op& op) : graph_(graph), op_(op) {}

  const graph::Op& op() const { return op_; }
  size_t inputs() const { return op_.inputs.size(); }
  const Tensor& in(size_t k) const { return graph_.tensor(op_.inputs[k]); }
  const Tensor& out() const { return graph_.tensor(op_.output()); }
  bool from_uint8() const { return in(0).file_type == DataType::kUInt8; }
  int32_t element_size() const { return static_cast<int32_t>(graph::size_of(out().type)); }
  /// `value` as the int8 output stores it.
  std::byte stored_byte(float value) const;

  /// All inputs and the output are of this type, and quantized if it is int8.
  bool all(DataType type) const;
  Status no_kernel() const;
  Status expect_all(DataType type) const { return all(type) ? Status() : no_kernel(); }
  /// Values are only moved: any type, input and output alike.
  Status expect_moved() const { return in(0).type == out().type ? Status() : no_kernel(); }

  Result<kernels::Multiplier> multiplier(double factor) const;
  Result<kernels::Dims> dims(const graph::Shape& shape) const;
  /// Of two operands. Dimensions that are repeated alike, or not at all, are joined with their
  /// neighbours.
  Result<kernels::BroadcastShape> broadcast() const;
  /// Of a window that slides over input 0.
  Result<kernels::WindowShape> window_shape(const graph::Window& window, int32_t filter_h,
                                            int32_t filter_w) const;
  /// The output, of this shape, is what lies at these strides in the input, from `offset` on.
  Result<Lowered> strided_copy(const graph::Shape& shape, const graph::Shape& strides,
                               int64_t offset) const;

  /// Zero point and clamp bounds of the int8 output.
  template <typename Params>
  void set_output(graph::Activation activation, Params& params) const {
    params.output_zero_point = out().quantization.zero_point();
    const auto [min, max] = quantized_bounds(activation, out());
    params.output_min = min;
    params.output_max = max;
  }

 private:
  const graph::Graph& graph_;
  const graph::Op& op_;
};

/// An op that no step knows by the type of its parameters.
inline Lowered reference(std::function<void(const ReferenceRun&)> run) {
  return Lowered(LoweredReference{std::move(run)});
}

// In ops/, for each op of the list: which kernel computes it, with which parameters.
#define DEEPLAB_LOWER(Name) Result<Lowered> lower(const OpLowering& from, const graph::Name& a);
DEEPLAB_OPS(DEEPLAB_LOWER)
#undef DEEPLAB_LOWER

// Beside them, for each alternative of Lowered: the call of its reference kernel.
#define DEEPLAB_RUN(Parameters) void run(const Parameters& op, const ReferenceRun& to);
DEEPLAB_LOWERED(DEEPLAB_RUN)
#undef DEEPLAB_RUN

}  // namespace deeplab::plan
