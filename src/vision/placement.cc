#include "vision/placement.h"

#include <algorithm>
#include <cmath>

#include "vision/image_view.h"

namespace deeplab::vision {

std::string_view fit_name(Fit fit) {
  switch (fit) {
    case Fit::kPad:
      return "pad";
    case Fit::kLetterbox:
      return "letterbox";
    case Fit::kStretch:
      return "stretch";
  }
  return "unknown";
}

Result<Fit> fit_from_name(std::string_view name) {
  for (Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
    if (name == fit_name(fit)) return fit;
  }
  return invalid_argument("fit \"", name, "\" is none of pad, letterbox, stretch");
}

Result<Placement> place(Fit fit, int32_t photo_width, int32_t photo_height, int32_t canvas_width,
                        int32_t canvas_height, double pad_limit) {
  DEEPLAB_RETURN_IF_ERROR(validate_size(photo_width, photo_height, "photo"));
  DEEPLAB_RETURN_IF_ERROR(validate_size(canvas_width, canvas_height, "canvas"));
  if (!(pad_limit > 0)) return invalid_argument("pad limit ", pad_limit, " is not positive");

  Rect content{0, 0, canvas_width, canvas_height};
  if (fit != Fit::kStretch) {
    double scale =
        std::min(double(canvas_width) / photo_width, double(canvas_height) / photo_height);
    if (fit == Fit::kPad) scale = std::min(scale, pad_limit);
    const auto scaled = [scale](int32_t photo, int32_t canvas) {
      return std::clamp(static_cast<int32_t>(std::lround(photo * scale)), 1, canvas);
    };
    content.width = scaled(photo_width, canvas_width);
    content.height = scaled(photo_height, canvas_height);
  }
  if (fit == Fit::kLetterbox) {
    content.x = (canvas_width - content.width) / 2;
    content.y = (canvas_height - content.height) / 2;
  }

  return Placement{.scale_x = double(content.width) / photo_width,
                   .scale_y = double(content.height) / photo_height,
                   .offset_x = content.x,
                   .offset_y = content.y,
                   .content = content,
                   .photo_width = photo_width,
                   .photo_height = photo_height,
                   .canvas_width = canvas_width,
                   .canvas_height = canvas_height};
}

Placement redraw(Placement placement, int32_t width, int32_t height) {
  placement.scale_x *= static_cast<double>(placement.photo_width) / width;
  placement.scale_y *= static_cast<double>(placement.photo_height) / height;
  placement.photo_width = width;
  placement.photo_height = height;
  return placement;
}

}  // namespace deeplab::vision
