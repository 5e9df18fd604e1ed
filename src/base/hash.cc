#include "base/hash.h"

#include <algorithm>
#include <cstring>

namespace deeplab {

uint64_t hash_of(std::span<const std::byte> bytes) {
  // Multiplied by 2^64 over the golden ratio, made odd, every bit of a word changes the bits above
  // it; shifted down, those below as well.
  constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;
  uint64_t hash = bytes.size() * kFactor;
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32;
    bytes = bytes.subspan(size);
  }
  return hash;
}

}  // namespace deeplab
