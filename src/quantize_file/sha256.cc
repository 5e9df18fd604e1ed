#include "quantize_file/sha256.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace deeplab::quantize {
namespace {

constexpr size_t kBlock = 64;
using Block = std::array<uint8_t, kBlock>;
using State = std::array<uint32_t, 8>;

constexpr std::array<int, 64> first_primes() {
  std::array<int, 64> primes{};
  size_t count = 0;
  for (int n = 2; count < primes.size(); ++n) {
    bool prime = true;
    for (size_t i = 0; i < count && prime; ++i) prime = n % primes[i] != 0;
    if (prime) primes[count++] = n;
  }
  return primes;
}
constexpr std::array<int, 64> kPrimes = first_primes();

/// The first 32 bits of the fraction of an irrational root of a small number: the standard's
/// constants. long double keeps 60 bits after the point of them, and 28 are to spare.
uint32_t fraction_bits(long double root) {
  return static_cast<uint32_t>((root - std::floor(root)) * 4294967296.0L);
}

struct Constants {
  State start;
  std::array<uint32_t, 64> round;
};

Constants make_constants() {
  Constants constants;
  for (size_t i = 0; i < 8; ++i) constants.start[i] = fraction_bits(std::sqrt(1.0L * kPrimes[i]));
  for (size_t i = 0; i < 64; ++i) constants.round[i] = fraction_bits(std::cbrt(1.0L * kPrimes[i]));
  return constants;
}

void add_block(const Constants& constants, const Block& block, State& state) {
  std::array<uint32_t, 64> w;
  for (size_t t = 0; t < 16; ++t) {
    w[t] = uint32_t{block[4 * t]} << 24 | uint32_t{block[4 * t + 1]} << 16 |
           uint32_t{block[4 * t + 2]} << 8 | uint32_t{block[4 * t + 3]};
  }
  for (size_t t = 16; t < 64; ++t) {
    const uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
    const uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = s1 + w[t - 7] + s0 + w[t - 16];
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t t = 0; t < 64; ++t) {
    const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + constants.round[t] + w[t];
    const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const State added = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes) {
  static const Constants constants = make_constants();
  State state = constants.start;
  Block block;
  size_t done = 0;
  for (; bytes.size() - done >= kBlock; done += kBlock) {
    std::memcpy(block.data(), bytes.data() + done, kBlock);
    add_block(constants, block, state);
  }
  const size_t rest = bytes.size() - done;
  block.fill(0);
  if (rest > 0) std::memcpy(block.data(), bytes.data() + done, rest);
  block[rest] = 0x80;
  constexpr size_t kLengthAt = kBlock - 8;
  if (rest >= kLengthAt) {
    add_block(constants, block, state);
    block.fill(0);
  }
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  for (size_t i = 0; i < 8; ++i) {
    block[kLengthAt + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  }
  add_block(constants, block, state);
  std::string hex;
  for (const uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[word >> shift & 0xF];
  }
  return hex;
}

}  // namespace deeplab::quantize
