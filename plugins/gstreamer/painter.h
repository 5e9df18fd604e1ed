// What deeplaboverlay draws: pixels, by the library's own functions, without a thing of
// GStreamer's.
#pragma once

#include <cstdint>
#include <vector>

#include "deeplab/deeplab_draw.h"

namespace deeplab::gstreamer {

enum Mode { kOverlay, kMask, kCutout, kBlur };

struct PaintOptions {
  Mode mode = kOverlay;
  float opacity = 0.55f;  ///< Of kOverlay.
  bool legend = false;    ///< Of kOverlay.
  int radius = 0;         ///< Of kBlur, in pixels; 0: a twentieth of the picture's shorter side.
  bool shown[256] = {};   ///< By class id: what is drawn, kept or left sharp.
};

/// Where the bytes of a pixel lie. `alpha` is -1 if there is none that means something.
struct PixelOrder {
  int bytes;
  int red;
  int green;
  int blue;
  int alpha;
};

/// A frame to be changed.
struct Canvas {
  uint8_t* pixels;
  ptrdiff_t stride;
  int width;
  int height;
  int32_t format;  ///< deeplab_pixel_format, interleaved and in colour.
  PixelOrder order;
};

/// Keeps its memory from frame to frame. Belongs to one thread at a time.
class Painter {
 public:
  /// Draws over the canvas. `mask`: ids of its pixels, rows tight; NULL: nothing is known of the
  /// frame, which is then as one that shows background alone. `labels`: `label_count` names, for
  /// the legend.
  deeplab_status paint(const Canvas& canvas, const uint8_t* mask, const char* const* labels,
                       int label_count, const PaintOptions& options);

 private:
  deeplab_status paint_overlay(const Canvas& canvas, const char* const* labels, int label_count,
                               const PaintOptions& options);
  deeplab_status paint_mask(const Canvas& canvas);
  deeplab_status cut_out(const Canvas& canvas);
  deeplab_status blur(const Canvas& canvas, int radius);
  /// The confidence_ that cut_out() and blur() need.
  void soften_mask(const Canvas& canvas, const uint8_t* mask, const bool shown[256]);

  std::vector<uint8_t> shown_;   // the mask, 0 for all that is not shown
  std::vector<uint8_t> counts_;  // of soften_mask()
  std::vector<float> confidence_;
  std::vector<uint8_t> row_;      // R, G, B (A)
  std::vector<uint8_t> picture_;  // R, G, B
};

}  // namespace deeplab::gstreamer
