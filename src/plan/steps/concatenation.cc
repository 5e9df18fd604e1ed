// int8 CONCATENATION: each input is copied, or goes through a table if it is quantized
// differently from the output.
#include <cstring>
#include <vector>

#include "plan/steps/lookup_table.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

class ConcatenationStep final : public Step {
 public:
  ConcatenationStep(const kernels::ConcatenationInt8& op, const LoweredOp& places)
      : outer_(op.outer), output_(places.output) {
    int64_t offset = 0;
    for (int32_t k = 0; k < op.count; ++k) {
      const kernels::ConcatenationInt8Input& input = op.inputs[k];
      Part part;
      part.place = places.inputs[static_cast<size_t>(k)];
      part.inner = input.inner;
      part.offset = offset;
      part.copied = input.same && op.output_min == -128 && op.output_max == 127;
      part.table = concatenation_table(op, input);
      offset += input.inner;
      parts_.push_back(part);
    }
    stride_ = offset;
  }

  void run(const RunContext& context) const override {
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    const auto rows = static_cast<int32_t>(outer_);
    for_rows(context, rows, even_grain(rows, 1, context.workers),
             [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
               for (const Part& part : parts_) {
                 const auto* input = reinterpret_cast<const int8_t*>(part.place.read(context));
                 for (int64_t row = begin; row < end; ++row) {
                   const int8_t* from = input + row * part.inner;
                   int8_t* to = output + row * stride_ + part.offset;
                   if (part.copied) {
                     std::memcpy(to, from, static_cast<size_t>(part.inner));
                   } else {
                     look_up(part.table, part.inner, from, to);
                   }
                 }
               }
             });
  }

 private:
  struct Part {
    TensorPlace place;
    int64_t inner = 0;
    int64_t offset = 0;
    bool copied = false;
    LookupTable table;
  };

  int64_t outer_;
  int64_t stride_ = 0;
  std::vector<Part> parts_;
  TensorPlace output_;
};

}  // namespace

Result<MadeStep> make_concatenation_step(std::span<LoweredOp> ops, Isa /*isa*/) {
  const auto* op = std::get_if<LoweredConcatenationInt8>(&ops[0].lowered);
  if (op == nullptr || op->params.outer > INT32_MAX) return MadeStep{};
  return MadeStep{"lookup", std::make_unique<ConcatenationStep>(op->params, ops[0])};
}

}  // namespace deeplab::plan
