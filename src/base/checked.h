// Arithmetic on numbers that come from a file: every overflow is detected, none wraps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace deeplab {

inline std::optional<int64_t> checked_add(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

inline std::optional<int64_t> checked_mul(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The product of all dimensions (1 for a scalar), or nothing if one is negative or the
/// product leaves int64.
inline std::optional<int64_t> checked_product(std::span<const int32_t> dimensions) {
  int64_t product = 1;
  for (int32_t d : dimensions) {
    if (d < 0) return std::nullopt;
    if (__builtin_mul_overflow(product, int64_t{d}, &product)) return std::nullopt;
  }
  return product;
}

}  // namespace deeplab
