#include "peak/peak.h"

#include "kernels/choose.h"
#include "peak/peak_list.h"

namespace deeplab::peak {

const Loop& best_loop(Isa isa) {
  static const Loop kTable[] = {DEEPLAB_TABLE_OF_KERNELS(DEEPLAB_PEAK_LOOPS, Loop)};
  return *kernels::choose(std::span<const Loop>(kTable), isa);
}

}  // namespace deeplab::peak
