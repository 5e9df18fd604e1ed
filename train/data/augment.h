// From a decoded photo and its mask to a sample of the crop's size.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"
#include "train/data/mask.h"
#include "train/data/options.h"
#include "train/data/resample.h"

namespace deeplab::train {

/// All random decisions of one sample.
struct Variation {
  double scale = 1;
  double at_x = 0;  ///< In [0, 1): the crop's place between the leftmost and the rightmost.
  double at_y = 0;
  bool flip = false;
  double brightness = 1;
  double contrast = 1;
  double saturation = 1;
  double hue = 0;        ///< Of a full circle.
  int jpeg_quality = 0;  ///< 0: no JPEG.
};

/// Sample k's decisions: a function of seed, k and options.
Variation draw_variation(uint64_t seed, int64_t k, const AugmentOptions& options);

/// Colours as one affine map in 12 bits of fraction; brightness, contrast (around mid-grey 127.5),
/// saturation (towards 0.299 R + 0.587 G + 0.114 B) and hue (a turn around the grey axis) in this
/// order, clamped once at the end.
class ColourMap {
 public:
  explicit ColourMap(const Variation& variation);
  void apply(uint8_t* rgb, int64_t pixels) const;

 private:
  bool identity_ = true;
  std::array<std::array<int32_t, 4>, 3> map_ = {};
};

/// Where a crop lies on a photo: the cut of each axis, in the canvas's top-left corner.
struct Crop {
  CutAxis x;
  CutAxis y;
};

/// `width` x `height` is the photo's own size. CutAxis::in is left to the caller: the size of what
/// is cut, which is smaller if a large JPEG was decoded at a reduced size.
Crop place_crop(int32_t width, int32_t height, const Variation& variation,
                const AugmentOptions& options);

/// Renders samples; keeps its scratch, one per thread.
class Augmenter {
 public:
  explicit Augmenter(const AugmentOptions& options) : options_(options) {}

  /// Fills pixels[crop_height][crop_width][3] and labels[crop_height][crop_width] (all 255 without
  /// a mask). A mask has the photo's own size. Error: the JPEG pass failed.
  Status render(const imageio::Image& photo, const RunMask* mask, const Variation& variation,
                uint8_t* pixels, uint8_t* labels);

 private:
  Status render_photo(const imageio::Image& photo, const Crop& placement,
                      const Variation& variation, uint8_t* pixels);
  void render_labels(const RunMask& mask, const Crop& placement, uint8_t* labels);

  AugmentOptions options_;
  Resampler resampler_;
  std::vector<uint8_t> part_;  ///< The photo's part of the crop, rows tight.
  std::vector<uint8_t> row_;   ///< One row of a mask.
  std::vector<int32_t> columns_;
};

}  // namespace deeplab::train
