#include "peak/peak.h"

#include "kernels/choose.h"
#include "peak/peak_list.h"

namespace deeplab::peak {

const Loop& best_loop(Isa isa, Operands operands) {
  static const Loop kInt8[] = {DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_INT8_PEAK_LOOPS, Loop)};
  static const Loop kFloat[] = {DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_FLOAT_PEAK_LOOPS, Loop)};
  const auto best = [isa](std::span<const Loop> table) -> const Loop& {
    return *kernels::choose(table, isa);
  };
  return operands == Operands::kInt8 ? best(kInt8) : best(kFloat);
}

}  // namespace deeplab::peak
