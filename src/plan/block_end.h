// What the two steps of an inverted residual block share: its end, the projection and the ADD.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "kernels/clamp.h"
#include "plan/arena.h"
#include "plan/bound_convolution.h"
#include "plan/make_fused_step.h"

namespace deeplab::plan {

/// Where row 0 would be of a buffer that begins with row `first`. Not a place to be read from.
template <typename T>
T* row_zero(T* buffer, int32_t first, int64_t row_elements) {
  const auto bytes = static_cast<uintptr_t>(first * row_elements) * sizeof(T);
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(buffer) - bytes);
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
  using Conv = LoweredConv2DInt8;
  using Depthwise = LoweredDepthwiseConv2DInt8;
  using Add = kernels::AddInt8;
  using Residual = ResidualInt8;
  static Residual residual(const Add& op, Isa isa) {
    return {op, kernels::best_for(isa, kernels::add_elementwise_kernels())};
  }
};
struct FloatTypes {
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

/// The projection of some rows, and the ADD.
template <typename Types>
class BlockEnd {
 public:
  using Conv = BoundConvolution<typename Types::Conv>;
  using Residual = typename Types::Residual;
  using Element = typename Conv::Element;

  BlockEnd(std::unique_ptr<Conv> project, std::optional<Residual> residual, BlockPlaces places)
      : project_(std::move(project)), residual_(std::move(residual)), places_(places) {
    row_ = int64_t{project_->shape().out_w} * project_->shape().out_c;
  }

  const BlockPlaces& places() const { return places_; }
  std::string name() const { return str_cat(project_->name(), residual_ ? " + add" : ""); }
  size_t packed_bytes() const { return project_->packed_bytes(); }
  size_t kernel_scratch_bytes() const { return project_->scratch_bytes(); }
  /// Of what run() needs for so many rows.
  size_t narrow_bytes(int32_t rows) const {
    return residual_ ? aligned(static_cast<size_t>(rows * row_) * sizeof(Element)) : 0;
  }

  /// `deep_zero`: where row 0 would be of the projection's input.
  void run(const RunContext& context, const Element* deep_zero, int32_t begin, int32_t end,
           std::byte* kernel_scratch, std::byte* narrow_buffer) const {
    auto* output = reinterpret_cast<Element*>(places_.output.write(context));
    if (!residual_) {
      project_->run(deep_zero, output, begin, end, kernel_scratch);
      return;
    }
    const auto* other = reinterpret_cast<const Element*>(places_.other.read(context));
    auto* narrow = reinterpret_cast<Element*>(narrow_buffer);
    project_->run(deep_zero, row_zero(narrow, begin, row_), begin, end, kernel_scratch);
    const int64_t at = begin * row_;
    const Element* a = places_.other_first ? other + at : narrow;
    const Element* b = places_.other_first ? narrow : other + at;
    residual_->run((end - begin) * row_, a, b, output + at);
  }

 private:
  std::unique_ptr<const Conv> project_;
  std::optional<Residual> residual_;
  BlockPlaces places_;
  int64_t row_ = 0;  ///< Elements of an output row.
};

template <typename LoweredConv>
Result<std::unique_ptr<BoundConvolution<LoweredConv>>> bind(FusedOp& op, Isa isa) {
  auto* lowered = std::get_if<LoweredConv>(&op.lowered);
  if (lowered == nullptr) return std::unique_ptr<BoundConvolution<LoweredConv>>();
  const TensorPlace bias = op.inputs.size() > 2 ? op.inputs[2] : TensorPlace{};
  return BoundConvolution<LoweredConv>::bind(*lowered, op.inputs[1], bias, isa);
}

/// The end of the block whose depthwise convolution is ops[at], and the block's places. Nothing
/// where no kernel or no step does it.
template <typename Types>
Result<std::optional<BlockEnd<Types>>> make_block_end(std::span<FusedOp> ops, size_t at, Isa isa) {
  FusedOp& last = ops.back();
  BlockPlaces places;
  places.input = ops.front().inputs[0];
  places.output = last.output;
  std::optional<typename Types::Residual> residual;
  if (ops.size() == at + 3) {
    const auto* add = std::get_if<typename Types::Add>(&last.lowered);
    if (add == nullptr || !add->shape.elementwise()) return std::optional<BlockEnd<Types>>();
    residual = Types::residual(*add, isa);
    places.other_first = last.inputs[0].exists();
    places.other = places.other_first ? last.inputs[0] : last.inputs[1];
  }
  DEEPLAB_ASSIGN_OR_RETURN(auto project, bind<typename Types::Conv>(ops[at + 1], isa));
  if (!project) return std::optional<BlockEnd<Types>>();
  return std::optional<BlockEnd<Types>>(std::in_place, std::move(project), std::move(residual),
                                        places);
}

}  // namespace deeplab::plan
