#include "tflite/label_file.h"

#include "base/file.h"
#include "tflite/text.h"

namespace deeplab::tflite {

Result<std::vector<std::string>> read_label_file(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                           read_file(path, static_cast<int64_t>(kMaxLabelFile)));
  return split_labels({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace deeplab::tflite
