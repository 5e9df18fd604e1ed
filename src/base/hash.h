// A number that tells contents of files apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace deeplab {

/// Of the bytes and how many they are. Other contents have another one, unless somebody looked for
/// some that have not.
uint64_t hash_of(std::span<const std::byte> bytes);

}  // namespace deeplab
