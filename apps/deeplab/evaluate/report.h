// What `evaluate` says on standard output.
#pragma once

#include <string>

#include "eval/evaluation.h"

namespace deeplab::app {

/// For people: what was measured and how, one line per class, the scores and what they count.
std::string text_report(const eval::Evaluation& evaluation);

/// The object of --json and a newline. "iou" is null for a class without true pixels.
std::string json_line(const eval::Evaluation& evaluation);

}  // namespace deeplab::app
