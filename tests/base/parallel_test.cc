#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

namespace deeplab {
namespace {

class ParallelFor : public ::testing::TestWithParam<int> {};

TEST_P(ParallelFor, TouchesEveryIndexOnce) {
  auto pool = ThreadPool::create(GetParam());
  ASSERT_TRUE(pool.ok()) << pool.status().message();
  EXPECT_EQ((*pool)->threads(), GetParam());
  for (size_t count : {0, 1, 2, 7, 64, 1000}) {
    for (size_t grain : {0, 1, 3, 64, 5000}) {
      std::vector<std::atomic<int>> touched(count);
      std::atomic<bool> in_grain = true;
      (*pool)->parallel_for(count, grain, [&](size_t begin, size_t end) {
        if (GetParam() > 1 && end - begin > std::max<size_t>(grain, 1)) in_grain = false;
        for (size_t i = begin; i < end; ++i) ++touched[i];
      });
      EXPECT_TRUE(in_grain);
      for (size_t i = 0; i < count; ++i) EXPECT_EQ(touched[i], 1) << i << " of " << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelFor, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPool, RefusesSillyCounts) {
  EXPECT_EQ(ThreadPool::create(-1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ThreadPool::create(257).status().code(), StatusCode::kInvalidArgument);
  auto pool = ThreadPool::create(0);
  ASSERT_TRUE(pool.ok());
  EXPECT_GE((*pool)->threads(), 1);
}

TEST(Parallel, ThrowsInTheCallerWhatABodyThrowsOnAnyThread) {
  for (const int threads : {1, 2, 4}) {
    auto pool = ThreadPool::create(threads);
    ASSERT_TRUE(pool.ok());
    for (const size_t bad : {0, 17, 99}) {
      std::atomic<int> calls{0};
      EXPECT_THROW((*pool)->parallel_for(100, 1,
                                         [&](size_t begin, size_t end) {
                                           ++calls;
                                           if (begin <= bad && bad < end) throw std::bad_alloc();
                                         }),
                   std::bad_alloc);
      if (threads > 1) {
        EXPECT_EQ(calls, 100);
      }
    }
    std::atomic<int> calls{0};  // the pool is as good as new
    (*pool)->parallel_for(100, 1, [&](size_t, size_t) { ++calls; });
    EXPECT_GE(calls, 1);
  }
}

// Steps of a network, thousands of them, on more threads than there are cores: none is lost, and
// nobody waits for a thread that has no core. (A pool that does took milliseconds per call.)
TEST(ThreadPool, ShortCallsOnMoreThreadsThanCores) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  auto pool = ThreadPool::create(std::min(4 * cores, 64));
  ASSERT_TRUE(pool.ok());
  constexpr int kCalls = 5000;
  constexpr size_t kCount = 64;
  std::vector<int> sums(kCount, 0);
  const auto start = std::chrono::steady_clock::now();
  for (int call = 0; call < kCalls; ++call) {
    (*pool)->parallel_for(kCount, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) sums[i] += 1;
    });
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(sums, std::vector<int>(kCount, kCalls));
  EXPECT_LT(seconds.count(), 10.0);
}

TEST(ThreadPool, SleepsBetweenCalls) {
  auto pool = ThreadPool::create(4);
  ASSERT_TRUE(pool.ok());
  std::atomic<int> calls{0};
  (*pool)->parallel_for(100, 1, [&](size_t, size_t) { ++calls; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();  // processor time of all threads
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.05);
}

}  // namespace
}  // namespace deeplab
