// Runs that stop, and the threads and memory of the caller, through deeplab.hpp. Needs no file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "deeplab/deeplab.h"
#include "deeplab/deeplab.hpp"
#include "tests/api/interface.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;

class Resources : public Interface {};

// ---- Runs -------------------------------------------------------------------------------------

TEST_F(Resources, ARunCanBeStopped) {
  Segmenter segmenter = make();
  int asked = 0;
  RunOptions options;
  options.should_stop = [&] { return ++asked == 5; };
  EXPECT_EQ(segmenter.run(photo_, options).code(), StatusCode::kCancelled);
  EXPECT_EQ(asked, 5);
  std::vector<uint8_t> mask(90 * 70);
  EXPECT_EQ(segmenter.category_mask(90, 70, mask).code(), StatusCode::kInvalidArgument);
  options.should_stop = [] { return false; };
  EXPECT_TRUE(segmenter.run(photo_, options).ok());
  ASSERT_TRUE(segmenter.category_mask(90, 70, mask).ok());
  EXPECT_EQ(mask, mask_of(photo_));
}

TEST_F(Resources, ARunEndsAtItsDeadline) {
  Segmenter segmenter = make();
  RunOptions options;
  options.timeout = std::chrono::milliseconds(1);
  options.should_stop = [] {  // makes it late, whatever the machine
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return false;
  };
  EXPECT_EQ(segmenter.run(photo_, options).code(), StatusCode::kDeadlineExceeded);
  options.timeout = std::chrono::hours(1);
  options.should_stop = {};
  EXPECT_TRUE(segmenter.run(photo_, options).ok());
  options.timeout = std::chrono::milliseconds(-5);
  EXPECT_EQ(segmenter.run(photo_, options).code(), StatusCode::kInvalidArgument);
}

TEST_F(Resources, TheIsaIsAnOptionAndGivesTheSameBytes) {
  const auto expected = mask_of(photo_);
  for (const std::string_view isa : isa_names()) {
    Options options = small_options();
    options.isa = isa;
    EXPECT_EQ(make(options).info().isa, isa);
    EXPECT_EQ(mask_of(photo_, options), expected) << isa;
  }
  Options options = small_options();
  options.isa = "sse9";
  const auto refused = Segmenter::create(*model_, options);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("sse9"));
}

TEST_F(Resources, TheLibraryDoesNotReadTheEnvironment) {
  ASSERT_EQ(::setenv("DEEPLAB_ISA", "nonsense", 1), 0);
  EXPECT_TRUE(Segmenter::create(*model_, small_options()).ok());
  ::unsetenv("DEEPLAB_ISA");
}

// ---- Threads and memory -----------------------------------------------------------------------

struct CountingRunner {
  std::atomic<int> calls{0}, tasks{0};
  static void run(void* context, deeplab_task task, void* work, int32_t count) {
    auto& self = *static_cast<CountingRunner*>(context);
    ++self.calls;
    self.tasks += count;
    EXPECT_LE(count, 3);
    std::vector<std::thread> threads;
    for (int32_t i = 0; i < count; ++i) threads.emplace_back([=] { task(work, i); });
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(Resources, ARunnersThreadsDoTheWork) {
  CountingRunner counter;
  deeplab_runner runner;
  deeplab_runner_init(&runner, sizeof(runner));
  EXPECT_FALSE(WorkerPool::create(runner).ok());
  runner.threads = 3;
  runner.context = &counter;
  runner.run = CountingRunner::run;
  auto pool = WorkerPool::create(runner);
  ASSERT_TRUE(pool.ok()) << pool.status().message();
  Options options = small_options();
  options.pool = *pool;
  EXPECT_EQ(make(options).info().threads, 3);
  EXPECT_EQ(mask_of(photo_, options), mask_of(photo_));
  EXPECT_GT(counter.calls, 3);
  EXPECT_GT(counter.tasks, counter.calls);
  runner.threads = 0;
  EXPECT_FALSE(WorkerPool::create(runner).ok());
}

TEST_F(Resources, SegmentersOfSeveralThreadsShareAPool) {
  const auto expected = mask_of(photo_);
  auto pool = WorkerPool::create(2);
  ASSERT_TRUE(pool.ok());
  Options options = small_options();
  options.pool = *pool;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      auto segmenter = Segmenter::create(*model_, options);
      if (!segmenter.ok()) return;
      for (int i = 0; i < 5; ++i) right += segmenter->segment(photo_)->category_mask == expected;
    });
  }
  options.pool.reset();  // the segmenters keep it
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 20);
}

