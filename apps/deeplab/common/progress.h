// One line on a terminal that says how far a long run has come.
#pragma once

#include <chrono>
#include <cstddef>

namespace deeplab::app {

/// Draws on standard error: a bar, the count, photos a second and the time left.
class Progress {
 public:
  /// Does nothing at all unless `wanted` and standard error is a terminal.
  Progress(size_t total, bool wanted);
  ~Progress() { hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more is done.
  void advance();
  /// Clears the line, so that another may be written; advance() draws it again.
  void hide();

 private:
  using Clock = std::chrono::steady_clock;
  void draw();

  size_t total_;
  size_t done_ = 0;
  bool enabled_;
  bool visible_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_;
};

}  // namespace deeplab::app
