// CAST: stored numbers as numbers of another type.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeplab::kernels {

enum class NumberType : uint8_t { kFloat32, kInt8, kUInt8, kInt32, kInt64 };

/// kUInt8 is stored less 128, as int8. Floats lose their fraction; what does not fit the new type
/// saturates (a NaN becomes 0), where C++ and TensorFlow Lite leave the result open.
struct Cast {
  int64_t count = 0;
  NumberType from = NumberType::kFloat32;
  NumberType to = NumberType::kFloat32;
};

void cast_reference(const Cast& cast, const std::byte* input, std::byte* output);

}  // namespace deeplab::kernels
