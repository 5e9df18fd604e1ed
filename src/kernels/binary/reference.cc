#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/clamp.h"

namespace deeplab::kernels {
namespace {

template <BinaryFunction function, typename F>
void each_pair(const BinaryFloat& op, const float* x, const float* y, float* output, const F& f) {
  for_each_pair(op.shape, [&](int64_t i, int64_t j) {
    float value = is_ordered(function) && op.reversed ? f(y[j], x[i]) : f(x[i], y[j]);
    // The only one that may have an activation.
    if (function == BinaryFunction::kDiv) value = clamp_float(value, op.output_min, op.output_max);
    output[i] = value;
  });
}

}  // namespace

void binary_reference(const BinaryFloat& op, const float* x, const float* y, float* output) {
  switch (op.function) {
#define BINARY(function, name, ordered, major, minor, patch, ...) \
  case BinaryFunction::function:                                  \
    return each_pair<BinaryFunction::function>(op, x, y, output,  \
                                               [](float a, float b) { return __VA_ARGS__; });
#include "base/function_list.h"
  }
}

void binary_reference(const ExtremeInt8& op, const int8_t* a, const int8_t* b, int8_t* output) {
  for_each_pair(op.shape, [&](int64_t i, int64_t j) {
    output[i] = op.largest ? std::max(a[i], b[j]) : std::min(a[i], b[j]);
  });
}

}  // namespace deeplab::kernels
