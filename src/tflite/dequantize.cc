// Constants that a DEQUANTIZE reads, which converters write for float16 and for int8 weights of
// float networks: float32 constants once they are read.
#include "graph/dequantize.h"

#include <bit>

#include "base/checked.h"
#include "tflite/source.h"
#include "tflite/text.h"

namespace deeplab::tflite {
namespace {

/// IEEE 754 binary16; every value is exact in float32.
float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = half & 0x7FFF;
  if (magnitude >= 0x7C00)
    return std::bit_cast<float>(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
  // The bits of a float whose exponent is 112 too low, subnormal ones included.
  const float value = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
}

size_t stored_bytes(schema::TensorType type) {
  switch (type) {
    case schema::TensorType::FLOAT16:
      return 2;
    case schema::TensorType::INT8:
    case schema::TensorType::UINT8:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

std::optional<DequantizedConstant> dequantized_constant(const SourceOp& op) {
  if (op.code != schema::BuiltinOperator::DEQUANTIZE) return std::nullopt;
  const auto inputs = elements(op.op.inputs());
  const auto outputs = elements(op.op.outputs());
  const auto known = [&](std::span<const int32_t> ids) {
    return ids.size() == 1 && ids[0] >= 0 && static_cast<size_t>(ids[0]) < op.source.tensor_count();
  };
  if (!known(inputs) || !known(outputs)) return std::nullopt;
  const DequantizedConstant found{static_cast<size_t>(inputs[0]), static_cast<size_t>(outputs[0])};
  const schema::Tensor& constant = op.source.tensor(found.input);
  const auto data = op.source.buffer(constant.buffer());
  const bool to_float = op.source.tensor(found.output).type() == schema::TensorType::FLOAT32;
  if (!data.ok() || data->empty() || stored_bytes(constant.type()) == 0 || !to_float) {
    return std::nullopt;
  }
  return found;
}

Result<graph::Tensor> TensorReader::read_dequantized(size_t id, size_t constant) {
  const schema::Tensor& from = source_.tensor(constant);
  graph::Tensor tensor;
  if (const auto* name = source_.tensor(id).name()) {
    tensor.name = clean_text(name->string_view(), kMaxName);
  }
  const auto shape = elements(from.shape());
  if (shape.size() > kMaxRank) {
    return unsupported(source_.label(constant), ": has ", shape.size(), " dimensions, more than ",
                       kMaxRank);
  }
  if (from.sparsity() != nullptr) {
    return unsupported(source_.label(constant), ": sparse tensors are not supported");
  }
  tensor.shape.assign(shape.begin(), shape.end());
  DEEPLAB_ASSIGN_OR_RETURN(const auto data, source_.buffer(from.buffer()));
  const auto count = checked_product(tensor.shape);
  if (!count || *count < 0 ||
      data.size() / stored_bytes(from.type()) != static_cast<size_t>(*count) ||
      data.size() % stored_bytes(from.type()) != 0) {
    return invalid_model(source_.label(constant), ": shape ", graph::shape_text(tensor.shape),
                         " does not fit its ", data.size(), " bytes");
  }
  const auto elements_count = static_cast<size_t>(*count);
  DEEPLAB_RETURN_IF_ERROR(spend(elements_count * sizeof(float), constant));
  auto values = std::make_shared<std::vector<std::byte>>(elements_count * sizeof(float));
  auto* to = reinterpret_cast<float*>(values->data());
  if (from.type() == schema::TensorType::FLOAT16) {
    for (size_t i = 0; i < elements_count; ++i) {
      uint16_t half;
      std::memcpy(&half, data.data() + i * sizeof half, sizeof half);
      to[i] = from_half(half);
    }
  } else {
    DEEPLAB_ASSIGN_OR_RETURN(const graph::Quantization q, read_quantization(constant));
    if (!q.present()) return invalid_model(source_.label(constant), ": expected a scale");
    for (int32_t zero_point : q.zero_points) {
      if (zero_point >= -128 && zero_point <= 255) continue;
      return invalid_model(source_.label(constant), ": zero point ", zero_point,
                           " is not a value of its type");
    }
    if (q.per_channel() &&
        (q.axis < 0 || static_cast<size_t>(q.axis) >= tensor.shape.size() ||
         tensor.shape[static_cast<size_t>(q.axis)] != static_cast<int64_t>(q.scales.size()))) {
      return invalid_model(source_.label(constant), ": found ", q.scales.size(),
                           " scales along dimension ", q.axis, " of ",
                           graph::shape_text(tensor.shape));
    }
    const bool is_signed = from.type() == schema::TensorType::INT8;
    graph::dequantize(data, is_signed ? graph::DataType::kInt8 : graph::DataType::kUInt8,
                      tensor.shape, q, to);
  }
  tensor.data = graph::ConstantBytes(std::shared_ptr<const std::vector<std::byte>>(values));
  return tensor;
}

}  // namespace deeplab::tflite
