// Ops whose reference kernel can be given any slice of its work: elementwise ones, and those
// that handle each pixel by itself. The slices are split between the workers.
#include <algorithm>
#include <type_traits>

#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

/// An op as `units` independent pieces of equal size; `slice` has the op's kernel do some of them.
struct Slicing {
  int64_t units = 0;  ///< 0: the op cannot be sliced.
  int64_t input_bytes = 0;
  int64_t output_bytes = 0;
};

/// About as much work as is worth handing to another thread: tens of microseconds.
constexpr int64_t kElementsPerSlice = 16384;
/// So that no slice starts inside a cache line that another worker writes.
constexpr int64_t kUnitsAlignment = 64;

Slicing slicing(const kernels::QuantizeFloat& op) { return {op.count, 4, 1}; }
Slicing slicing(const kernels::DequantizeInt8& op) { return {op.count, 1, 4}; }
Slicing slicing(const kernels::ReluFloat& op) { return {op.count, 4, 4}; }
Slicing slicing(const kernels::UnaryFloat& op) { return {op.count, 4, 4}; }
Slicing elementwise(const kernels::BroadcastShape& shape) {
  return shape.elementwise() ? Slicing{shape.dims.elements(), 4, 4} : Slicing{};
}
Slicing slicing(const kernels::AddFloat& op) { return elementwise(op.shape); }
Slicing slicing(const kernels::MulFloat& op) { return elementwise(op.shape); }
Slicing slicing(const kernels::SoftmaxInt8& op) { return {op.outer, op.depth, op.depth}; }
Slicing slicing(const kernels::SoftmaxFloat& op) {
  return {op.outer, int64_t{4} * op.depth, int64_t{4} * op.depth};
}
Slicing slicing(const LoweredArgMax& op) {
  const int64_t inputs = op.params.axis * op.params.inner;
  return {op.params.outer, inputs * (op.float_input ? 4 : 1),
          op.params.inner * (op.int64_output ? 8 : 4)};
}

template <typename Params>
Params slice(Params op, int64_t units) {
  if constexpr (requires { op.count; }) {
    op.count = units;
  } else if constexpr (requires { op.outer; }) {
    op.outer = units;
  } else if constexpr (requires { op.params.outer; }) {
    op.params.outer = units;
  } else {
    op.shape.dims.extent[0] = static_cast<int32_t>(units);
  }
  return op;
}

void run_arg_max(const LoweredArgMax& op, const std::byte* input, std::byte* output) {
  if (op.float_input || !kernels::arg_max_of_bytes_supports(op.params)) {
    run_reference(Lowered(op), kernels::Rounding::kEngine, {&input, 1}, output);
    return;
  }
  const auto* bytes = reinterpret_cast<const int8_t*>(input);
  if (op.int64_output) {
    kernels::arg_max_of_bytes(op.params, bytes, reinterpret_cast<int64_t*>(output));
  } else {
    kernels::arg_max_of_bytes(op.params, bytes, reinterpret_cast<int32_t*>(output));
  }
}

template <typename Params>
class SlicedStep final : public Step {
 public:
  SlicedStep(const Params& params, const LoweredOp& places)
      : params_(params), slicing_(slicing(params)), inputs_{places.inputs[0], places.inputs[0]} {
    if (places.inputs.size() > 1) inputs_[1] = places.inputs[1];
    output_ = places.output;
    const int64_t bytes = std::max(slicing_.input_bytes, slicing_.output_bytes);
    const int64_t units = std::max<int64_t>(1, kElementsPerSlice / bytes);
    slice_units_ = (units + kUnitsAlignment - 1) / kUnitsAlignment * kUnitsAlignment;
  }

  void run(const RunContext& context) const override {
    const int64_t slices = (slicing_.units + slice_units_ - 1) / slice_units_;
    for_rows(context, static_cast<int32_t>(slices), 1,
             [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
               run_units(context, begin * slice_units_,
                         std::min(slicing_.units, end * slice_units_));
             });
  }

 private:
  void run_units(const RunContext& context, int64_t begin, int64_t end) const {
    const std::byte* inputs[2];
    for (size_t i = 0; i < 2; ++i) {
      inputs[i] = inputs_[i].read(context) + begin * slicing_.input_bytes;
    }
    std::byte* output = output_.write(context) + begin * slicing_.output_bytes;
    if constexpr (std::is_same_v<Params, LoweredArgMax>) {
      run_arg_max(slice(params_, end - begin), inputs[0], output);
    } else {
      run_reference(Lowered(slice(params_, end - begin)), kernels::Rounding::kEngine, inputs,
                    output);
    }
  }

  Params params_;
  Slicing slicing_;
  int64_t slice_units_ = 0;
  TensorPlace inputs_[2];  ///< The same twice if the op has one input.
  TensorPlace output_;
};

template <typename Params>
concept Sliceable = requires(const Params& params) {
  slicing(params);
};

}  // namespace

Result<MadeStep> make_sliced_step(std::span<LoweredOp> ops, Isa /*isa*/) {
  return std::visit(
      [&](const auto& params) -> MadeStep {
        using Params = std::remove_cvref_t<decltype(params)>;
        if constexpr (Sliceable<Params>) {
          if (slicing(params).units > 0) {
            return {"slices", std::make_unique<SlicedStep<Params>>(params, ops[0])};
          }
        }
        return {};
      },
      ops[0].lowered);
}

}  // namespace deeplab::plan
