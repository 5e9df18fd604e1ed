// What Debian's emscripten lacks of C++20's standard library: its libc++ is of version 13. Read
// before every file of the WebAssembly build, and of that build alone. Each function is the
// standard's, as far as the library calls it.
#pragma once

#if defined(__cplusplus)
#include <limits.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#undef ARG_MAX  // A limit of processes in musl; here the name of an op.

#if _LIBCPP_VERSION < 14000
namespace std {

template <typename To, typename From>
constexpr To bit_cast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

namespace ranges {

template <typename Range, typename T, typename Projection = identity>
constexpr auto find(Range&& range, const T& value, Projection projection = {}) {
  return std::find_if(std::begin(range), std::end(range), [&](const auto& element) {
    return std::invoke(projection, element) == value;
  });
}

template <typename Range, typename T>
constexpr auto count(Range&& range, const T& value) {
  return std::count(std::begin(range), std::end(range), value);
}

template <typename Range, typename T>
constexpr bool binary_search(Range&& range, const T& value) {
  return std::binary_search(std::begin(range), std::end(range), value);
}

template <typename A, typename B>
constexpr bool equal(A&& a, B&& b) {
  return std::equal(std::begin(a), std::end(a), std::begin(b), std::end(b));
}

template <typename Range, typename T>
constexpr void replace(Range&& range, const T& from, const T& to) {
  std::replace(std::begin(range), std::end(range), from, to);
}

template <typename Range>
constexpr void sort(Range&& range) {
  std::sort(std::begin(range), std::end(range));
}

template <typename Range, typename Output>
constexpr void copy(Range&& range, Output output) {
  std::copy(std::begin(range), std::end(range), output);
}

}  // namespace ranges
}  // namespace std
#endif
#endif
