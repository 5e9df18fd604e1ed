#include "eval/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "html/page.h"
#include "imageio/writer.h"
#include "photos/photos.h"
#include "vision/palette.h"
#include "vision/prepare.h"

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

Result<std::vector<uint8_t>> shrink(const imageio::Image& photo, Size size) {
  vision::Preparer preparer(vision::Fit::kStretch, size.width, size.height);
  std::vector<uint8_t> small(static_cast<size_t>(size.width) * static_cast<size_t>(size.height) *
                             3);
  DEEPLAB_RETURN_IF_ERROR(
      preparer.run(photos::view_of(photo), vision::pixels_themselves(3), small.data()));
  return small;
}

}  // namespace

Result<std::string> photo_thumbnail(const imageio::Image& photo, int32_t side) {
  const Size size = fitted(photo, side);
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<uint8_t> small, shrink(photo, size));
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::EncodedImage jpeg,
                           imageio::encode_jpeg(size.width, size.height, small, kJpegQuality));
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
