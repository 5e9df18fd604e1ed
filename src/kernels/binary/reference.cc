#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/clamp.h"

namespace deeplab::kernels {

void binary_reference(const BinaryFloat& op, const float* a, const float* b, float* output) {
  const auto run = [&](const auto& function) {
    for_each_pair(op.shape, [&](int64_t i, int64_t j) { output[i] = function(a[i], b[j]); });
  };
  switch (op.kind) {
    case BinaryKind::kMaximum:
      return run([](float x, float y) { return std::max(x, y); });
    case BinaryKind::kMinimum:
      return run([](float x, float y) { return std::min(x, y); });
    case BinaryKind::kSquaredDifference:
      return run([](float x, float y) { return (x - y) * (x - y); });
    case BinaryKind::kDiv:
      return run([&op](float x, float y) {
        return clamp_float(op.reversed ? y / x : x / y, op.output_min, op.output_max);
      });
  }
}

void binary_reference(const ExtremeInt8& op, const int8_t* a, const int8_t* b, int8_t* output) {
  for_each_pair(op.shape, [&](int64_t i, int64_t j) {
    output[i] = op.largest ? std::max(a[i], b[j]) : std::min(a[i], b[j]);
  });
}

}  // namespace deeplab::kernels
