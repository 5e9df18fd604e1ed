// A colour as text files write it.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/rgb.h"

namespace deeplab {

/// "#RRGGBB".
inline std::optional<Rgb> parse_hex_rgb(std::string_view text) {
  if (text.size() != 7 || text[0] != '#') return {};
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + 1, end, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return {};
  return Rgb{static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8),
             static_cast<uint8_t>(value)};
}

/// "R,G,B", each 0 to 255, with or without blanks around them.
inline std::optional<Rgb> parse_decimal_rgb(std::string_view text) {
  uint8_t channels[3] = {};
  for (int i = 0; i < 3; ++i) {
    const size_t comma = i < 2 ? text.find(',') : text.size();
    if (comma == text.npos) return {};
    std::string_view number = text.substr(0, comma);
    number.remove_prefix(std::min(number.find_first_not_of(" \t\r"), number.size()));
    number.remove_suffix(number.size() - (number.find_last_not_of(" \t\r") + 1));
    const char* end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, channels[i]);
    if (parsed.ec != std::errc() || parsed.ptr != end) return {};
    if (i < 2) text.remove_prefix(comma + 1);
  }
  return Rgb{channels[0], channels[1], channels[2]};
}

}  // namespace deeplab
