// A function of one byte as a table.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "plan/lower.h"

namespace deeplab::plan {

/// The result of an elementwise int8 op for each possible value, by its reference kernel:
/// entry i is for the stored byte i.
using LookupTable = std::array<int8_t, 256>;

/// `op` is an elementwise int8 -> int8 kernel for a count of 256.
inline LookupTable make_lookup_table(const Lowered& op) {
  LookupTable all;
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int8_t>(static_cast<uint8_t>(i));
  LookupTable result;
  const auto* input = reinterpret_cast<const std::byte*>(all.data());
  run_reference(op, kernels::Rounding::kEngine, {&input, 1},
                reinterpret_cast<std::byte*>(result.data()));
  return result;
}

/// How a concatenation converts the stored values of one of its inputs.
inline LookupTable concatenation_table(const kernels::ConcatenationInt8& op,
                                       const kernels::ConcatenationInt8Input& input) {
  kernels::ConcatenationInt8 one = op;
  one.outer = 1;
  one.count = 1;
  kernels::ConcatenationInt8Input all = input;
  all.inner = 256;
  return make_lookup_table(Lowered(LoweredConcatenationInt8(one, {all})));
}

inline void look_up(const LookupTable& table, int64_t count, const int8_t* input, int8_t* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = table[static_cast<uint8_t>(input[i])];
}

}  // namespace deeplab::plan
