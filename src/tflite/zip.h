// Private to this folder: one file in a ZIP archive that is appended to something else.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace deeplab::tflite {

/// The content of the entry called `name` in the ZIP archive that `bytes` ends with (PKWARE
/// APPNOTE 6.3: stored and deflated entries; no ZIP64, no encryption). Nothing if there is
/// no archive, or no such entry in it. Errors: a damaged archive, or an entry of more than
/// `max_size` bytes; nothing of that size is allocated.
Result<std::optional<std::string>> read_zip_entry(std::span<const std::byte> bytes,
                                                  std::string_view name, size_t max_size);

/// Appends a ZIP archive with one stored file to `bytes`, without a date, so that equal content
/// gives equal bytes. Offsets count from the start of `bytes`, as zip tools expect after another
/// file. `bytes` has less than 4 GB, `content` as well, `name` is ASCII.
void append_zip_entry(std::vector<std::byte>& bytes, std::string_view name,
                      std::string_view content);

}  // namespace deeplab::tflite
