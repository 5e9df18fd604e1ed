// options.json: beside a checkpoint, the options it was made with, so that a run is not continued
// with others.
#pragma once

#include <string>

#include "base/status.h"
#include "train/run/run.h"

namespace deeplab::train {

Status store_options(const std::string& directory, const RunOptions& options);

/// Errors: no such file, or the first option that differs, by name.
Status expect_stored_options(const std::string& directory, const RunOptions& options);

}  // namespace deeplab::train
