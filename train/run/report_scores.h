// The validations of a run in its report: tables and charts of scores.
#pragma once

#include <string>
#include <vector>

#include "train/run/log.h"

namespace deeplab::train {

/// Those that were validated, in the order of the log.
std::vector<std::string> datasets_of(const RunLog& log);

/// The best mean IoU of a dataset of the log.
const RunValidation& best_validation(const RunLog& log, const std::string& dataset);

/// The sections of scores and classes; empty if nothing was validated.
std::string scores_section(const RunLog& log);

}  // namespace deeplab::train
