// The peak of a machine's multiply-accumulate units, so that a benchmark can say how far a
// network is from it. Each loop is the instruction sequence that the kernels of its family and type
// are built on, with every operand in a register and enough independent chains to hide latency.
#pragma once

#include <cstdint>

#include "base/isa.h"

namespace deeplab::peak {

struct Loop {
  const char* name;  ///< "vpdpbusd/avx512vnni"
  Isa isa;
  int64_t macs_per_iteration;
  /// Runs the loop; time it from outside. The result depends on every iteration.
  int32_t (*run)(int64_t iterations);
};

/// What is multiplied: peaks of the two differ by up to four times.
enum class Operands : uint8_t { kInt8, kFloat32 };

/// The machine's peak with the kernels of `isa`.
const Loop& best_loop(Isa isa, Operands operands);

}  // namespace deeplab::peak
