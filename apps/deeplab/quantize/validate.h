// Mean IoU of the float model beside the quantized one's, on a dataset with masks.
#pragma once

#include <memory>
#include <string>

#include "api/model.h"
#include "apps/deeplab/common/photos.h"
#include "base/status.h"
#include "eval/scores.h"
#include "vision/placement.h"

namespace deeplab::app {

struct Validation {
  std::string dataset;
  std::string split;
  int64_t images = 0;
  eval::Scores float_scores;
  eval::Scores int8_scores;
};

/// DATASET[:SPLIT] in VOC layout; val if no split is named. Scored at the photo's own size.
/// `mask_map`: the file of --mask-map, or nothing. `float_stride` is the output stride that the
/// float model runs at; 0: its own. Warnings about damaged photos go to standard error. Errors: the
/// dataset, a photo or a mask that cannot be read or does not fit the model, masks that hold only 0
/// and 255.
Result<Validation> validate_models(const std::string& dataset, const std::string& mask_map,
                                   std::shared_ptr<const api::Model> float_model,
                                   std::shared_ptr<const api::Model> int8_model, vision::Fit fit,
                                   const photos::DecodeOptions& decode, int32_t float_stride,
                                   int threads, bool show_progress);

}  // namespace deeplab::app
