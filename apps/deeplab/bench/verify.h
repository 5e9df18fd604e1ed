// `bench` refuses to time an output that it has not verified.
#pragma once

#include <cstdint>
#include <span>

#include "api/segmenter.h"
#include "apps/deeplab/bench/measure.h"
#include "apps/deeplab/common/file_network.h"
#include "base/status.h"
#include "vision/image_view.h"
#include "vision/placement.h"

namespace deeplab::app {

/// Runs `segmenter` on the photo and compares its scores, byte for byte, with those that
/// `reference` holds: the same file and canvas on the naive executor with the engine's rounding,
/// run on the same photo before. The error names the first op that gives something else.
Status verify_scores(api::Segmenter& segmenter, FileNetwork& reference,
                     const vision::ImageView& photo, vision::Fit fit);

/// Compares label maps of one size. The error names the first pixel that differs.
Status verify_labels(const api::Segmenter& segmenter, const LabelMap& found,
                     std::span<const uint8_t> expected);

}  // namespace deeplab::app
