// Orientation: finding what EXIF and XMP say of it, and turning pixels upright.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/status.h"
#include "imageio/image.h"
#include "imageio/reader.h"

namespace deeplab::imageio {

/// The Orientation tag (0x0112) of an EXIF block, 1 to 8; 1 if it is missing or the block is
/// damaged (a photo with a broken tag is not refused). `exif` is a TIFF header and directory
/// (EXIF 2.3, section 4.5), with or without the "Exif\0\0" that JPEG puts in front.
int exif_orientation(std::span<const std::byte> exif);

/// The same from all blocks of a file: EXIF's tag counts, XMP's tiff:Orientation if EXIF has none.
class OrientationFinder {
 public:
  void exif(std::span<const std::byte> block);
  void xmp(std::span<const std::byte> packet);
  /// A JPEG's APP1 marker, which says itself which of the two it holds.
  void app1(std::span<const std::byte> data);
  bool has_exif_tag() const { return exif_.has_value(); }
  /// 1 to 8.
  int orientation() const { return exif_.value_or(xmp_.value_or(1)); }

 private:
  std::optional<int> exif_;
  std::optional<int> xmp_;
};

/// True for the orientations that swap width and height.
inline bool swaps_sides(int orientation) { return orientation >= 5; }

/// The image turned upright. `orientation` is 1 to 8.
Image make_upright(Image image, int orientation);

/// The rows of that from the top, a few of them at a time, so that there is no second image. `sink`
/// is told of each; an error of it ends the rows.
Status for_each_upright_row(const Image& image, int orientation, const RowSink& sink);

}  // namespace deeplab::imageio
