// SIGINT and SIGTERM in a run over many photos or frames: those in progress are finished, no other
// is begun.
#pragma once

#include <cstddef>

namespace deeplab::app {

/// From its construction to its end the first SIGINT or SIGTERM only asks to stop, and one that
/// comes a second later or more ends the process at once. One at a time in the process.
class InterruptGuard {
 public:
  /// `in_progress` is what a terminal is told about, such as "the photos in progress"; static
  /// storage.
  explicit InterruptGuard(const char* in_progress = "the photos in progress");
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether to stop. From any thread.
  static bool requested();
};

/// "SIGINT" or "SIGTERM": the one that came.
const char* interrupt_name();

/// "deeplab: stopped by SIGINT after 3 of 12 photos" and `advice` on standard error.
void print_interrupted(size_t done, size_t total, const char* advice);

/// Ends the process by the signal that came: the shell sees 128 + its number, and a script that
/// runs this program in a loop ends, too.
[[noreturn]] void end_by_signal();

}  // namespace deeplab::app
