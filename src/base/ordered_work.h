// A loop over items on several threads whose results come out in the order of the items.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"

namespace deeplab {

/// What ends a loop early, besides a result.
struct OrderedWorkOptions {
  int workers = 1;  ///< Threads that work, the caller among them; at least 1.
  /// Asked before each item, by one thread at a time. True: no other item is begun. May be empty.
  std::function<bool()> should_stop = nullptr;
  /// What the items are called when memory runs out: "not enough memory for this photo".
  const char* item_name = "item";
};

struct OrderedWorkEnd {
  Status status;          ///< Error: out of memory outside the work on an item.
  size_t handed_out = 0;  ///< Items whose results were handed out: the first so many.
};

namespace internal {
/// `work` and `hand_out` as below, but results are the caller's to keep.
OrderedWorkEnd run_in_order(size_t count, const OrderedWorkOptions& options,
                            const std::function<void(int worker, size_t item)>& work,
                            const std::function<bool(size_t item)>& hand_out);
/// The exception that is being handled, as a Status.
Status status_of_exception(const char* item_name);
}  // namespace internal

/// Calls work(worker, item) -> Result<Value> (or Status) once for every item in [0, count), begun
/// in their order. `worker` is below options.workers, and no two threads have the same one at a
/// time, so that it may index what a thread needs for itself. Then hand_out(item, result) -> bool,
/// in the order of the items and by one thread at a time; false ends the loop: no other item is
/// begun, and results of items in progress are dropped. Returns when all threads have ended.
///
/// What `work` throws becomes its item's error. If the system refuses threads, fewer do the work.
template <typename Work, typename HandOut>
OrderedWorkEnd work_in_order(size_t count, const OrderedWorkOptions& options, const Work& work,
                             const HandOut& hand_out) {
  using Outcome = std::invoke_result_t<const Work&, int, size_t>;
  std::vector<std::optional<Outcome>> results(count);
  return internal::run_in_order(
      count, options,
      [&](int worker, size_t item) {
        try {
          results[item].emplace(work(worker, item));
        } catch (...) {
          results[item].emplace(internal::status_of_exception(options.item_name));
        }
      },
      [&](size_t item) {
        Outcome result = std::move(*results[item]);
        results[item].reset();
        return hand_out(item, std::move(result));
      });
}

/// The same for work that gives a Status and hands out nothing: the error of the first item in
/// order that fails; later items may be left out then.
template <typename Work>
Status work_on_each(size_t count, const OrderedWorkOptions& options, const Work& work) {
  Status error;
  const OrderedWorkEnd end = work_in_order(count, options, work, [&](size_t, Status status) {
    error = std::move(status);
    return error.ok();
  });
  return end.status.ok() ? error : end.status;
}

}  // namespace deeplab
