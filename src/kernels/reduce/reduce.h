// Functions of the numbers along any set of dimensions: SUM, REDUCE_MAX, ...: the list is
// base/function_list.h.
#pragma once

#include <cstdint>

#include "base/functions.h"
#include "kernels/mean/mean.h"

namespace deeplab::kernels {

/// In memory order, from the function's start.
struct ReduceFloat {
  Reduction shape;
  ReduceFunction function = ReduceFunction::kSum;
};
void reduce_reference(const ReduceFloat& op, const float* input, float* output);

/// Of the stored numbers, by a function that picks one.
struct ReduceInt8 {
  Reduction shape;
  ReduceFunction function = ReduceFunction::kMax;
};
void reduce_reference(const ReduceInt8& op, const int8_t* input, int8_t* output);

}  // namespace deeplab::kernels
