// The photos that a network is calibrated on, as its input canvas has them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "photos/photos.h"
#include "quantize/graph_runner.h"
#include "vision/pixel_lut.h"
#include "vision/placement.h"

namespace deeplab::quantize {

/// At most `count` photos, spread evenly over all that were found. A source is a directory of
/// photos, a photo, DATASET:SPLIT for a dataset in VOC layout, or a text file (.txt) with one
/// path per line, relative to the file's own directory. Errors: a source that is not there, a VOC
/// dataset without a split (its masks are not photos), no photo at all. The list has no errors, and
/// names what was passed over in directories.
Result<photos::PhotoList> find_calibration_photos(const std::vector<std::string>& sources,
                                                  size_t count);

/// `count` of `photos`, evenly spread; all if there are no more.
std::vector<photos::Photo> spread(const std::vector<photos::Photo>& photos, size_t count);

/// The photos on canvases. Those that fit in kCacheBytes are decoded once.
class CalibrationPhotos {
 public:
  static constexpr size_t kCacheBytes = size_t{256} << 20;

  CalibrationPhotos(vision::Fit fit, int32_t width, int32_t height,
                    const vision::Normalization& normalization,
                    const photos::DecodeOptions& decode = {});

  /// Adds a photo, and gives what is wrong with one that was read nevertheless, or nothing. Error:
  /// it cannot be decoded; it is left out then.
  Result<std::string> add(const photos::Photo& photo);

  size_t size() const { return photos_.size(); }
  const std::vector<photos::Photo>& photos() const { return photos_; }
  /// The photos as normalised floats. At most `count`, evenly spread. Holds a pointer
  /// to this object.
  Samples samples(size_t count) const;

 private:
  struct Canvas {
    std::vector<uint8_t> pixels;  ///< RGB; empty if beyond the cache.
    std::string warning;
  };
  Result<Canvas> decode(const photos::Photo& photo) const;
  Status load(size_t i, std::span<float> input) const;

  vision::Fit fit_;
  int32_t width_;
  int32_t height_;
  vision::Normalization normalization_;
  photos::DecodeOptions decode_;
  std::vector<photos::Photo> photos_;
  std::vector<Canvas> canvases_;
  size_t cached_bytes_ = 0;
};

}  // namespace deeplab::quantize
