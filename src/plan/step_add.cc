// int8 ADD of two pictures, or of a picture and one pixel.
#include "plan/make_step.h"

namespace deeplab::plan {
namespace {

/// About as much as is worth handing to another thread: tens of microseconds.
constexpr int64_t kElementsPerPiece = 32768;

class AddStep final : public Step {
 public:
  AddStep(const kernels::AddInt8& op, const StepSource& source)
      : op_(op),
        kernel_(kernels::best_for(source.isa, kernels::add_elementwise_kernels())),
        a_(source.inputs[0]),
        b_(source.inputs[1]),
        output_(source.output),
        count_(op.shape.dims.elements()) {
    const kernels::Dims& dims = op.shape.dims;
    if (op.shape.repeats()) {
      rows_ = dims.extent[0];
      row_ = dims.extent[1];
      grain_ = static_cast<int32_t>(kElementsPerPiece / row_ + 1);
    } else {
      row_ = b_step_ = kElementsPerPiece;
      rows_ = static_cast<int32_t>((count_ + row_ - 1) / row_);
    }
  }

  void run(const RunContext& context) const override {
    const auto* a = reinterpret_cast<const int8_t*>(a_.read(context));
    const auto* b = reinterpret_cast<const int8_t*>(b_.read(context));
    auto* output = reinterpret_cast<int8_t*>(output_.write(context));
    for_rows(context, rows_, grain_, [&](int32_t begin, int32_t end, std::byte* /*scratch*/) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row * row_;
        kernel_(op_, row_ < count_ - at ? row_ : count_ - at, a + at, b + row * b_step_,
                output + at);
      }
    });
  }

 private:
  kernels::AddInt8 op_;
  kernels::AddElementwise* kernel_;
  int32_t rows_ = 0;
  int32_t grain_ = 1;
  int64_t row_ = 0;     ///< Elements.
  int64_t b_step_ = 0;  ///< Elements of b from one row to the next.
  TensorPlace a_;
  TensorPlace b_;
  TensorPlace output_;
  int64_t count_;
};

}  // namespace

MadeStep make_add_step(const Lowered& lowered, const StepSource& source) {
  const auto* op = std::get_if<kernels::AddInt8>(&lowered);
  if (op == nullptr || !(op->shape.elementwise() || op->shape.repeats())) return {};
  if (op->shape.dims.elements() / kElementsPerPiece >= INT32_MAX) return {};
  return {"elementwise", std::make_unique<AddStep>(*op, source)};
}

}  // namespace deeplab::plan
