// Whole files in, whole files out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace deeplab {

/// The bytes of the regular file or pipe at `path` ("-" is standard input). An error names the
/// path and the system's reason: missing, a directory, no permission, more than `max_bytes`.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

/// Writes `bytes` to a temporary file beside `path`, then renames it over `path`: the file
/// appears whole or not at all, and on any error the temporary file is removed, even if the
/// folder was renamed meanwhile.
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace deeplab
