// From a picture and its mask to the pixels that are written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/video/ffmpeg.h"
#include "apps/video/picture.h"
#include "deeplab/deeplab.hpp"
#include "deeplab/deeplab_draw.hpp"

namespace deeplab::video {

/// What --write names.
enum class Output {
  kOverlay,  ///< The mask in colours over the picture.
  kMask,     ///< Class ids.
  kCutout,   ///< The classes with soft edges, the rest transparent.
  kBlur,     ///< The classes as they are, the rest blurred.
};
Result<Output> output_from_name(const std::string& name);

/// Upright pixels, the painter's or the frame's.
struct Pixels {
  const uint8_t* data = nullptr;
  int32_t width = 0;
  int32_t height = 0;
  int stride = 0;                          ///< Bytes.
  AVPixelFormat format = AV_PIX_FMT_NONE;  ///< GRAY8, RGB24 or RGBA.
};

/// Keeps its buffers between frames; one thread at a time.
class Painter {
 public:
  Painter(Output output, std::vector<std::string> labels, const Palette& palette);

  /// The format of all its pixels.
  AVPixelFormat format() const;
  /// `frame` has a category mask of the upright picture's size, and for a cut-out and for blur a
  /// confidence mask. Valid until the next call, and as long as the frame.
  Result<Pixels> paint(const Picture& picture, const Frame& frame);

 private:
  const Output output_;
  const Palette palette_;
  OverlayOptions overlay_;
  std::vector<uint8_t> rgb_;
  std::vector<uint8_t> rgba_;
};

}  // namespace deeplab::video
