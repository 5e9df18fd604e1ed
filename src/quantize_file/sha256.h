// SHA-256 (FIPS 180-4), to say in a model's provenance which file it was made of.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace deeplab::quantize {

/// 64 hexadecimal digits in lower case.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace deeplab::quantize
