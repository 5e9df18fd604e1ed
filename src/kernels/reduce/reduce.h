// SUM and REDUCE_MAX over any set of dimensions.
#pragma once

#include <cstdint>

#include "kernels/mean/mean.h"

namespace deeplab::kernels {

/// Summed in memory order, from zero.
struct SumFloat {
  Reduction shape;
};
void reduce_reference(const SumFloat& sum, const float* input, float* output);

/// The largest number; of int8 the largest stored one.
struct ReduceMaxFloat {
  Reduction shape;
};
void reduce_reference(const ReduceMaxFloat& max, const float* input, float* output);
struct ReduceMaxInt8 {
  Reduction shape;
};
void reduce_reference(const ReduceMaxInt8& max, const int8_t* input, int8_t* output);

}  // namespace deeplab::kernels
