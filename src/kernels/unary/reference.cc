#include <algorithm>
#include <cmath>

#include "kernels/unary/unary.h"

namespace deeplab::kernels {
namespace {

template <typename Function>
void each(int64_t count, const float* input, float* output, const Function& function) {
  for (int64_t i = 0; i < count; ++i) output[i] = function(input[i]);
}

}  // namespace

void unary_reference(const UnaryFloat& op, const float* x, float* y) {
  const auto run = [&](const auto& function) { each(op.count, x, y, function); };
  const float alpha = op.alpha;
  switch (op.kind) {
    case UnaryKind::kLogistic:
      return run([](float v) { return 1.0f / (1.0f + std::exp(-v)); });
    case UnaryKind::kTanh:
      return run([](float v) { return std::tanh(v); });
    case UnaryKind::kHardSwish:
      return run([](float v) { return v * std::min(6.0f, std::max(0.0f, v + 3.0f)) / 6.0f; });
    case UnaryKind::kLeakyRelu:
      return run([alpha](float v) { return v > 0 ? v : v * alpha; });
    case UnaryKind::kElu:
      return run([](float v) { return v < 0 ? std::expm1(v) : v; });
    case UnaryKind::kExp:
      return run([](float v) { return std::exp(v); });
    case UnaryKind::kSqrt:
      return run([](float v) { return std::sqrt(v); });
    case UnaryKind::kRsqrt:
      return run([](float v) { return 1.0f / std::sqrt(v); });
    case UnaryKind::kSquare:
      return run([](float v) { return v * v; });
    case UnaryKind::kAbs:
      return run([](float v) { return std::abs(v); });
    case UnaryKind::kNeg:
      return run([](float v) { return -v; });
    case UnaryKind::kLog:
      return run([](float v) { return std::log(v); });
  }
}

void unary_reference(const UnaryInt8& op, const int8_t* input, int8_t* output) {
  for (int64_t i = 0; i < op.count; ++i) output[i] = op.table[static_cast<uint8_t>(input[i])];
}

}  // namespace deeplab::kernels
