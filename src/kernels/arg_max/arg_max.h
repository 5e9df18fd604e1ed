// ARG_MAX: the index of the largest element along one axis, the lowest index if equal.
#pragma once

#include <cstdint>

namespace deeplab::kernels {

/// The input seen as [outer, axis, inner]; the output is [outer, inner].
struct ArgMax {
  int64_t outer = 1;
  int32_t axis = 1;
  int64_t inner = 1;
};

void arg_max_reference(const ArgMax& arg_max, const int8_t* input, int32_t* output);
void arg_max_reference(const ArgMax& arg_max, const int8_t* input, int64_t* output);
void arg_max_reference(const ArgMax& arg_max, const float* input, int32_t* output);
void arg_max_reference(const ArgMax& arg_max, const float* input, int64_t* output);

/// The reference's result in a form that compilers vectorize, if arg_max_of_bytes_supports().
inline bool arg_max_of_bytes_supports(const ArgMax& op) { return op.inner == 1 && op.axis <= 256; }
void arg_max_of_bytes(const ArgMax& arg_max, const int8_t* input, int32_t* output);
void arg_max_of_bytes(const ArgMax& arg_max, const int8_t* input, int64_t* output);

}  // namespace deeplab::kernels
