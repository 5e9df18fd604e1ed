#include <algorithm>
#include <limits>

#include "kernels/mean/reduction.h"
#include "kernels/reduce/reduce.h"

namespace deeplab::kernels {
namespace {

template <typename T>
void reduce(const Reduction& shape, ReduceFunction by, const T* input, T* output) {
  const auto run = [&](T start, const auto& function) {
    for_each_reduced(
        shape, input, start, [&](T& total, T x) { total = function(total, x); },
        [&](int64_t o, T total) { output[o] = total; });
  };
  switch (by) {
#define REDUCTION(function, name, picks, major, minor, patch, start, ...) \
  case ReduceFunction::function:                                          \
    return run(start, [](T total, T x) { return static_cast<T>(__VA_ARGS__); });
#include "base/function_list.h"
  }
}

}  // namespace

void reduce_reference(const ReduceFloat& op, const float* input, float* output) {
  reduce(op.shape, op.function, input, output);
}

void reduce_reference(const ReduceInt8& op, const int8_t* input, int8_t* output) {
  reduce(op.shape, op.function, input, output);
}

}  // namespace deeplab::kernels
