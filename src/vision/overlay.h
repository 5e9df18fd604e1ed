// Pictures for people: the mask over the photo, and objects cut out of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"
#include "vision/image_view.h"
#include "vision/legend.h"
#include "vision/palette.h"
#include "vision/picture.h"

namespace deeplab::vision {

struct OverlayOptions {
  float opacity = 0.55f;  ///< Of the class colours, in [0, 1].
  bool contours = true;   ///< A thin light line along the edges of classes.
  bool legend = true;     ///< Swatch, name and share of each class found.
  const Palette* palette = &kVocPalette;
  std::span<const std::string> names = {};  ///< By id; ids without a name are called "class 7".
};

/// The colours of a mask over a photo whose rows come one after another, so that nobody has to hold
/// the whole picture. Background (0) stays as it is.
class Overlay {
 public:
  /// The mask and the palette must outlive the overlay. Errors: an invalid mask, an opacity out of
  /// range, no memory for the legend's text.
  static Result<Overlay> create(const MaskView& mask, const OverlayOptions& options);

  /// Draws over row y of the photo: the mask's width in RGB pixels. Rows in any order, from any
  /// number of threads.
  void paint_row(int32_t y, uint8_t* rgb) const;
  int32_t width() const { return mask_.width; }
  int32_t height() const { return mask_.height; }

 private:
  Overlay(const MaskView& mask, const OverlayOptions& options);

  MaskView mask_;
  const Palette* palette_;
  float opacity_;
  int32_t contour_reach_;          // 0: no contours
  std::array<float, 256> dimmed_;  // what the opacity leaves of a photo's value
  Legend legend_;
};

/// Non-null data whose rows do not overlap; `what` names it in the error.
Status check_output(const void* data, ptrdiff_t stride, int32_t width, int32_t height,
                    int32_t pixel_bytes, const char* what);

/// How much of a pixel stays, 0..255, given the probability that it belongs to what is cut out.
/// See cut_out_soft().
uint8_t soft_alpha(float probability);

/// Writes RGBA: the photo's colours with soft edges from the probability of the chosen classes, one
/// float per pixel (see MaskMaker::confidence_rows). `rgba_stride` in bytes, `confidence_stride` in
/// floats. Below 0.2 a pixel is transparent,
/// above 0.8 opaque, in between linear: a network is rarely surer than 0.95 inside an object, and
/// a cut-out must not be see-through there. Errors: invalid views.
Status cut_out_soft(const ImageView& photo, const float* confidence, ptrdiff_t confidence_stride,
                    uint8_t* rgba, ptrdiff_t rgba_stride);

/// The same of a picture that is read by upright rows. Error besides: no memory for a row.
Status cut_out_soft(const PictureView& picture, const float* confidence,
                    ptrdiff_t confidence_stride, uint8_t* rgba, ptrdiff_t rgba_stride);

/// The picture under `overlay`, whose mask has its size, as rows of RGB. Errors: an invalid picture
/// or output, another size than the mask's.
Status draw_overlay(const PictureView& picture, const Overlay& overlay, uint8_t* rgb,
                    ptrdiff_t rgb_stride);

/// Each pixel of the mask in its class's colour. Errors: an invalid mask or output.
Status colorize(const MaskView& mask, const Palette& palette, uint8_t* rgb, ptrdiff_t rgb_stride);

}  // namespace deeplab::vision
