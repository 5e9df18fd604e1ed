#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/cast/cast.h"

namespace deeplab::kernels {
namespace {

/// Integers narrower than 64 bits wrap around, as C++ converts them.
template <typename To, typename From>
To convert(From value) {
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
    if (std::isnan(value)) return 0;
    const auto low = static_cast<double>(std::numeric_limits<To>::min());
    const auto high = static_cast<double>(std::numeric_limits<To>::max());
    const double number = value;
    if (number >= high) return std::numeric_limits<To>::max();
    return number <= low ? std::numeric_limits<To>::min() : static_cast<To>(number);
  } else {
    return static_cast<To>(value);
  }
}

/// An 8-bit number of a file that has uint8, as it is stored here.
struct Shifted {
  uint8_t stored;
};
template <typename From>
auto load(From value) {
  return value;
}
int32_t load(Shifted value) { return value.stored ^ 0x80; }

template <typename To, typename From>
void run(int64_t count, const From* input, To* output) {
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<To, Shifted>) {
      output[i].stored = static_cast<uint8_t>(convert<uint8_t>(load(input[i])) ^ 0x80);
    } else {
      output[i] = convert<To>(load(input[i]));
    }
  }
}

/// Calls body(T*) with the C++ type of `type`.
template <typename Body>
void with_type(NumberType type, const Body& body) {
  switch (type) {
    case NumberType::kFloat32:
      return body(static_cast<float*>(nullptr));
    case NumberType::kInt8:
      return body(static_cast<int8_t*>(nullptr));
    case NumberType::kUInt8:
      return body(static_cast<Shifted*>(nullptr));
    case NumberType::kInt32:
      return body(static_cast<int32_t*>(nullptr));
    case NumberType::kInt64:
      return body(static_cast<int64_t*>(nullptr));
  }
}

}  // namespace

void cast_reference(const Cast& cast, const std::byte* input, std::byte* output) {
  with_type(cast.from, [&]<typename From>(From*) {
    with_type(cast.to, [&]<typename To>(To*) {
      run(cast.count, reinterpret_cast<const From*>(input), reinterpret_cast<To*>(output));
    });
  });
}

}  // namespace deeplab::kernels
