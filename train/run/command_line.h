// The flags of deeplab-train.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "train/run/run.h"

namespace deeplab::train {

/// The flags as they were written; run_options() interprets them. What needs no interpretation
/// stands in `run` already.
struct CommandLine {
  RunOptions run;
  std::vector<std::string> data;
  std::vector<std::string> unlabeled;
  std::vector<std::string> validation;
  std::string class_map;
  std::string size = "513";
  std::string scale = "0.5-2";
  std::string head = "pooling";
  std::string decoder = "none";
  std::string batch_norm = "auto";
  std::string optimizer = "sgd";
  std::string class_weights;
  double jitter = 0;
  int32_t classes = 0;
};

void add_options(CLI::App& app, CommandLine& line);

/// Errors name the flag.
Result<RunOptions> run_options(const CommandLine& line);

}  // namespace deeplab::train
