// What a PNG's chunks say beside its pixels. They are read here and not by libpng, since some are
// compressed and may be bombs: only those that are needed are unpacked, and only so far.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace deeplab::imageio {

/// 1 to 8, by the eXIf chunk, by EXIF or XMP in a "Raw profile type" text (ImageMagick, ExifTool),
/// or by the XMP text. `png` is a whole file; chunks may follow its pixels.
int png_orientation(std::span<const std::byte> png);

/// The ICC profile; empty if there is none or it is damaged.
std::vector<std::byte> png_profile(std::span<const std::byte> png);

}  // namespace deeplab::imageio
