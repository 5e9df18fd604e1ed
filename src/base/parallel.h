// The seam to the thread pool: everything above base/ sees only this.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include "base/status.h"

namespace deeplab {

/// A fixed set of worker threads. parallel_for() may be called from one thread at a time;
/// by itself it neither allocates nor fails.
class ThreadPool {
 public:
  /// `threads` counts the caller: 1 starts no thread. 0 means one per available CPU.
  /// Errors: negative, more than 256, or the system refuses the threads.
  static Result<std::unique_ptr<ThreadPool>> create(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls body(begin, end) on disjoint ranges of at most `grain` that cover [0, count);
  /// returns when all are done. Of what bodies throw, the first is then thrown here.
  template <typename Body>
  void parallel_for(size_t count, size_t grain, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run(
        count, grain,
        [](void* context, size_t begin, size_t end) {
          (*static_cast<Plain*>(context))(begin, end);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using Task = void (*)(void* context, size_t begin, size_t end);
  explicit ThreadPool(int threads);
  void run(size_t count, size_t grain, Task task, void* context);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  int threads_ = 1;
};

}  // namespace deeplab
