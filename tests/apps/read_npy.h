// Reads back what `deeplab run` writes, by the format's own description and not by our writer.
#pragma once

#include <cstddef>
#include <string>

namespace deeplab::testing {

struct NpyFile {
  std::string type;   ///< "|u1"
  std::string shape;  ///< "1, 513, 513"
  std::string data;   ///< The bytes after the header.
};

/// Fails the current test and gives an empty object if `path` is not an .npy file of format 1.0,
/// or its data do not start at a multiple of 64.
NpyFile read_npy(const std::string& path);

}  // namespace deeplab::testing
