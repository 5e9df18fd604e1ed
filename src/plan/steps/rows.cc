// Ops whose reference kernel can be given any range of output rows; the rows are split between the
// workers.
#include <algorithm>

#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

// For each op: how many rows there are, bytes of one, and the kernel for some of them.

template <typename Element, typename Pool>
struct PoolRows {
  const Pool op;
  int32_t rows() const { return op.shape.batch * op.shape.out_h; }
  int64_t work() const { return int64_t{op.shape.out_w} * op.shape.out_c * op.shape.filter_h; }
  void run(const std::byte* const* inputs, std::byte* output, int32_t begin, int32_t end) const {
    max_pool2d_rows(op, reinterpret_cast<const Element*>(inputs[0]),
                    reinterpret_cast<Element*>(output), begin, end);
  }
};

struct CopyRows {
  const kernels::StridedCopy op;
  int32_t rows() const { return op.dims.extent[0]; }
  int64_t work() const { return op.dims.elements() / op.dims.extent[0]; }
  void run(const std::byte* const* inputs, std::byte* output, int32_t begin, int32_t end) const {
    kernels::strided_copy(op, inputs[0], output, begin, end);
  }
};

/// A second operand that is stretched over the first; rows of the outermost dimension.
template <typename Element, typename Op>
struct BroadcastRows {
  const Op op;
  int32_t rows() const { return op.shape.dims.rank < 2 ? 1 : op.shape.dims.extent[0]; }
  int64_t work() const { return op.shape.dims.elements() / rows(); }
  void run(const std::byte* const* inputs, std::byte* output, int32_t begin, int32_t end) const {
    Op part = op;
    int64_t first = 0;
    if (op.shape.dims.rank >= 2) {
      part.shape.dims.extent[0] = end - begin;
      first = begin;
    }
    constexpr auto kSize = static_cast<int64_t>(sizeof(Element));
    const std::byte* parts[] = {inputs[0] + first * work() * kSize,
                                inputs[1] + first * op.shape.b_strides[0] * kSize};
    run_reference(Lowered(part), kernels::Rounding::kEngine, parts,
                  output + first * work() * kSize);
  }
};

template <typename Rows>
class RowsStep final : public Step {
 public:
  RowsStep(Rows rows, const LoweredOp& places)
      : rows_(std::move(rows)),
        inputs_{places.inputs[0], places.inputs[places.inputs.size() - 1]},
        output_(places.output) {}

  void run(const RunContext& context) const override {
    const std::byte* inputs[] = {inputs_[0].read(context), inputs_[1].read(context)};
    std::byte* output = output_.write(context);
    const int64_t grain =
        std::max<int64_t>(1, kElementsPerPiece / std::max<int64_t>(1, rows_.work()));
    for_rows(context, rows_.rows(), static_cast<int32_t>(grain),
             [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
               rows_.run(inputs, output, begin, end);
             });
  }

 private:
  Rows rows_;
  TensorPlace inputs_[2];  ///< The same twice if the op has one input.
  TensorPlace output_;
};

template <typename Rows, typename Op>
MadeStep make(const LoweredOp& op, const Op& params) {
  return {"rows", std::make_unique<RowsStep<Rows>>(Rows{params}, op)};
}

}  // namespace

Result<MadeStep> make_rows_step(std::span<LoweredOp> ops, Isa /*isa*/) {
  const LoweredOp& op = ops[0];
  using namespace kernels;
  if (const auto* p = std::get_if<MaxPool2DInt8>(&op.lowered)) {
    return make<PoolRows<int8_t, MaxPool2DInt8>>(op, *p);
  }
  if (const auto* p = std::get_if<MaxPool2DFloat>(&op.lowered)) {
    return make<PoolRows<float, MaxPool2DFloat>>(op, *p);
  }
  if (const auto* p = std::get_if<StridedCopy>(&op.lowered)) return make<CopyRows>(op, *p);
  if (const auto* p = std::get_if<MulFloat>(&op.lowered)) {
    return make<BroadcastRows<float, MulFloat>>(op, *p);
  }
  if (const auto* p = std::get_if<AddFloat>(&op.lowered)) {
    return make<BroadcastRows<float, AddFloat>>(op, *p);
  }
  if (const auto* p = std::get_if<BinaryFloat>(&op.lowered)) {
    return make<BroadcastRows<float, BinaryFloat>>(op, *p);
  }
  if (const auto* p = std::get_if<ExtremeInt8>(&op.lowered)) {
    return make<BroadcastRows<int8_t, ExtremeInt8>>(op, *p);
  }
  if (const auto* p = std::get_if<PreluFloat>(&op.lowered)) {
    return make<BroadcastRows<float, PreluFloat>>(op, *p);
  }
  if (const auto* p = std::get_if<PreluInt8>(&op.lowered)) {
    return make<BroadcastRows<int8_t, PreluInt8>>(op, *p);
  }
  return MadeStep{};
}

}  // namespace deeplab::plan
