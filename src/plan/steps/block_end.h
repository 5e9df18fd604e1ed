// What the two steps of an inverted residual block share: its places, and the ADD at its end.
#pragma once

#include <optional>
#include <span>
#include <utility>

#include "kernels/clamp.h"
#include "plan/arena.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {

/// Where row 0 would be of a buffer that begins with row `first`. Not a place to be read from.
template <typename T>
T* row_zero(T* buffer, int32_t first, int64_t row_elements) {
  const auto bytes = static_cast<uintptr_t>(first * row_elements) * sizeof(T);
  // No pointer may leave its buffer, a number may.
  const uintptr_t zero = reinterpret_cast<uintptr_t>(buffer) - bytes;
  return reinterpret_cast<T*>(zero);  // NOLINT(performance-no-int-to-ptr)
}

/// The elementwise end of a block.
struct ResidualInt8 {
  kernels::AddInt8 op;
  kernels::AddElementwise* kernel;
  void run(int64_t count, const int8_t* a, const int8_t* b, int8_t* output) const {
    kernel(op, count, a, b, output);
  }
};
struct ResidualFloat {
  kernels::AddFloat op;
  void run(int64_t count, const float* a, const float* b, float* output) const {
    for (int64_t i = 0; i < count; ++i) {
      output[i] = kernels::clamp_float(a[i] + b[i], op.output_min, op.output_max);
    }
  }
};

struct Int8Types {
  using Element = int8_t;
  using Conv = LoweredConv2DInt8;
  using Depthwise = LoweredDepthwiseConv2DInt8;
  using Add = kernels::AddInt8;
  using Residual = ResidualInt8;
  static Residual residual(const Add& op, Isa isa) {
    return {op, kernels::best_for(isa, kernels::add_elementwise_kernels())};
  }
};
struct FloatTypes {
  using Element = float;
  using Conv = kernels::Conv2DFloat;
  using Depthwise = kernels::DepthwiseConv2DFloat;
  using Add = kernels::AddFloat;
  using Residual = ResidualFloat;
  static Residual residual(const Add& op, Isa /*isa*/) { return {op}; }
};

/// The places that a block reads and writes.
struct BlockPlaces {
  TensorPlace input;
  TensorPlace other;  ///< Of the ADD.
  bool other_first = false;
  TensorPlace output;
};

/// The output of a block: rows of the projection, to which the ADD, if there is one, adds the
/// other tensor.
template <typename Types>
class BlockEnd {
 public:
  using Element = typename Types::Element;
  using Residual = typename Types::Residual;

  BlockEnd(std::optional<Residual> residual, BlockPlaces places, int64_t row_elements)
      : residual_(std::move(residual)), places_(std::move(places)), row_(row_elements) {}

  const BlockPlaces& places() const { return places_; }
  const char* name() const { return residual_ ? " + add" : ""; }
  /// Bytes of the buffer that so many rows need.
  size_t narrow_bytes(int32_t rows) const {
    return residual_ ? aligned(static_cast<size_t>(rows * row_) * sizeof(Element)) : 0;
  }

  /// Where the projection has to put row `begin` and those after it.
  Element* projected(const RunContext& context, int32_t begin, std::byte* narrow) const {
    if (residual_) return reinterpret_cast<Element*>(narrow);
    return reinterpret_cast<Element*>(places_.output.write(context)) + begin * row_;
  }
  /// Makes output rows [begin, end) of them.
  void finish(const RunContext& context, int32_t begin, int32_t end,
              const std::byte* narrow_buffer) const {
    if (!residual_) return;
    const int64_t at = begin * row_;
    const auto* narrow = reinterpret_cast<const Element*>(narrow_buffer);
    const auto* other = reinterpret_cast<const Element*>(places_.other.read(context)) + at;
    residual_->run((end - begin) * row_, places_.other_first ? other : narrow,
                   places_.other_first ? narrow : other,
                   reinterpret_cast<Element*>(places_.output.write(context)) + at);
  }

 private:
  std::optional<Residual> residual_;
  BlockPlaces places_;
  int64_t row_;  ///< Elements of an output row.
};

/// The end of the block whose projection is ops[at] and has this shape. Nothing if no step does
/// it.
template <typename Types>
std::optional<BlockEnd<Types>> make_block_end(std::span<const LoweredOp> ops, size_t at,
                                              const kernels::WindowShape& project, Isa isa) {
  const LoweredOp& last = ops.back();
  BlockPlaces places;
  places.input = ops.front().inputs[0];
  places.output = last.output;
  std::optional<typename Types::Residual> residual;
  if (ops.size() == at + 2) {
    const auto* add = std::get_if<typename Types::Add>(&last.lowered);
    if (add == nullptr || !add->shape.elementwise()) return std::nullopt;
    residual = Types::residual(*add, isa);
    places.other_first = last.inputs[0].exists();
    places.other = places.other_first ? last.inputs[0] : last.inputs[1];
  }
  return BlockEnd<Types>(std::move(residual), std::move(places),
                         int64_t{project.out_w} * project.out_c);
}

}  // namespace deeplab::plan
