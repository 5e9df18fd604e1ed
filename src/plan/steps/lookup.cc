// Elementwise int8 ops of one input: QUANTIZE from int8 to int8, RELU, RELU6, LOGISTIC and the
// like.
#include <algorithm>

#include "plan/steps/lookup_table.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

class LookupStep final : public Step {
 public:
  LookupStep(const LookupTable& table, int64_t count, const LoweredOp& places)
      : table_(table), count_(count), input_(places.inputs[0]), output_(places.output) {}

  void run(const RunContext& context) const override {
    const auto* input = reinterpret_cast<const int8_t*>(input_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    constexpr int64_t kSlice = 16384;  // Tens of microseconds: worth another thread.
    for_rows(context, static_cast<int32_t>((count_ + kSlice - 1) / kSlice), 1,
             [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
               const int64_t first = begin * kSlice;
               const int64_t count = std::min(count_, end * kSlice) - first;
               look_up(table_, count, input + first, output + first);
             });
  }

 private:
  LookupTable table_;
  int64_t count_;
  TensorPlace input_;
  TensorPlace output_;
};

template <typename Params>
MadeStep make(Params params, const LoweredOp& op) {
  const int64_t count = params.count;
  params.count = 256;
  return {"lookup", std::make_unique<LookupStep>(make_lookup_table(Lowered(params)), count, op)};
}

}  // namespace

Result<MadeStep> make_lookup_step(std::span<LoweredOp> ops, Isa /*isa*/) {
  const LoweredOp& op = ops[0];
  if (const auto* p = std::get_if<kernels::RequantizeInt8>(&op.lowered)) return make(*p, op);
  if (const auto* p = std::get_if<kernels::ReluInt8>(&op.lowered)) return make(*p, op);
  if (const auto* p = std::get_if<kernels::UnaryInt8>(&op.lowered)) return make(*p, op);
  return MadeStep{};
}

}  // namespace deeplab::plan
