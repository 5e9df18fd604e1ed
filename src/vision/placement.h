// Where a photo lies on the network's input canvas, and the way back.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace deeplab::vision {

/// How a photo of any size gets onto a canvas of fixed size.
enum class Fit : uint8_t {
  kPad,  ///< TensorFlow's evaluation: top-left, never enlarged, shrunk only to fit; rest filled.
  kLetterbox,  ///< Shrunk or enlarged to fit, aspect kept, centred; rest filled.
  kStretch,    ///< Resized to the whole canvas; aspect ignored.
};

/// "pad", "letterbox", "stretch".
std::string_view fit_name(Fit fit);
Result<Fit> fit_from_name(std::string_view name);

struct Rect {
  int32_t x = 0;
  int32_t y = 0;
  int32_t width = 0;
  int32_t height = 0;
  bool operator==(const Rect&) const = default;
};

/// The photo is resampled to exactly content.width x content.height canvas pixels, so the scales
/// differ by the rounding of these. With pixel centres at whole numbers on both sides:
///
///     canvas = (photo + 0.5) * scale - 0.5 + offset
///
/// which is the identity if a photo is pasted without resizing.
struct Placement {
  double scale_x = 1;  ///< Canvas pixels per photo pixel.
  double scale_y = 1;
  int32_t offset_x = 0;  ///< Left and top edge of the content, in canvas pixels.
  int32_t offset_y = 0;
  Rect content;  ///< What the photo covers of the canvas.
  int32_t photo_width = 0;
  int32_t photo_height = 0;
  int32_t canvas_width = 0;
  int32_t canvas_height = 0;

  bool operator==(const Placement&) const = default;
  double canvas_x(double photo_x) const { return (photo_x + 0.5) * scale_x - 0.5 + offset_x; }
  double canvas_y(double photo_y) const { return (photo_y + 0.5) * scale_y - 0.5 + offset_y; }
  double photo_x(double x) const { return (x - offset_x + 0.5) / scale_x - 0.5; }
  double photo_y(double y) const { return (y - offset_y + 0.5) / scale_y - 0.5; }
};

/// `pad_limit` is the largest scale of kPad: 1 never enlarges. An evaluation at several scales sets
/// it to each of them, so that the photo is scaled by the same factor as the canvas. Errors: a size
/// that is not positive or over the limits of image_view.h, a limit that is not positive.
Result<Placement> place(Fit fit, int32_t photo_width, int32_t photo_height, int32_t canvas_width,
                        int32_t canvas_height, double pad_limit = 1);

/// The same picture drawn with `width` x `height` pixels: only its scale onto the canvas differs.
Placement redraw(Placement placement, int32_t width, int32_t height);

}  // namespace deeplab::vision
