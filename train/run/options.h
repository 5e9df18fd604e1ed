// The options of a training run, in a header of their own, so that the command line needs no
// libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/data/options.h"
#include "train/network/options.h"

namespace deeplab::train {

enum class Optimizer : uint8_t { kSgd, kAdamW };

struct TrainOptions {
  // The network.
  NetworkOptions network;
  std::string init;  ///< A .tflite to start from; empty: random weights.
  BatchNorm batch_norm = BatchNorm::kNone;
  bool freeze_backbone = false;  ///< Only the head learns, and what is new.

  // What it learns from; batch, seed and augmentation are in `data`.
  LoaderOptions data;
  std::vector<std::string> teachers;
  bool teacher_flip = false;
  LossOptions loss;

  // How.
  int64_t steps = 1000;
  Optimizer optimizer = Optimizer::kSgd;
  double learning_rate = 0.007;
  double fresh_factor = 1;     ///< Learning rate of new layers, times this.
  double momentum = 0.9;       ///< SGD's; AdamW's beta1.
  double weight_decay = 4e-5;  ///< Of filters.
  double power = 0.9;          ///< lr * (1 - step/steps)^power ...
  int64_t warmup = 0;          ///< ... times step/warmup at the start.
  double clip = 0;             ///< Largest norm of the gradient; 0: any.
  double average = 0.999;      ///< Decay of the averaged weights that are exported; 0: none.
  /// What is exported: start + blend * (learned - start), layer by layer that `init` filled
  /// (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). It affects no step
  /// and no checkpoint, so a finished run can be exported with another share.
  double blend = 1;
  int32_t micro_batch = 1;  ///< Photos per thread at a time; batch norm sees these.

  // Quantization-aware training: photos that set the ranges, 0: float training.
  int32_t quantize_photos = 0;
};

}  // namespace deeplab::train
