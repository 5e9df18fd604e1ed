// EXIF orientation: finding the tag, and turning pixels upright.
#pragma once

#include <cstddef>
#include <span>

#include "imageio/image.h"

namespace deeplab::imageio {

/// The Orientation tag (0x0112) of an EXIF block, 1 to 8; 1 if it is missing or the block is
/// damaged (a photo with a broken tag is not refused). `exif` is a TIFF header and directory
/// (EXIF 2.3, section 4.5), with or without the "Exif\0\0" that JPEG puts in front.
int exif_orientation(std::span<const std::byte> exif);

/// True for the orientations that swap width and height.
inline bool swaps_sides(int orientation) { return orientation >= 5; }

/// The image turned upright. `orientation` is 1 to 8.
Image make_upright(Image image, int orientation);

}  // namespace deeplab::imageio
