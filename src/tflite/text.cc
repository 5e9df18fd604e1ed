#include "tflite/text.h"

#include <cstdint>
#include <cstring>

namespace deeplab::tflite {
namespace {

/// Bytes of the well-formed UTF-8 sequence at the start of `s`, or 0.
size_t sequence_length(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || s.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  const uint8_t second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

}  // namespace

std::string clean_text(std::string_view text, size_t max_bytes, bool keep_newlines) {
  std::string clean;
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const auto lead = static_cast<uint8_t>(text[0]);
    const bool control = (lead < 0x20 && !(keep_newlines && lead == '\n')) || lead == 0x7F;
    const std::string_view piece = length == 0 || control ? "?" : text.substr(0, length);
    if (clean.size() + piece.size() > max_bytes) break;
    clean += piece;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

std::vector<std::string> split_labels(std::string_view content) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> labels;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    while (!line.empty() && std::strchr(" \t\r", line.back()) != nullptr) line.remove_suffix(1);
    labels.push_back(clean_text(line, kMaxLabel));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

}  // namespace deeplab::tflite
