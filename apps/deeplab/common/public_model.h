// A model file for the public interface, with what the command line says of it: for the commands
// that stand on deeplab.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::app {

struct PublicModel {
  Model model;
  std::vector<std::string> labels;  ///< By class id: those of --labels, else the model's.
  /// --mean, --std and --input-range; nothing: the model's own.
  std::optional<Normalization> normalization;
  /// Whether the model or the command line says what the network wants.
  bool normalization_known = false;
};

/// The model at `path`, or, if that is empty, the one built into this binary. Errors: a model or
/// labels that cannot be read, labels that are not one per class.
Result<PublicModel> load_public_model(const std::string& path, const ModelFlags& flags);

/// What most of the flags of options.h say. The ISA is that of DEEPLAB_ISA; an error if it names
/// none that this machine runs.
Result<Options> segmenter_options(const PublicModel& model, vision::Fit fit, const CanvasSize& size,
                                  int32_t output_stride, int threads);

/// The ids of classes given by name or by number. The error is one of usage.
Result<std::vector<int32_t>> find_classes(const std::vector<std::string>& wanted,
                                          const std::vector<std::string>& labels);

}  // namespace deeplab::app
