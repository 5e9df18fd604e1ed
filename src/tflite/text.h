// Private to this folder: text from a file, made safe for one line of a terminal or JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deeplab::tflite {

// What is kept of a file's texts, in bytes.
inline constexpr size_t kMaxName = 256;  ///< Of a tensor.
inline constexpr size_t kMaxDescription = 1024;
inline constexpr size_t kMaxText = 1 << 16;  ///< One of the metadata's.
inline constexpr size_t kMaxLabel = 256;
inline constexpr size_t kMaxLabelFile = size_t{1} << 20;

/// At most `max_bytes` of `text` as valid UTF-8: a control character, or a byte that is not part
/// of a well-formed sequence (Unicode 15, table 3-7), becomes '?'. With `keep_newlines`, '\n'
/// stays.
std::string clean_text(std::string_view text, size_t max_bytes, bool keep_newlines = false);

/// The lines of a label file: without trailing blanks, cleaned, at most kMaxLabel bytes each, up to
/// the last one that is not empty. The line's number is the category's id.
std::vector<std::string> split_labels(std::string_view content);

}  // namespace deeplab::tflite
