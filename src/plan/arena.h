// Places tensors with known lifetimes in one block of memory. Knows nothing of graphs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace deeplab::plan {

/// `bytes` of memory that must not be shared with any other request whose steps meet
/// [first_step, last_step] (both included).
struct ArenaRequest {
  int64_t bytes = 0;
  int first_step = 0;
  int last_step = 0;
};

struct ArenaLayout {
  std::vector<int64_t> offsets;  ///< One per request, each a multiple of kArenaAlignment.
  int64_t total_bytes = 0;
};

inline constexpr int64_t kArenaAlignment = 64;

/// Where the next place or piece of scratch may begin.
template <typename Bytes>
constexpr Bytes aligned(Bytes bytes) {
  constexpr auto kUnit = static_cast<Bytes>(kArenaAlignment);
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

/// Greedy by size: largest first, each into the smallest gap between already placed tensors of
/// overlapping life that holds it, else on top (Pisarchyk and Lee, "Efficient Memory Management
/// for Deep Neural Net Inference", 2020). Error: more than `max_bytes`.
Result<ArenaLayout> plan_arena(std::span<const ArenaRequest> requests, int64_t max_bytes);

/// The most bytes alive at one step: no layout can be smaller.
int64_t arena_lower_bound(std::span<const ArenaRequest> requests);

/// Checks a layout: aligned, inside the total, and no two requests that live at the same time
/// overlap. kInternal with the two requests otherwise.
Status check_arena(std::span<const ArenaRequest> requests, const ArenaLayout& layout);

}  // namespace deeplab::plan
