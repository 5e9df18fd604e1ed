// Small pictures for report pages.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "imageio/image.h"

namespace deeplab::eval {

/// The RGB photo with its long side at most `side`, as a JPEG data URI.
Result<std::string> photo_thumbnail(const imageio::Image& photo, int32_t side);

/// The label map likewise, in the VOC palette, as a PNG data URI. A pixel is taken, never mixed:
/// mixing would invent classes.
Result<std::string> mask_thumbnail(const imageio::Image& mask, int32_t side);

}  // namespace deeplab::eval
