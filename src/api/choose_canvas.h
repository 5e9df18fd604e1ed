// Which canvas this machine has time for.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "api/model.h"
#include "api/segmenter.h"
#include "base/status.h"

namespace deeplab::api {

struct CanvasSize {
  int32_t width = 0;
  int32_t height = 0;
  bool operator==(const CanvasSize&) const = default;
};

/// Canvases for pictures of one size, largest first: the long side falls from the model's by 32
/// pixels, down to 129; the short side is the picture's share of it, rounded up so that both sides
/// leave the same rest by 32 as the model's own.
std::vector<CanvasSize> canvases_for(int32_t model_width, int32_t model_height,
                                     int32_t picture_width, int32_t picture_height);

struct ChosenCanvas {
  CanvasSize size;
  double milliseconds = 0;  ///< Of a picture, pixels to category mask of its own size.
};

/// See deeplab_choose_canvas().
Result<ChosenCanvas> choose_canvas(std::shared_ptr<const Model> model, SegmenterOptions options,
                                   int32_t picture_width, int32_t picture_height,
                                   double frames_per_second);

}  // namespace deeplab::api
