// The seam to the thread pool: everything above base/ sees only this.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "base/status.h"

namespace deeplab {

/// The caller's own threads. run() calls task(work, i) once for every i in [0, count), on any
/// threads, and returns after all of them have returned; it neither fails nor throws.
struct ParallelRunner {
  int threads = 1;  ///< The largest `count`.
  void* context = nullptr;
  void (*run)(void* context, void (*task)(void* work, int index), void* work, int count) = nullptr;
};

/// A fixed set of worker threads, or a runner instead of them. parallel_for() may be called by any
/// number of threads: while one of them has the workers, another one's call runs on that thread
/// alone, so that nobody waits for anybody. By itself it neither allocates nor fails.
class ThreadPool {
 public:
  /// `threads` counts the caller: 1 starts no thread. 0 means one per available CPU.
  /// Errors: negative, more than 256, or the system refuses the threads.
  static Result<std::unique_ptr<ThreadPool>> create(int threads);
  /// Starts no thread. Errors: no function, or a count of threads outside 1..256.
  static Result<std::unique_ptr<ThreadPool>> create(const ParallelRunner& runner);
  /// The threads that create() would make of this count. Errors as there.
  static Result<int> count_threads(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls body(begin, end) on disjoint ranges of at most `grain` that cover [0, count);
  /// returns when all are done. The first exception of a body is then thrown here. A body may be
  /// given all of [0, count) at once.
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
  void run_elsewhere(size_t count, size_t grain, Task task, void* context) const;

  struct Ranges;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  ParallelRunner runner_;
  std::atomic<bool> busy_{false};  // somebody's call has the workers
  int threads_ = 1;
};

}  // namespace deeplab
