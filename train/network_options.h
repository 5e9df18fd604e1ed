// What network deeplab-train makes.
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
  int32_t output_stride =
      16;                ///< 8 or 16: canvas pixels per cell of the features, after all strides.
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

}  // namespace deeplab::train
