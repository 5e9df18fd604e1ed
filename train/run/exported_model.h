// What a run exports: the model files of the trainer's weights.
#pragma once

#include <string>

#include "base/status.h"
#include "tflite/reader.h"
#include "train/run/run.h"
#include "train/run/trainer.h"

namespace deeplab::train {

/// The model that would ship now: int8 after quantization-aware training, float otherwise.
Result<tflite::ModelFile> exported_model(const RunOptions& options, const Trainer& trainer);

/// Writes model.tflite and, with quantization-aware training, model.int8.tflite.
Status write_models(const RunOptions& options, const Trainer& trainer);

}  // namespace deeplab::train
