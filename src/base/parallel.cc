#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace deeplab {
namespace {

constexpr int kMaxThreads = 256;

// How often a thread looks before it sleeps: some tens of microseconds. The steps of a network
// follow each other faster than that, and waking a thread would cost as much; spinning for longer
// takes a core from those who have work if threads are more than cores.
constexpr int kLooks = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// Until `value` is another one than `old`; gives that.
uint32_t wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kLooks; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

// The ranges of one call, and what came of them.
struct ThreadPool::Ranges {
  Task task = nullptr;
  void* context = nullptr;
  size_t count = 0;
  size_t grain = 1;
  std::exception_ptr thrown;
  std::atomic<bool> has_thrown{false};
  alignas(64) std::atomic<size_t> next{0};  // First index that nobody has taken.

  void work() noexcept {
    for (size_t begin; (begin = next.fetch_add(grain, std::memory_order_relaxed)) < count;) {
      try {
        task(context, begin, std::min(grain, count - begin) + begin);
      } catch (...) {
        if (!has_thrown.exchange(true)) thrown = std::current_exception();
      }
    }
  }
};

// A call is open while its caller works on it. Workers that come in time join it; one that the
// system does not run right now is not waited for, so that threads without a core cost nothing.
struct ThreadPool::Impl {
  Ranges ranges;  // Of the call; written while it is closed and nobody is in it.
  std::atomic<bool> stopping{false};

  // Each in a cache line of its own.
  alignas(64) std::atomic<uint32_t> inside{0};     // Workers in the call, and kOpen.
  alignas(64) std::atomic<uint32_t> announced{0};  // Calls so far.
  alignas(64) std::vector<std::thread> workers;

  static constexpr uint32_t kOpen = 1 << 16;

  ~Impl() {
    stopping = true;
    announce();
    for (std::thread& worker : workers) worker.join();
  }

  void announce() {
    announced.fetch_add(1, std::memory_order_release);
    announced.notify_all();
  }

  bool join() {
    uint32_t now = inside.load(std::memory_order_relaxed);
    while ((now & kOpen) != 0) {
      if (inside.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }

  void be_worker() {
    for (uint32_t seen = 0;;) {
      seen = wait_for_change(announced, seen);
      if (stopping) return;
      if (!join()) continue;
      ranges.work();
      if (inside.fetch_sub(1, std::memory_order_release) == 1) inside.notify_one();
    }
  }

  void call() {
    ranges.next.store(0, std::memory_order_relaxed);
    inside.store(kOpen, std::memory_order_release);
    announce();
    ranges.work();
    uint32_t left = inside.fetch_and(~kOpen, std::memory_order_acquire) & ~kOpen;
    while (left != 0) left = wait_for_change(inside, left);
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads) {}
ThreadPool::~ThreadPool() = default;

Result<int> ThreadPool::count_threads(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    return invalid_argument("thread count ", threads, " is not in 0..", kMaxThreads);
  }
  if (threads > 0) return threads;
  const unsigned cpus = std::thread::hardware_concurrency();
  return static_cast<int>(std::clamp(cpus, 1u, static_cast<unsigned>(kMaxThreads)));
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(threads, count_threads(threads));
  std::unique_ptr<ThreadPool> result(new ThreadPool(threads));
  if (threads == 1) return result;
  try {
    result->impl_ = std::make_unique<Impl>();
    Impl& impl = *result->impl_;
    impl.workers.reserve(static_cast<size_t>(threads - 1));
    for (int i = 1; i < threads; ++i) impl.workers.emplace_back([&impl] { impl.be_worker(); });
  } catch (const std::system_error&) {
    return resource_exhausted("cannot start ", threads, " threads");
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for ", threads, " threads");
  }
  return result;
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(const ParallelRunner& runner) {
  if (runner.run == nullptr) return invalid_argument("a runner without a function");
  if (runner.threads < 1 || runner.threads > kMaxThreads) {
    return invalid_argument("a runner of ", runner.threads, " threads is not in 1..", kMaxThreads);
  }
  std::unique_ptr<ThreadPool> result(new ThreadPool(runner.threads));
  result->runner_ = runner;
  return result;
}

void ThreadPool::run(size_t count, size_t grain, Task task, void* context) {
  if (count == 0) return;
  grain = std::max<size_t>(grain, 1);
  const bool alone = count <= grain || threads_ == 1;
  if (!alone && runner_.run != nullptr) return run_elsewhere(count, grain, task, context);
  if (alone || busy_.exchange(true, std::memory_order_acquire)) {
    task(context, 0, count);
    return;
  }
  Ranges& ranges = impl_->ranges;
  ranges.task = task;
  ranges.context = context;
  ranges.count = count;
  ranges.grain = grain;
  impl_->call();
  const bool has_thrown = ranges.has_thrown.exchange(false);
  const std::exception_ptr thrown = std::exchange(ranges.thrown, nullptr);
  busy_.store(false, std::memory_order_release);
  if (has_thrown) std::rethrow_exception(thrown);
}

void ThreadPool::run_elsewhere(size_t count, size_t grain, Task task, void* context) const {
  Ranges ranges;
  ranges.task = task;
  ranges.context = context;
  ranges.count = count;
  ranges.grain = grain;
  const size_t pieces = (count - 1) / grain + 1;
  runner_.run(
      runner_.context, [](void* work, int) { static_cast<Ranges*>(work)->work(); }, &ranges,
      static_cast<int>(std::min<size_t>(pieces, static_cast<size_t>(threads_))));
  if (ranges.has_thrown) std::rethrow_exception(ranges.thrown);
}

}  // namespace deeplab
