// A whole run: checks, training, validation, logs, checkpoints, the exported model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "train/run/options.h"

namespace deeplab::train {

struct RunOptions {
  TrainOptions train;
  std::string directory;  ///< Takes everything the run writes.
  std::vector<SourceOptions> validation;
  int threads = 0;         ///< 0: one per CPU.
  int64_t log_every = 20;  ///< Steps.
  int64_t save_every = 100;
  int64_t validate_every = 0;  ///< 0: at the end only.
  bool allow_missing_classes = false;
  bool check = true;           ///< Look through the data before the first step.
  bool balanced_loss = false;  ///< Class weights by median frequency.
  std::vector<std::string> class_names;
  // For the file.
  std::string name = "DeepLabV3-MobileNetV2";
  std::string description;
  std::string author;
  std::string license;
};

/// Runs to the last step; continues if `directory` holds a checkpoint. Writes there
///   metrics.jsonl, events.out.tfevents.*   what happened, step by step
///   checkpoint.pt                          the next start
///   model.tflite                           the float model (averaged weights)
///   model.int8.tflite                      with quantization-aware training
///   report.html                            curves and options
/// Messages go to standard error. Errors: data that does not pass the checks, a checkpoint of
/// other options, files that cannot be read or written.
Status run_training(const RunOptions& options);

}  // namespace deeplab::train
