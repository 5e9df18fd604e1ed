#include "eval/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "html/page.h"
#include "imageio/writer.h"
#include "vision/palette.h"
#include "vision/resample.h"

namespace deeplab::eval {
namespace {

constexpr int kJpegQuality = 85;

struct Size {
  int32_t width;
  int32_t height;
};

Size fitted(const imageio::Image& image, int32_t side) {
  const double scale = std::min(1.0, double(side) / std::max(image.width, image.height));
  const auto scaled = [scale](int32_t length) {
    return std::max(static_cast<int32_t>(std::lround(length * scale)), 1);
  };
  return {scaled(image.width), scaled(image.height)};
}

/// One axis of the resize: `lines` lines of `axis.in` pixels of 3 samples. Consecutive pixels of a
/// line are `in_step` samples apart, lines `in_line`; likewise for the output.
void resample(const vision::ResampleAxis& axis, int32_t lines, const uint8_t* in, ptrdiff_t in_step,
              ptrdiff_t in_line, uint8_t* out, ptrdiff_t out_step, ptrdiff_t out_line) {
  for (int32_t line = 0; line < lines; ++line, in += in_line, out += out_line) {
    for (int32_t o = 0; o < axis.out; ++o) {
      const int32_t* weights = axis.weights_of(o);
      const uint8_t* first = in + in_step * axis.first[static_cast<size_t>(o)];
      for (ptrdiff_t channel = 0; channel < 3; ++channel) {
        int32_t sum = vision::kResampleRound;
        for (int32_t k = 0; k < axis.count[static_cast<size_t>(o)]; ++k) {
          sum += weights[k] * first[in_step * k + channel];
        }
        out[out_step * o + channel] = vision::resampled_pixel(sum);
      }
    }
  }
}

std::vector<uint8_t> shrink(const imageio::Image& photo, Size size) {
  vision::ResampleAxis columns, rows;
  columns.compute(photo.width, size.width);
  rows.compute(photo.height, size.height);
  const ptrdiff_t in_row = ptrdiff_t{3} * photo.width;
  const ptrdiff_t out_row = ptrdiff_t{3} * size.width;
  std::vector<uint8_t> narrow(static_cast<size_t>(out_row) * static_cast<size_t>(photo.height));
  resample(columns, photo.height, photo.pixels.data(), 3, in_row, narrow.data(), 3, out_row);
  std::vector<uint8_t> small(static_cast<size_t>(out_row) * static_cast<size_t>(size.height));
  resample(rows, size.width, narrow.data(), out_row, 3, small.data(), out_row, 3);
  return small;
}

}  // namespace

Result<std::string> photo_thumbnail(const imageio::Image& photo, int32_t side) {
  const Size size = fitted(photo, side);
  DEEPLAB_ASSIGN_OR_RETURN(
      const imageio::EncodedImage jpeg,
      imageio::encode_jpeg(size.width, size.height, shrink(photo, size), kJpegQuality));
  return html::data_uri("image/jpeg", jpeg);
}

Result<std::string> mask_thumbnail(const imageio::Image& mask, int32_t side) {
  const Size size = fitted(mask, side);
  std::vector<uint8_t> small;
  small.reserve(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  const auto source = [](int32_t at, int32_t in, int32_t out) {  // the pixel under the centre
    return static_cast<size_t>((int64_t{2} * at + 1) * in / (int64_t{2} * out));
  };
  for (int32_t y = 0; y < size.height; ++y) {
    const uint8_t* row =
        mask.pixels.data() + source(y, mask.height, size.height) * static_cast<size_t>(mask.width);
    for (int32_t x = 0; x < size.width; ++x)
      small.push_back(row[source(x, mask.width, size.width)]);
  }
  DEEPLAB_ASSIGN_OR_RETURN(
      const imageio::EncodedImage png,
      imageio::encode_png_indexed(size.width, size.height, small, vision::kVocPalette));
  return html::data_uri("image/png", png);
}

}  // namespace deeplab::eval
