#include "base/ordered_work.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace deeplab::internal {
namespace {

class Loop {
 public:
  Loop(size_t count, const OrderedWorkOptions& options,
       const std::function<void(int, size_t)>& work, const std::function<bool(size_t)>& hand_out)
      : options_(options), work_(work), hand_out_(hand_out), is_done_(count) {}

  OrderedWorkEnd run() {
    {
      std::vector<std::jthread> threads;
      const auto most = static_cast<int>(std::min<size_t>(is_done_.size(), 256));
      const int workers = std::min(options_.workers, most);
      try {
        for (int i = 1; i < workers; ++i) threads.emplace_back([this, i] { work(i); });
      } catch (const std::system_error&) {  // the system gives no more threads: fewer will do
      } catch (const std::bad_alloc&) {
      }
      work(0);
    }
    return {std::move(failed_), handed_out_};
  }

 private:
  /// noexcept: nobody could catch it on a thread of its own.
  void work(int worker) noexcept {
    try {
      while (const std::optional<size_t> item = next()) {
        work_(worker, *item);
        finish(*item);
      }
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      failed_ = out_of_memory();
    }
  }

  std::optional<size_t> next() {
    const std::lock_guard lock(mutex_);
    if (stop_ || next_ == is_done_.size()) return std::nullopt;
    if (options_.should_stop && options_.should_stop()) return std::nullopt;
    return next_++;
  }

  void finish(size_t item) {
    const std::lock_guard lock(mutex_);
    is_done_[item] = true;
    for (; !stop_ && handed_out_ < is_done_.size() && is_done_[handed_out_]; ++handed_out_) {
      if (!hand_out_(handed_out_)) stop_ = true;
    }
  }

  const OrderedWorkOptions& options_;
  const std::function<void(int, size_t)>& work_;
  const std::function<bool(size_t)>& hand_out_;

  std::mutex mutex_;  // guards what follows
  size_t next_ = 0;
  size_t handed_out_ = 0;
  bool stop_ = false;
  Status failed_;
  std::vector<bool> is_done_;  // by item
};

}  // namespace

OrderedWorkEnd run_in_order(size_t count, const OrderedWorkOptions& options,
                            const std::function<void(int worker, size_t item)>& work,
                            const std::function<bool(size_t item)>& hand_out) {
  return Loop(count, options, work, hand_out).run();
}

Status status_of_exception(const char* item_name) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return resource_exhausted("not enough memory for this ", item_name);
  } catch (const std::exception& error) {
    return internal_error(error.what());
  }
}

}  // namespace deeplab::internal
