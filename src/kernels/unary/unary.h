// Functions of one number: LOGISTIC, TANH, ...: the list is base/function_list.h.
//
// Of 8-bit numbers a function is a table of 256, made as TensorFlow Lite's reference kernels
// compute it; both roundings are the same here.
#pragma once

#include <array>
#include <cstdint>

#include "base/functions.h"

namespace deeplab::kernels {

struct UnaryFloat {
  int64_t count = 0;
  UnaryFunction function = UnaryFunction::kLogistic;
  float alpha = 0;  ///< Of kLeakyRelu.
};
void unary_reference(const UnaryFloat& op, const float* input, float* output);

/// output = table[stored input as a byte]
struct UnaryInt8 {
  int64_t count = 0;
  std::array<int8_t, 256> table = {};
};
void unary_reference(const UnaryInt8& op, const int8_t* input, int8_t* output);

/// What the numbers of input and output mean.
struct UnaryScales {
  float input_scale = 1;
  int32_t input_zero_point = 0;
  float output_scale = 1;
  int32_t output_zero_point = 0;
};

/// round(f(real input) / output scale) + zero point, ties away from zero, clamped; all in float32
/// but for the function itself.
std::array<int8_t, 256> unary_table(UnaryFunction function, float alpha, const UnaryScales& scales);

}  // namespace deeplab::kernels
