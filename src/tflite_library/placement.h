// Where TensorFlow Lite runs each op: in a partition of the delegate, or on the CPU.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tflite_library/abi.h"

namespace deeplab::tflite_library {

inline constexpr int kOnCpu = -1;

/// One op of the file that the library was given.
struct PlacedOp {
  int32_t builtin_code = 0;  ///< BuiltinOperator of the file format; 32 is a custom op.
  std::string custom_name;   ///< Of a custom op.
  int partition = kOnCpu;    ///< From 0 in the order of execution, or kOnCpu.
};

/// The op at position i of the file is ops[i].
struct Placement {
  std::vector<PlacedOp> ops;
  int partitions = 0;

  int delegated_ops() const;
};

/// Of a graph whose delegate has just taken its share. `ops` is their number in the file. False:
/// the library does not answer.
bool read_placement(TfLiteContext* context, int ops, Placement& placement);

}  // namespace deeplab::tflite_library
