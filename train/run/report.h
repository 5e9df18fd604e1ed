// A training run as one self-contained HTML page: its curves, its scores, its options.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/run/log.h"

namespace deeplab::train {

struct RunReportOptions {
  std::string title = "Training run";
  /// Names and addresses of what belongs to the run; relative ones are meant from the page.
  std::vector<std::pair<std::string, std::string>> links = {};
};

/// The page. Each section is there when the log has something for it: figures, loss, validation
/// scores, classes, learning rate, throughput, waiting for data, any other number that was logged,
/// the options, the data.
std::string render_run_report(const RunLog& log, const RunReportOptions& options = {});

}  // namespace deeplab::train