struct CountingMemory {
  std::atomic<int64_t> live{0}, taken{0};
  bool empty = false;
  static void* allocate(void* context, size_t size, size_t alignment) {
    auto& self = *static_cast<CountingMemory*>(context);
    if (self.empty) return nullptr;
    void* memory = nullptr;
    if (::posix_memalign(&memory, alignment, size) != 0) return nullptr;
    std::memset(memory, 0x5A, size);  // the library has to clear it
    self.live += static_cast<int64_t>(size);
    self.taken += static_cast<int64_t>(size);
    return memory;
  }
  static void release(void* context, void* memory, size_t size) {
    static_cast<CountingMemory*>(context)->live -= static_cast<int64_t>(size);
    std::free(memory);
  }
  Allocator hook() { return {sizeof(Allocator), this, allocate, release}; }
};

/// Without the small tables, which come from the heap.
int64_t most_of(int64_t bytes) { return bytes - bytes / 100; }

TEST_F(Resources, LargeMemoryComesFromTheAllocator) {
  const auto expected = mask_of(photo_);
  CountingMemory memory;
  Options options = small_options();
  options.allocator = memory.hook();
  {
    Segmenter segmenter = make(options);
    const SegmenterInfo info = segmenter.info();
    EXPECT_GE(memory.live, most_of(info.shared_bytes + info.own_bytes));
    const int64_t taken = memory.taken;
    EXPECT_EQ(segmenter.segment(photo_)->category_mask, expected);
    EXPECT_EQ(memory.taken, taken);
    // Others share no plan with it, and take nothing of its memory.
    EXPECT_EQ(mask_of(photo_), expected);
    EXPECT_EQ(memory.taken, taken);
  }
  EXPECT_EQ(memory.live, 0);
  memory.empty = true;
  EXPECT_EQ(Segmenter::create(*model_, options).status().code(), StatusCode::kResourceExhausted);
  options.allocator->release = nullptr;
  EXPECT_EQ(Segmenter::create(*model_, options).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Resources, PlansAreKeptOnRequest) {
  CountingMemory memory;
  Options options = small_options();
  options.allocator = memory.hook();
  const int64_t weights = most_of(Segmenter::estimate(*model_, options)->shared_bytes);
  EXPECT_EQ(memory.live, 0);
  ASSERT_TRUE(model_->keep_plans(1).ok());
  const auto create = [&](int32_t side) {
    options.width = options.height = side;
    memory.taken = 0;
    make(options);
    return memory.taken >= weights;  // planned again
  };
  EXPECT_TRUE(create(kSide));
  EXPECT_FALSE(create(kSide));
  EXPECT_GE(memory.live, weights);
  EXPECT_TRUE(create(33));
  EXPECT_TRUE(create(kSide));  // 33 took its place
  ASSERT_TRUE(model_->keep_plans(2).ok());
  EXPECT_TRUE(create(33));
  EXPECT_FALSE(create(kSide));
  EXPECT_FALSE(create(33));
  ASSERT_TRUE(model_->keep_plans(0).ok());
  EXPECT_EQ(memory.live, 0);
  EXPECT_FALSE(model_->keep_plans(-1).ok());
  EXPECT_FALSE(model_->keep_plans(1025).ok());
}

TEST_F(Resources, ThreadsPlanTheSameAndOtherCanvasesAtOnce) {
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Options options = small_options();
      options.width = options.height = 33 + 16 * (t % 2);
      for (int i = 0; i < 5; ++i) made += Segmenter::create(*model_, options).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 40);
}

}  // namespace
}  // namespace deeplab::testing
