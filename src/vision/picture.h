// A picture as cameras and decoders hand it over: also YUV, also turned, also a part of a larger
// one. Upright rows of RGB are made of it one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "vision/image_view.h"
#include "vision/placement.h"

namespace deeplab::vision {

/// How pixels are stored: interleaved as ImageView has them, or 4:2:0 in planes.
enum class PlaneLayout : uint8_t {
  kInterleaved,
  kNv12,  ///< Y; then U and V in turn, a pair for 2x2 pixels, odd sizes rounded up.
  kI420,  ///< Y; then U; then V, a value for 2x2 pixels, odd sizes rounded up.
};

/// From Y, U, V to R, G, B: the primaries' weights, and the range of the stored values.
struct YuvCoding {
  enum class Matrix : uint8_t { kBt601, kBt709 };
  Matrix matrix = Matrix::kBt601;
  bool full_range = false;  ///< Y in 0..255; else 16..235, U and V 16..240.
};

/// Pixels that the caller owns. The upright picture is the region, mirrored if `mirror`
/// says so, then turned clockwise.
struct PictureView {
  const uint8_t* planes[3] = {};
  ptrdiff_t strides[3] = {};
  int32_t stored_width = 0;
  int32_t stored_height = 0;
  PlaneLayout layout = PlaneLayout::kInterleaved;
  PixelFormat format = PixelFormat::kRgb8;  ///< Of interleaved pixels.
  YuvCoding yuv;                            ///< Of planes.
  Rect region;                              ///< In stored pixels.
  bool mirror = false;
  int32_t quarter_turns = 0;  ///< Clockwise, 0..3.

  int32_t width() const { return quarter_turns % 2 == 0 ? region.width : region.height; }
  int32_t height() const { return quarter_turns % 2 == 0 ? region.height : region.width; }
};

/// Sizes, region, turns and the strides of the planes; reads no pixel.
Status validate(const PictureView& picture);

/// The same as an ImageView, if its pixels are interleaved and upright.
std::optional<ImageView> as_image_view(const PictureView& picture);

/// Reads a picture by upright rows. Chroma values stand for 2x2 pixels each, without smoothing;
/// Y, U and V become RGB in 16-bit fixed point, rounded and clamped, the same on every machine.
class RowReader {
 public:
  /// The picture's pixels must outlive the reader.
  explicit RowReader(const PictureView& picture);

  /// width() pixels of R, G, B of row y, counted from the top of the upright picture.
  void read(int32_t y, uint8_t* rgb) const;

 private:
  /// R, G, B of the stored pixel (x, y) into `rgb`.
  void read_pixel(int32_t x, int32_t y, uint8_t* rgb) const;
  void read_stored_row(int32_t y, int32_t x_begin, int32_t count, uint8_t* rgb) const;

  PictureView picture_;
  // value * 2^16 that Y - black, V - 128 and U - 128 add to a channel.
  int32_t luma_ = 0;
  int32_t black_ = 0;
  int32_t red_v_ = 0;
  int32_t green_u_ = 0;
  int32_t green_v_ = 0;
  int32_t blue_u_ = 0;
};

}  // namespace deeplab::vision
