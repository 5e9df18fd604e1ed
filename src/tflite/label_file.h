// The names of a model's classes from a text file beside it.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace deeplab::tflite {

/// One label per line, in the order of the class ids, read as a label file inside a model is:
/// without a byte order mark, blanks at the end of a line and empty lines at the end of the file.
/// Error: a file that cannot be read or is larger than 1 MiB.
Result<std::vector<std::string>> read_label_file(const std::string& path);

}  // namespace deeplab::tflite
