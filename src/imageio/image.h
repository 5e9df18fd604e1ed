// Decoded photos and what their headers say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace deeplab::imageio {

/// Pixels in memory: 8 bits per sample, interleaved, rows tight, origin at the top left, upright
/// (any EXIF orientation is already applied).
struct Image {
  int32_t width = 0;
  int32_t height = 0;
  int32_t channels = 0;  ///< 3 = RGB, 4 = RGBA (straight alpha), 1 = label map
  /// The photo's own full size, upright. Differs from width x height only if a JPEG was
  /// decoded at a smaller scale (ReadOptions::target_side).
  int32_t original_width = 0;
  int32_t original_height = 0;
  std::vector<uint8_t> pixels;  ///< height * width * channels bytes
  /// What is wrong with a damaged file that was read as far as it goes; empty if nothing is.
  std::string warning;
};

enum class ImageFormat { kJpeg, kPng, kWebp, kBmp, kPnm, kHeif, kTiff, kGif };

/// What a file's header says, without decoding its pixels.
struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  int32_t width = 0;    ///< Upright, like Image::original_width.
  int32_t height = 0;   ///< Upright, like Image::original_height.
  int orientation = 1;  ///< As EXIF counts, 1..8, as stored; 1 if the file has none.
};

}  // namespace deeplab::imageio
