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
// takes a core from those who have work where threads are more than cores.
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

// A call is open while its caller works on it. Workers that come in time join it; one that the
// system does not run right now is not waited for, so that threads without a core cost nothing.
struct ThreadPool::Impl {
  // Of the call; written while it is closed and nobody is in it.
  Task task = nullptr;
  void* context = nullptr;
  size_t count = 0;
  size_t grain = 1;
  std::exception_ptr thrown;
  std::atomic<bool> has_thrown{false};
  std::atomic<bool> stopping{false};

  // Each in a cache line of its own.
  alignas(64) std::atomic<size_t> next{0};         // First index that nobody has taken.
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

  void work_on_ranges() {
    for (size_t begin; (begin = next.fetch_add(grain, std::memory_order_relaxed)) < count;) {
      try {
        task(context, begin, std::min(grain, count - begin) + begin);
      } catch (...) {
        if (!has_thrown.exchange(true)) thrown = std::current_exception();
      }
    }
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
      work_on_ranges();
      if (inside.fetch_sub(1, std::memory_order_release) == 1) inside.notify_one();
    }
  }

  void call() {
    next.store(0, std::memory_order_relaxed);
    inside.store(kOpen, std::memory_order_release);
    announce();
    work_on_ranges();
    uint32_t left = inside.fetch_and(~kOpen, std::memory_order_acquire) & ~kOpen;
    while (left != 0) left = wait_for_change(inside, left);
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads) {}
ThreadPool::~ThreadPool() = default;

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    return invalid_argument("thread count ", threads, " is not in 0..", kMaxThreads);
  }
  if (threads == 0) {
    const unsigned cpus = std::thread::hardware_concurrency();
    threads = static_cast<int>(std::clamp(cpus, 1u, static_cast<unsigned>(kMaxThreads)));
  }
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

void ThreadPool::run(size_t count, size_t grain, Task task, void* context) {
  if (count == 0) return;
  grain = std::max<size_t>(grain, 1);
  if (!impl_ || count <= grain) {
    task(context, 0, count);
    return;
  }
  impl_->task = task;
  impl_->context = context;
  impl_->count = count;
  impl_->grain = grain;
  impl_->call();
  if (!impl_->has_thrown) return;
  impl_->has_thrown = false;
  std::rethrow_exception(std::exchange(impl_->thrown, nullptr));
}

}  // namespace deeplab
