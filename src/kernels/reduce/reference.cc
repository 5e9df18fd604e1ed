#include <algorithm>
#include <limits>

#include "kernels/mean/reduction.h"
#include "kernels/reduce/reduce.h"

namespace deeplab::kernels {

void reduce_reference(const SumFloat& sum, const float* input, float* output) {
  for_each_reduced(
      sum.shape, input, 0.0f, [](float& total, float x) { total += x; },
      [&](int64_t o, float total) { output[o] = total; });
}

void reduce_reference(const ReduceMaxFloat& max, const float* input, float* output) {
  for_each_reduced(
      max.shape, input, std::numeric_limits<float>::lowest(),
      [](float& largest, float x) { largest = x > largest ? x : largest; },
      [&](int64_t o, float largest) { output[o] = largest; });
}

void reduce_reference(const ReduceMaxInt8& max, const int8_t* input, int8_t* output) {
  for_each_reduced(
      max.shape, input, int8_t{-128},
      [](int8_t& largest, int8_t x) { largest = std::max(largest, x); },
      [&](int64_t o, int8_t largest) { output[o] = largest; });
}

}  // namespace deeplab::kernels
