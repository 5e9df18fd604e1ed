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

void unary_reference(const UnaryFloat& op, const float* input, float* output) {
  const auto run = [&](const auto& function) { each(op.count, input, output, function); };
  const float alpha = op.alpha;
  switch (op.function) {
#define UNARY(function, name, major, minor, patch, ...) \
  case UnaryFunction::function:                         \
    return run([=](float x) { return __VA_ARGS__; });
#include "base/function_list.h"
  }
}

void unary_reference(const UnaryInt8& op, const int8_t* input, int8_t* output) {
  for (int64_t i = 0; i < op.count; ++i) output[i] = op.table[static_cast<uint8_t>(input[i])];
}

}  // namespace deeplab::kernels
