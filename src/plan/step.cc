#include "plan/step.h"

#include <algorithm>

namespace deeplab::plan {

int32_t even_grain(int32_t rows, int32_t unit, int workers) {
  if (workers <= 1 || rows <= 1) return std::max(rows, 1);
  const int64_t share = (int64_t{rows} + workers - 1) / workers;
  // More pieces than four per worker cost more in packed weights and border rows read again.
  for (int64_t pieces = 4; pieces > 1; --pieces) {
    const int64_t grain = std::max<int64_t>(1, (share / pieces + unit - 1) / unit) * unit;
    const int64_t count = (rows + grain - 1) / grain;
    const int64_t most = (count + workers - 1) / workers * grain;
    if (most * 16 <= share * 17) return static_cast<int32_t>(grain);
  }
  return static_cast<int32_t>(share);
}

}  // namespace deeplab::plan
