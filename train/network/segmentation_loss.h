// The loss of a segmentation network: cross-entropy with masks, and distillation from a teacher.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "train/network/options.h"

namespace deeplab::train {

/// Some photos with what they are compared with; the arrays are the caller's and stay.
struct LossTargets {
  int64_t height = 0;  ///< Of a crop.
  int64_t width = 0;
  const uint8_t* labels = nullptr;  ///< [N][height][width], 255 = ignore
  /// [N,h,w,classes] float32 scores, or undefined. Any resolution.
  torch::Tensor teacher;
  /// [N] rows and columns, from the top left, that show the photo; the teacher is ignored beyond.
  const int32_t* content_heights = nullptr;
  const int32_t* content_widths = nullptr;
};

/// Over how many pixels each mean is taken: those of the whole step, over all its threads and
/// processes, so that the division of a batch does not matter.
struct LossCounts {
  double labelled = 0;  ///< With hard_fraction applied.
  double taught = 0;
};
LossCounts count_pixels(const LossTargets& targets, int64_t photos, const LossOptions& options);

struct Loss {
  torch::Tensor total;  ///< Scalar with gradient: this share of the step's loss.
  double masks = 0;     ///< This share of the mean cross-entropy, unweighted by mask_weight.
  double teacher = 0;   ///< Likewise of the mean divergence.
};

/// scores [N,h,w,classes] (any resolution) are interpolated at the crop's pixels, bilinearly, as
/// the network's last resize does. Per pixel, with p = softmax(scores), label t, teacher's q:
///   masks    -log p_t                     (weighted by class_weights[t])
///   teacher  sum_c q_c log(q_c / p_c)     (Kullback-Leibler; Hinton et al. 2015 at temperature 1)
Loss segmentation_loss(const torch::Tensor& scores, const LossTargets& targets, bool align_corners,
                       const LossCounts& counts, const LossOptions& options);

}  // namespace deeplab::train
