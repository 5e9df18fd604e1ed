// The one file that knows pthreadpool.
#include <pthreadpool.h>
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "base/parallel.h"

namespace deeplab {

struct ThreadPool::Impl {
  struct Destroy {
    void operator()(pthreadpool_t pool) const { pthreadpool_destroy(pool); }
  };
  std::unique_ptr<pthreadpool, Destroy> pool;
};

namespace {

constexpr int kMaxThreads = 256;

// The pool is a library that ThreadSanitizer cannot look into, so it has to be told what the
// pool promises: everything before run() happens before every task, and every task before run()
// returns. Races between tasks are still found.
void happens_before([[maybe_unused]] void* call) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(call);
#endif
}
void happens_after([[maybe_unused]] void* call) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(call);
#endif
}

/// Whether the system lets `count` more threads run at once. The pool does not look at what
/// pthread_create() says and would wait for ever for a thread that did not start: better to find
/// out beforehand, for some 20 us a thread. (A limit that is reached in between is not found.)
bool can_start(int count) {
  std::latch all_there(1);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  bool started = true;
  try {
    while (count-- > 0) threads.emplace_back([&] { all_there.wait(); });
  } catch (const std::system_error&) {
    started = false;
  } catch (const std::bad_alloc&) {
    started = false;
  }
  all_there.count_down();
  for (std::thread& thread : threads) thread.join();
  return started;
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads) {}
ThreadPool::~ThreadPool() = default;

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    return invalid_argument("thread count ", threads, " is not in 0..", kMaxThreads);
  }
  if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::unique_ptr<ThreadPool> result(new ThreadPool(threads));
  result->impl_ = std::make_unique<Impl>();
  if (threads > 1) {
    if (can_start(threads - 1)) {
      result->impl_->pool.reset(pthreadpool_create(static_cast<size_t>(threads)));
    }
    if (!result->impl_->pool) return resource_exhausted("cannot start ", threads, " threads");
  }
  return result;
}

void ThreadPool::run(size_t count, size_t grain, Task task, void* context) {
  if (count == 0) return;
  grain = std::max<size_t>(grain, 1);
  if (!impl_->pool || count <= grain) {
    task(context, 0, count);
    return;
  }
  struct Call {
    Task task;
    void* context;
    std::atomic<bool> has_thrown{false};
    std::exception_ptr thrown = nullptr;
  } call{task, context};
  happens_before(&call);
  pthreadpool_parallelize_1d_tile_1d(
      impl_->pool.get(),
      [](void* argument, size_t begin, size_t size) {
        happens_after(argument);
        Call& c = *static_cast<Call*>(argument);
        try {
          c.task(c.context, begin, begin + size);
        } catch (...) {  // which must not reach the pool, a C library
          if (!c.has_thrown.exchange(true)) c.thrown = std::current_exception();
        }
        happens_before(argument);
      },
      &call, count, grain, /*flags=*/0);
  happens_after(&call);
  if (call.thrown) std::rethrow_exception(call.thrown);
}

}  // namespace deeplab
