// What the first photo costs, measured in a new process.
#pragma once

#include <functional>

#include "base/status.h"

namespace deeplab::app {

/// What a process that handles one photo pays.
struct FirstPhoto {
  int threads = 0;
  double load_ms = 0;        ///< Read and check the model file.
  double prepare_ms = 0;     ///< Plan, pack the weights, take the memory.
  double first_ms = 0;       ///< The first inference after that: pixels in memory to label map.
  double start_rss_mib = 0;  ///< Held before `body` was called; filled in here.
  double init_rss_mib = 0;   ///< The most held when load and prepare were done.
  double peak_rss_mib = 0;   ///< The most held in all; filled in here.

  double init_ms() const { return load_ms + prepare_ms; }
};

/// The most memory that this process has held so far.
double peak_rss_mib();

/// Runs `body` in a child process, so that what it takes is neither hidden by nor added to what
/// other measurements took. To be called while the process has one thread. Errors: those of
/// `body`, a child that did not finish, the system.
Result<FirstPhoto> measure_first_photo(const std::function<Status(FirstPhoto&)>& body);

}  // namespace deeplab::app
