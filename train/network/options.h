// What network deeplab-train makes and what it learns from the pixels; apart from what does it, so
// that the command line needs no libtorch.
#pragma once

#include <cstdint>
#include <vector>

namespace deeplab::train {

/// What turns the backbone's features into scores.
enum class Head : uint8_t {
  kPooling,    ///< DeepLabV3's head: image pooling beside a 1x1 (and `aspp_rates`), then a 1x1.
  kLiteRAspp,  ///< MobileNetV3's LR-ASPP: features gated by image pooling, a skip from stride 8.
};

/// What brings finer features to the scores of Head::kPooling.
enum class Decoder : uint8_t {
  kNone,
  kRefine,  ///< A correction of the scores at stride 8, from features of both strides.
};

struct NetworkOptions {
  double depth_multiplier = 0.5;
  /// 8 or 16: canvas pixels per cell of the features, after all strides.
  int32_t output_stride = 16;
  int32_t height = 513;  ///< Canvas.
  int32_t width = 513;
  int32_t classes = 21;
  Head head = Head::kPooling;
  Decoder decoder = Decoder::kNone;
  /// Dilations of additional 3x3 depthwise + 1x1 branches of Head::kPooling; {6, 12, 18} in the
  /// paper, none in the published mobile models.
  std::vector<int32_t> aspp_rates;
  bool operator==(const NetworkOptions&) const = default;
};

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

}  // namespace deeplab::train
