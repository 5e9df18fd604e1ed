// The names of a model's classes from a text file beside it.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace deeplab::tflite {

/// One label per line, in the order of the class ids, read as a label file inside a model is:
/// without blanks at the end of a line and empty lines at the end of the file. Errors: a file that
/// cannot be read or is larger than 1 MiB, another number of labels than `classes`.
Result<std::vector<std::string>> read_label_file(const std::string& path, size_t classes);

}  // namespace deeplab::tflite
