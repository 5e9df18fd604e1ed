// What `evaluate` says on standard output.
#pragma once

#include <string>

#include "evaluate_run.h"

namespace deeplab::app {

/// For people: what was counted and how, a line a class, the scores.
std::string text_report(const Evaluation& evaluation);

/// The object of --json and a newline.
std::string json_line(const Evaluation& evaluation);

}  // namespace deeplab::app
