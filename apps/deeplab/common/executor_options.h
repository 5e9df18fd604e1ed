// Flags of the subcommands that look inside a model: `run` and `compare`.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/deeplab/common/file_network.h"

namespace deeplab::app {

/// --executor planned|naive.
CLI::Option* add_executor_option(CLI::App& app, ExecutorKind& executor);
/// --rounding engine|tflite.
CLI::Option* add_rounding_option(CLI::App& app, kernels::Rounding& rounding);

/// A usage error (CLI::ValidationError) if TFLite's rounding meets the planned executor, whose
/// kernels know the engine's only.
void check_rounding(const FileNetworkOptions& options);

}  // namespace deeplab::app
