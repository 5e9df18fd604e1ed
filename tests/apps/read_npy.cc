#include "tests/apps/read_npy.h"

#include <gtest/gtest.h>

#include <regex>

#include "tests/apps/program.h"

namespace deeplab::testing {

NpyFile read_npy(const std::string& path) {
  const std::string file = file_text(path);
  const std::string magic("\x93NUMPY\x01\x00", 8);
  if (file.size() < 10 || file.substr(0, 8) != magic) {
    ADD_FAILURE() << path << " is not an .npy file";
    return {};
  }
  const auto byte = [&file](size_t at) { return static_cast<size_t>(file[at] & 0xff); };
  const size_t data = 10 + byte(8) + 256 * byte(9);
  const std::string header = file.substr(10, data - 10);
  std::smatch found;
  const std::regex pattern(
      R"(\{'descr': '(.{3})', 'fortran_order': False, 'shape': \((.*)\), \} *\n)");
  if (data % 64 != 0 || !std::regex_match(header, found, pattern)) {
    ADD_FAILURE() << path << " has a header that NumPy does not read: " << header;
    return {};
  }
  return {found[1], found[2], file.substr(data)};
}

}  // namespace deeplab::testing
