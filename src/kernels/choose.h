// Which entry of a kernel table runs an op.
#pragma once

#include <span>

#include "base/isa.h"

namespace deeplab::kernels {

/// The first entry of a table, best first, that a CPU running `isa` can run and that supports these
/// parameters; null if there is none. Entries of tables without `supports` take every op.
template <typename Entry, typename... Params>
const Entry* choose(std::span<const Entry> table, Isa isa, const Params&... params) {
  for (const Entry& entry : table) {
    if (!runs(isa, entry.isa)) continue;
    if constexpr (sizeof...(params) > 0) {
      if (!entry.supports(params...)) continue;
    }
    return &entry;
  }
  return nullptr;
}

}  // namespace deeplab::kernels
