// A test program that lists failing_memory.cc among its sources can have any allocation fail: the
// C library's, operator new, those of libraries, and the start of a thread.
#pragma once

#include <cstdint>
#include <vector>

namespace deeplab::testing {

enum class Failing {
  kOne,      ///< The n-th request alone: whoever recovers meets memory again.
  kAllFrom,  ///< The n-th and all after it: memory has run out, and error paths have none either.
};

/// While this lives, the n-th request (from 1) for memory or for a thread fails, in any thread.
class FailingMemory {
 public:
  FailingMemory(Failing failing, int64_t n);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// Requests so far.
  int64_t requests() const;
  /// Whether any has failed.
  bool has_failed() const;

 private:
  int64_t n_;
};

/// While this lives, requests are told apart by the calls that lead to them.
class RequestRecorder {
 public:
  RequestRecorder();
  ~RequestRecorder();
  RequestRecorder(const RequestRecorder&) = delete;
  RequestRecorder& operator=(const RequestRecorder&) = delete;

  /// How many there were so far.
  int64_t requests() const;
  /// Of the requests, counted from 1, the first of each chain of calls.
  std::vector<int64_t> distinct() const;
};

/// Pieces of memory that the program holds.
int64_t live_allocations();

}  // namespace deeplab::testing
