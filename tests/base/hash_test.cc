#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace deeplab {
namespace {

TEST(Hash, TellsContentsApart) {
  std::set<uint64_t> hashes;
  size_t contents = 0;
  const auto add = [&](const std::vector<std::byte>& bytes) {
    hashes.insert(hash_of(bytes));
    EXPECT_EQ(hashes.size(), ++contents) << bytes.size();
  };
  for (size_t size = 0; size < 40; ++size) {  // zeros, and each bit of them
    std::vector<std::byte> bytes(size);
    add(bytes);
    for (size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] ^= std::byte{1} << bit % 8;
      add(bytes);
      bytes[bit / 8] ^= std::byte{1} << bit % 8;
    }
  }
  // Two bits of them: the same place in two words, the top bit among them.
  for (size_t bit = 0; bit < 64; ++bit) {
    std::vector<std::byte> bytes(32);
    bytes[bit / 8] = bytes[16 + bit / 8] = std::byte{1} << bit % 8;
    add(bytes);
  }
}

}  // namespace
}  // namespace deeplab
