// A photo onto the network's input canvas.
#pragma once

#include <cstdint>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "kernels/resample/resample.h"
#include "vision/image_view.h"
#include "vision/picture.h"
#include "vision/pixel_lut.h"
#include "vision/placement.h"
#include "vision/resample.h"

namespace deeplab::vision {

/// The pixel around a photo that does not cover the canvas: the mean of 0..255, rounded down as
/// TensorFlow's 8-bit evaluation does.
inline constexpr uint8_t kFillPixel = 127;

/// Puts photos onto a canvas of one size. Keeps the resize tables and a few rows of scratch, so
/// that photos of the size of the last one cost no allocation. Not thread-safe.
class Preparer {
 public:
  /// `pad_limit`: see place(). The result does not depend on `isa`.
  Preparer(Fit fit, int32_t canvas_width, int32_t canvas_height, double pad_limit = 1,
           Isa isa = Isa::kScalar);

  /// Writes all of `tensor`, [canvas_height][canvas_width][3] elements of lut.type in the order
  /// red, green, blue. Reads the photo in place, each pixel once; grey is replicated, alpha
  /// ignored. Errors: an invalid view, canvas sizes out of range, no memory for the scratch.
  Status run(const ImageView& photo, const PixelLut& lut, void* tensor);
  /// The same of an upright picture made of YUV, turned or mirrored pixels, by rows.
  Status run(const PictureView& picture, const PixelLut& lut, void* tensor);

  /// Where the last photo lies.
  const Placement& placement() const { return placement_; }

 private:
  Status configure(int32_t photo_width, int32_t photo_height);
  template <typename Rows>
  void write_tensor(const Rows& photo, const PixelLut& lut, void* tensor);
  template <typename Rows, typename T>
  void write_canvas(const Rows& photo, int32_t channels,
                    const std::array<std::array<T, 256>, 3>& lut, T* out);
  template <typename Rows>
  const uint8_t* resized_row(const Rows& photo, int32_t y);
  void resize_columns(const uint8_t* row, PixelLayout layout, uint8_t* out) const;

  Fit fit_;
  int32_t canvas_width_;
  int32_t canvas_height_;
  double pad_limit_;
  kernels::ResampleColumnsKernel* columns_kernel_;
  kernels::ResampleRowsKernel* rows_kernel_;
  Placement placement_;
  bool resizes_ = false;
  ResampleAxis columns_;
  ResampleAxis rows_;
  // Photo rows after the horizontal pass: a ring of rows_.taps rows of content.width RGB pixels.
  std::vector<uint8_t> ring_;
  int32_t ring_end_ = 0;                   // photo rows [0, ring_end_) have passed through the ring
  std::vector<const uint8_t*> ring_rows_;  // those that an output row is made of
  std::vector<int32_t> sums_;              // one output row of weighted sums
  std::vector<uint8_t> pixels_;            // and of pixels
  std::vector<uint8_t> read_;              // one row of a PictureView
};

}  // namespace deeplab::vision
