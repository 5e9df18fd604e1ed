#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
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

}  // namespace
}  // namespace deeplab
