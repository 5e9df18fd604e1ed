// Time that has passed: the one place that knows which clock measures it.
#pragma once

#include <chrono>

namespace deeplab {

/// Runs from its construction or the last restart().
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  void restart() { start_ = Clock::now(); }
  Clock::duration elapsed() const { return Clock::now() - start_; }
  double seconds() const { return std::chrono::duration<double>(elapsed()).count(); }
  double milliseconds() const {
    return std::chrono::duration<double, std::milli>(elapsed()).count();
  }

 private:
  Clock::time_point start_ = Clock::now();
};

}  // namespace deeplab
