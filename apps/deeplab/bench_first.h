// What the first photo costs, measured where nothing else has happened.
#pragma once

#include <functional>

#include "base/status.h"

namespace deeplab::app {

/// What a process that handles one photo pays.
struct FirstPhoto {
  int threads = 0;
  double prepare_ms = 0;
  double peak_rss_mib = 0;  ///< The most memory that the process has held; filled in here.
};

/// Runs `body` in a child process, so that what it takes is neither hidden behind nor added to what
/// other measurements took. To be called while the process has one thread. Errors: those of
/// `body`, a child that did not come to its end, the system.
Result<FirstPhoto> measure_first_photo(const std::function<Status(FirstPhoto&)>& body);

}  // namespace deeplab::app
