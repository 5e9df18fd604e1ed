#include "kernels/cast/cast.h"
#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

kernels::NumberType number_type(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kFloat32:
      return kernels::NumberType::kFloat32;
    case DataType::kUInt8:
      return kernels::NumberType::kUInt8;
    case DataType::kInt8:
      break;
    case DataType::kInt32:
      return kernels::NumberType::kInt32;
    case DataType::kInt64:
      return kernels::NumberType::kInt64;
  }
  return tensor.file_type == DataType::kUInt8 ? kernels::NumberType::kUInt8
                                              : kernels::NumberType::kInt8;
}

}  // namespace

Result<Lowered> lower(const OpLowering& from, const graph::Quantize& /*a*/) {
  if (from.out().type != DataType::kInt8) return from.no_kernel();
  const int64_t count = from.out().elements();
  const float scale = from.out().quantization.scale();
  const int32_t zero_point = from.out().quantization.zero_point();
  if (from.in(0).type == DataType::kFloat32) {
    return Lowered(kernels::QuantizeFloat{count, scale, 1.0f / scale, zero_point});
  }
  if (from.in(0).type != DataType::kInt8) return from.no_kernel();
  DEEPLAB_ASSIGN_OR_RETURN(const auto factor,
                           from.multiplier(double{from.in(0).quantization.scale()} / scale));
  return Lowered(
      kernels::RequantizeInt8{count, from.in(0).quantization.zero_point(), factor, zero_point});
}

Result<Lowered> lower(const OpLowering& from, const graph::Dequantize& /*a*/) {
  if (from.in(0).type != DataType::kInt8 || from.out().type != DataType::kFloat32) {
    return from.no_kernel();
  }
  return Lowered(kernels::DequantizeInt8{from.out().elements(), from.in(0).quantization.scale(),
                                         from.in(0).quantization.zero_point()});
}

Result<Lowered> lower(const OpLowering& from, const graph::Cast& /*a*/) {
  const kernels::Cast cast{from.out().elements(), number_type(from.in(0)), number_type(from.out())};
  return reference(
      [cast](const ReferenceRun& to) { cast_reference(cast, to.inputs[0], to.output); });
}

void run(const kernels::QuantizeFloat& op, const ReferenceRun& to) {
  quantize_reference(op, to.rounding, to.in<float>(0), to.out<int8_t>());
}
void run(const kernels::RequantizeInt8& op, const ReferenceRun& to) {
  requantize_reference(op, to.rounding, to.in<int8_t>(0), to.out<int8_t>());
}
void run(const kernels::DequantizeInt8& op, const ReferenceRun& to) {
  dequantize_reference(op, to.in<int8_t>(0), to.out<float>());
}

}  // namespace deeplab::plan
