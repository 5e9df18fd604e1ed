// One line on a terminal that says how far a long run has come.
#pragma once

#include <cstddef>

#include "base/stopwatch.h"

namespace deeplab::app {

/// Draws on standard error: a bar, the count, how many per second and the time left. Several
/// threads need a mutex of their own.
class Progress {
 public:
  /// Does nothing at all unless `wanted` and standard error is a terminal. `total` may be an
  /// estimate; 0: unknown, which shows count and speed alone. `things` is what is counted; static
  /// storage.
  Progress(size_t total, bool wanted, const char* things = "photos");
  ~Progress() { hide(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more is done.
  void advance();
  /// Clears the line, so that another may be written; advance() draws it again.
  void hide();

 private:
  void draw();

  size_t total_;
  size_t done_ = 0;
  bool enabled_;
  const char* things_;
  bool visible_ = false;
  Stopwatch since_start_;
  Stopwatch since_drawn_;
};

}  // namespace deeplab::app
