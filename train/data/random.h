// Random numbers that are a function of where they are used, not of what was drawn before: sample
// number k of a run is the same on every machine, in every process, after every restart.
#pragma once

#include <cstdint>

namespace deeplab::train {

/// The output function of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes every bit.
constexpr uint64_t mix_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// A key of its own for (key, index): the start of an independent stream.
constexpr uint64_t derive_key(uint64_t key, uint64_t index) {
  return mix_bits(mix_bits(key + 0x9e3779b97f4a7c15ull) ^ (index * 0xd1342543de82ef95ull + 1));
}

/// Evenly spread over [0, 1) in steps of 2^-53.
constexpr double unit_interval(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

/// Evenly spread over 0..n-1, n > 0; the bias is below n / 2^64.
constexpr int64_t below(uint64_t bits, int64_t n) {
  using Wide = unsigned __int128;
  return static_cast<int64_t>((static_cast<Wide>(bits) * static_cast<uint64_t>(n)) >> 64);
}

/// What a number is for. Each use has its own stream, so that switching an augmentation on or off
/// changes no other number. Values are part of what a seed means: never renumber.
enum class Draw : uint64_t {
  kScale = 1,
  kCropX = 2,
  kCropY = 3,
  kFlip = 4,
  kBrightness = 5,
  kContrast = 6,
  kSaturation = 7,
  kHue = 8,
  kJpeg = 9,
  kJpegQuality = 10,
  kMix = 11,
  kPass = 12,
  kPassOffset = 13,
};

}  // namespace deeplab::train
