// metrics.jsonl: what a training run writes about itself, one JSON object per line, and how it is
// read back.
//
//   {"options":{...},"classes":["background",...],"dataset":["20 photos ...",...]}   the first line
//   {"step":N,"loss":L,"loss_masks":..,"loss_teacher":..,"lr":..,"photos_per_s":..,"data_wait":..}
//   {"step":N,"validation":"voc:val","miou":M,"pixel_accuracy":A,"iou":[..]}
//
// A run that is killed leaves half a line, and a run that is resumed goes back to its checkpoint
// and logs some steps again. Both are normal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace deeplab::train {

/// A validation; not-a-number if the log has null or nothing.
struct RunValidation {
  int64_t step = 0;
  std::string dataset;
  double miou = 0;
  double pixel_accuracy = 0;
  std::vector<double> iou;  ///< One per class.
};

struct RunLog {
  std::vector<std::pair<std::string, std::string>> options;  ///< Names and values, as text.
  std::vector<std::string> classes;
  std::vector<std::string> dataset;  ///< Sentences about the data.
  /// By step, every number of its line by name ("loss", "lr", ...).
  std::map<int64_t, std::map<std::string, double>> steps;
  std::vector<RunValidation> validations;  ///< By rising step; as logged within a step.
  int torn_lines = 0;                      ///< Lines that are no JSON object, and were left out.
};

/// Reads a log. If a step is logged a second time the run was resumed: what was there from that
/// step on belongs to a lost part of the run, and is dropped. Errors: a file that cannot be read or
/// whose first line does not have the options.
Result<RunLog> read_run_log(const std::string& path);

}  // namespace deeplab::train
