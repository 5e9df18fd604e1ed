// How good the network is now: exported as it would ship and run by the engine.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "eval/class_map.h"
#include "eval/scores.h"
#include "eval/voc_dataset.h"
#include "tflite/reader.h"

namespace deeplab::train {

/// The pad protocol over a whole dataset, as `deeplab evaluate` measures it. `class_map` may be
/// null. Errors: a photo, a mask or a model that cannot be used, by name.
Result<eval::Scores> validate_model(const tflite::ModelFile& model, const eval::VocDataset& dataset,
                                    const eval::ClassMap* class_map, int threads);

}  // namespace deeplab::train
