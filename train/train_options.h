// The options of a training run, in a header of their own, so that the command line needs no
// libtorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/data/options.h"
#include "train/network_options.h"

namespace deeplab::train {

enum class BatchNorm : uint8_t {
  kNone,    ///< Filters and biases as the graph has them: batch norm is folded already.
  kTrain,   ///< A batch norm after every backbone and head convolution but the scores' own.
  kFrozen,  ///< The same with the running statistics; scales and offsets still learn.
};

struct LossOptions {
  double mask_weight = 1;     ///< Of the cross-entropy with masks.
  double teacher_weight = 0;  ///< Of the divergence from the teacher.
  /// Every n-th pixel of every n-th row counts. At 2 the loss is almost the same, since scores are
  /// interpolated from a map 16 times coarser, and takes a quarter of the time.
  int32_t pixel_stride = 2;
  /// [classes]; empty: all 1. The loss is a sum of weight * term, divided by the count of pixels,
  /// not of weights: a heavy class pulls harder.
  std::vector<float> class_weights;
  /// Share of each photo's labelled pixels that count, those with the largest loss first
  /// (hard-pixel mining). 1: all.
  double hard_fraction = 1;
};

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
