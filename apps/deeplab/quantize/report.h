// What `quantize` says about the model it made.
#pragma once

#include <optional>
#include <string>

#include "apps/deeplab/quantize/validate.h"
#include "quantize_file/pipeline.h"

namespace deeplab::app {

/// A table for people: an op a line, then the totals.
std::string quantize_text(const quantize::QuantizeSetup& setup,
                          const quantize::QuantizeResult& result, const std::string& output,
                          const std::optional<Validation>& validation);

/// The same as one JSON object on a line.
std::string quantize_json(const quantize::QuantizeSetup& setup,
                          const quantize::QuantizeResult& result, const std::string& output,
                          const std::optional<Validation>& validation);

}  // namespace deeplab::app
