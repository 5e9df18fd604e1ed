// The functions of base/function_list.h, by name.
#pragma once

#include <cstdint>
#include <string_view>

namespace deeplab {

/// Of one number.
enum class UnaryFunction : uint8_t {
#define UNARY(function, ...) function,
#include "base/function_list.h"
};
/// Of two numbers.
enum class BinaryFunction : uint8_t {
#define BINARY(function, ...) function,
#include "base/function_list.h"
};
/// Of any number of numbers, in the order of memory.
enum class ReduceFunction : uint8_t {
#define REDUCTION(function, ...) function,
#include "base/function_list.h"
};

inline constexpr std::string_view kUnaryNames[] = {
#define UNARY(function, name, ...) #name,
#include "base/function_list.h"
};
inline constexpr std::string_view kBinaryNames[] = {
#define BINARY(function, name, ...) #name,
#include "base/function_list.h"
};
inline constexpr std::string_view kReduceNames[] = {
#define REDUCTION(function, name, ...) #name,
#include "base/function_list.h"
};

/// What the file format calls it: "LOGISTIC", "MAXIMUM", "SUM", ...
constexpr std::string_view function_name(UnaryFunction function) {
  return kUnaryNames[static_cast<size_t>(function)];
}
constexpr std::string_view function_name(BinaryFunction function) {
  return kBinaryNames[static_cast<size_t>(function)];
}
constexpr std::string_view function_name(ReduceFunction function) {
  return kReduceNames[static_cast<size_t>(function)];
}

/// Whether f(a, b) is not f(b, a).
constexpr bool is_ordered(BinaryFunction function) {
  constexpr bool kOrdered[] = {
#define BINARY(function, name, ordered, ...) ordered,
#include "base/function_list.h"
  };
  return kOrdered[static_cast<size_t>(function)];
}
/// Whether the result is one of the numbers: then the function of stored 8-bit numbers is the
/// stored result.
constexpr bool picks(ReduceFunction function) {
  constexpr bool kPicks[] = {
#define REDUCTION(function, name, picks, ...) picks,
#include "base/function_list.h"
  };
  return kPicks[static_cast<size_t>(function)];
}

}  // namespace deeplab
