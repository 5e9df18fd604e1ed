// A model file as another program gets it: its own bytes, with less at the end if so asked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::tflite {

/// Of bytes that read_model() has accepted, and that have not changed since. A reader of the copy
/// finds in it what it would find in the file.
class FileCopy {
 public:
  explicit FileCopy(std::span<const std::byte> file) : bytes_(file.begin(), file.end()) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  int op_count() const;
  /// "CONV_2D", "CUSTOM 'ethos-u'": as messages name it.
  std::string op_name(int index) const;

  /// Makes `output` the only output and drops the ops from `op_count` on: two numbers of the file
  /// and the output's id change, and no byte moves. Error: a tensor that the file does not have.
  Status end_in(graph::TensorId output, int op_count);

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace deeplab::tflite
