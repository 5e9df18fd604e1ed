#include "base/ordered_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace deeplab {
namespace {

class OrderedWork : public ::testing::TestWithParam<int> {
 protected:
  OrderedWorkOptions options() const {
    OrderedWorkOptions options;
    options.workers = GetParam();
    options.item_name = "photo";
    return options;
  }
};

TEST_P(OrderedWork, HandsOutEveryResultInTheOrderOfTheItems) {
  for (const size_t count : {0, 1, 2, 7, 500}) {
    std::vector<size_t> order;
    int inside = 0;  // no lock: hand_out has one thread at a time
    const OrderedWorkEnd end = work_in_order(
        count, options(),
        [&](int, size_t item) -> Result<size_t> {
          // The first ones take longest.
          if (item < 3) std::this_thread::sleep_for(std::chrono::milliseconds(3 - item));
          return item * item;
        },
        [&](size_t item, Result<size_t> result) {
          EXPECT_EQ(++inside, 1);
          EXPECT_EQ(result.value(), item * item);
          order.push_back(item);
          --inside;
          return true;
        });
    EXPECT_TRUE(end.status.ok());
    EXPECT_EQ(end.handed_out, count);
    ASSERT_EQ(order.size(), count);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(order[i], i);
  }
}

TEST_P(OrderedWork, AWorkerIsOneThreadAtATime) {
  std::vector<int> scratch(static_cast<size_t>(GetParam()));  // ThreadSanitizer watches
  const OrderedWorkEnd end = work_in_order(
      300, options(),
      [&](int worker, size_t) -> Status {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, GetParam());
        ++scratch[static_cast<size_t>(worker)];
        return {};
      },
      [](size_t, const Status&) { return true; });
  EXPECT_TRUE(end.status.ok());
  int sum = 0;
  for (const int calls : scratch) sum += calls;
  EXPECT_EQ(sum, 300);
}

TEST_P(OrderedWork, BeginsNothingElseOnceHandOutSaysFalse) {
  std::atomic<size_t> begun = 0;
  std::vector<size_t> seen;
  const OrderedWorkEnd end = work_in_order(
      1000, options(),
      [&](int, size_t) -> Status {
        ++begun;
        return {};
      },
      [&](size_t item, const Status&) {
        seen.push_back(item);
        return item < 4;
      });
  EXPECT_TRUE(end.status.ok());
  EXPECT_EQ(seen, (std::vector<size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(end.handed_out, 5u);
  if (GetParam() == 1) {
    EXPECT_EQ(begun, 5u);
  }
}

TEST_P(OrderedWork, FinishesWhatIsInProgressWhenItIsToStop) {
  std::atomic<size_t> begun = 0;
  std::atomic<bool> stop = false;
  OrderedWorkOptions given = options();
  given.should_stop = [&] { return stop.load(); };
  size_t handed_out = 0;
  const OrderedWorkEnd end = work_in_order(
      1000, given,
      [&](int, size_t item) -> Status {
        ++begun;
        if (item == 10) stop = true;
        return {};
      },
      [&](size_t, const Status&) {
        ++handed_out;
        return true;
      });
  EXPECT_TRUE(end.status.ok());
  EXPECT_EQ(handed_out, begun);
  EXPECT_EQ(end.handed_out, begun);
  EXPECT_GE(begun, 11u);
  EXPECT_LE(begun, 11u + static_cast<size_t>(10 * GetParam()));
}

TEST_P(OrderedWork, WhatWorkThrowsIsTheErrorOfItsItem) {
  std::vector<std::string> messages;
  const OrderedWorkEnd end = work_in_order(
      4, options(),
      [&](int, size_t item) -> Result<int> {
        if (item == 1) throw std::bad_alloc();
        if (item == 2) throw std::runtime_error("torn");
        return 7;
      },
      [&](size_t, const Result<int>& result) {
        messages.push_back(result.ok() ? "" : result.status().message());
        return true;
      });
  EXPECT_TRUE(end.status.ok());
  EXPECT_EQ(messages,
            (std::vector<std::string>{"", "not enough memory for this photo", "torn", ""}));
}

TEST_P(OrderedWork, MemoryThatRunsOutWhileHandingOutEndsTheLoop) {
  const OrderedWorkEnd end = work_in_order(
      1000, options(), [](int, size_t) -> Status { return {}; },
      [](size_t item, const Status&) -> bool {
        if (item == 3) throw std::bad_alloc();
        return true;
      });
  EXPECT_EQ(end.status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(end.handed_out, 3u);
}

TEST_P(OrderedWork, GivesTheErrorOfTheFirstItemThatFails) {
  const Status error = work_on_each(200, options(), [](int, size_t item) -> Status {
    // The later one fails first.
    if (item == 20) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return item == 20 || item == 21 ? invalid_argument("item ", item) : Status();
  });
  EXPECT_EQ(error.message(), "item 20");
  EXPECT_TRUE(work_on_each(200, options(), [](int, size_t) { return Status(); }).ok());
}

INSTANTIATE_TEST_SUITE_P(Workers, OrderedWork, ::testing::Values(1, 2, 3, 8));

}  // namespace
}  // namespace deeplab
