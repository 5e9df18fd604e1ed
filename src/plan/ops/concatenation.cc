#include "plan/op_lowering.h"

namespace deeplab::plan {

Result<Lowered> lower(const OpLowering& from, const graph::Concatenation& a) {
  int64_t outer = 1;
  for (int32_t d = 0; d < a.axis; ++d) outer *= from.in(0).shape[index(d)];
  const auto count = static_cast<int32_t>(from.inputs());
  if (from.all(DataType::kFloat32)) {
    std::vector<int64_t> inners;
    for (int32_t k = 0; k < count; ++k) inners.push_back(from.in(k).elements() / outer);
    const auto [min, max] = activation_bounds(a.activation);
    return Lowered(LoweredConcatenationFloat(
        kernels::ConcatenationFloat{outer, nullptr, count, min, max}, std::move(inners)));
  }
  DEEPLAB_RETURN_IF_ERROR(from.expect_all(DataType::kInt8));
  kernels::ConcatenationInt8 concatenation;
  concatenation.outer = outer;
  concatenation.count = count;
  concatenation.from_uint8 = from.from_uint8();
  from.set_output(a.activation, concatenation);
  const float inverse_output_scale = 1.0f / from.out().quantization.scale();
  std::vector<kernels::ConcatenationInt8Input> inputs;
  for (int32_t k = 0; k < count; ++k) {
    const graph::Quantization& q = from.in(k).quantization;
    const float scale = q.scale() * inverse_output_scale;
    DEEPLAB_RETURN_IF_ERROR(from.multiplier(scale).status());
    inputs.push_back(
        {from.in(k).elements() / outer, q.zero_point(), scale, q == from.out().quantization});
  }
  return Lowered(LoweredConcatenationInt8(concatenation, std::move(inputs)));
}

void run(const LoweredConcatenationInt8& op, const ReferenceRun& to) {
  concatenation_reference(op.params, to.rounding,
                          reinterpret_cast<const int8_t* const*>(to.inputs.data()),
                          to.out<int8_t>());
}
void run(const LoweredConcatenationFloat& op, const ReferenceRun& to) {
  concatenation_reference(op.params, reinterpret_cast<const float* const*>(to.inputs.data()),
                          to.out<float>());
}

}  // namespace deeplab::plan
