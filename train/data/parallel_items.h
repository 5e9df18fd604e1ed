// A Status-returning loop over many files on a few threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>

#include "base/parallel.h"
#include "base/status.h"

namespace deeplab::train {

/// Calls body(i) -> Status for i in [0, count) on `threads` threads, the caller among them, and
/// gives the error of the smallest i that failed; items after a failure may be left out.
template <typename Body>
Status for_each_item(size_t count, int threads, const Body& body) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool, ThreadPool::create(threads));
  std::mutex mutex;
  Status error;
  std::atomic<size_t> failed = count;
  pool->parallel_for(count, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (i > failed.load(std::memory_order_relaxed)) return;
      Status status;
      try {
        status = body(i);
      } catch (const std::bad_alloc&) {
        status = resource_exhausted("not enough memory to check the training data");
      }
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      if (i < failed.load(std::memory_order_relaxed)) {
        failed.store(i, std::memory_order_relaxed);
        error = std::move(status);
      }
      return;
    }
  });
  return error;
}

}  // namespace deeplab::train
