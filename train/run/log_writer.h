// Writes what log.h reads, and the same as curves for TensorBoard.
#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/status.h"
#include "train/run/event_file.h"

namespace deeplab::train {

/// The log of a run, on rank 0.
class LogWriter {
 public:
  /// A run that starts at step 0 begins a new file with `first_line`; another one continues it.
  Status open(const std::string& directory, const nlohmann::json& first_line, int64_t first_step);

  /// Each number of the line is a point of the curve GROUP/NAME.
  Status add(const nlohmann::json& line, int64_t step, const std::string& group);

 private:
  std::ofstream file_;
  std::optional<EventFile> events_;
};

}  // namespace deeplab::train
