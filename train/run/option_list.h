// The list of all options of deeplab-train: to add one is to add its row in option_list.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "train/run/command_line.h"

namespace deeplab::train {

/// Checks every value, and puts the choices among names where they belong in line.run. Errors name
/// the flag.
Status interpret_values(CommandLine& line);

/// Everything that decides what the weights become, by name. A checkpoint belongs to one such
/// object.
nlohmann::json recorded_options(const RunOptions& run);

}  // namespace deeplab::train
