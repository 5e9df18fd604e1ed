#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace deeplab::plan {
namespace {

bool alive_together(const ArenaRequest& a, const ArenaRequest& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

Result<ArenaLayout> plan_arena(std::span<const ArenaRequest> requests, int64_t max_bytes) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });

  ArenaLayout layout;
  layout.offsets.resize(requests.size());
  std::vector<size_t> placed;  // By rising offset.
  for (size_t request : order) {
    const int64_t bytes = aligned(requests[request].bytes);
    // Walk the neighbours in time from the bottom up; `top` is the end of what is below.
    int64_t top = 0;
    int64_t best_offset = -1;
    int64_t best_gap = max_bytes;
    for (size_t other : placed) {
      if (!alive_together(requests[request], requests[other])) continue;
      const int64_t gap = layout.offsets[other] - top;
      if (gap >= bytes && gap < best_gap) {
        best_offset = top;
        best_gap = gap;
      }
      top = std::max(top, layout.offsets[other] + aligned(requests[other].bytes));
    }
    const int64_t offset = best_offset >= 0 ? best_offset : top;
    if (bytes > max_bytes - offset) {
      return resource_exhausted("the activations need more than the limit of ", max_bytes,
                                " bytes");
    }
    layout.offsets[request] = offset;
    layout.total_bytes = std::max(layout.total_bytes, offset + bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [&](int64_t value, size_t p) { return value < layout.offsets[p]; }),
        request);
  }
  return layout;
}

int64_t arena_lower_bound(std::span<const ArenaRequest> requests) {
  // The sum of live bytes only grows where a request begins.
  int64_t most = 0;
  for (const ArenaRequest& at : requests) {
    int64_t alive = 0;
    for (const ArenaRequest& r : requests) {
      if (r.first_step <= at.first_step && at.first_step <= r.last_step) alive += aligned(r.bytes);
    }
    most = std::max(most, alive);
  }
  return most;
}

Status check_arena(std::span<const ArenaRequest> requests, const ArenaLayout& layout) {
  if (layout.offsets.size() != requests.size()) {
    return internal_error("arena: ", requests.size(), " requests but ", layout.offsets.size(),
                          " offsets");
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    const int64_t begin = layout.offsets[i];
    const int64_t end = begin + requests[i].bytes;
    if (begin < 0 || begin % kArenaAlignment != 0 || end > layout.total_bytes) {
      return internal_error("arena: request ", i, " at ", begin, "..", end,
                            " is misaligned or outside ", layout.total_bytes, " bytes");
    }
    for (size_t j = 0; j < i; ++j) {
      if (alive_together(requests[i], requests[j]) &&
          begin < layout.offsets[j] + requests[j].bytes && layout.offsets[j] < end) {
        return internal_error("arena: requests ", j, " and ", i, " overlap at ",
                              std::max(begin, layout.offsets[j]));
      }
    }
  }
  return {};
}

}  // namespace deeplab::plan
