#include "vision/picture.h"

#include <algorithm>
#include <cmath>

namespace deeplab::vision {
namespace {

int32_t halved(int32_t size) { return (size + 1) / 2; }

Status check_plane(const PictureView& picture, int plane, int64_t row_bytes, int32_t rows) {
  if (picture.planes[plane] == nullptr) {
    return invalid_argument("image: plane ", plane, " is null");
  }
  const ptrdiff_t stride = picture.strides[plane];
  if (rows > 1 && stride < row_bytes && stride > -row_bytes) {
    return invalid_argument("image: plane ", plane, ": a stride of ", stride,
                            " bytes is less than a row of ", row_bytes);
  }
  return {};
}

uint8_t clamped(int32_t value) {
  const int32_t pixel = value >> 16;
  return static_cast<uint8_t>(pixel < 0 ? 0 : pixel > 255 ? 255 : pixel);
}

}  // namespace

Status validate(const PictureView& picture) {
  DEEPLAB_RETURN_IF_ERROR(validate_size(picture.stored_width, picture.stored_height, "image"));
  const Rect& region = picture.region;
  const bool inside = region.x >= 0 && region.y >= 0 && region.width > 0 && region.height > 0 &&
                      region.width <= picture.stored_width - region.x &&
                      region.height <= picture.stored_height - region.y;
  if (!inside) {
    return invalid_argument("image: the region ", region.width, "x", region.height, " at ",
                            region.x, ",", region.y, " is not inside the picture of ",
                            picture.stored_width, "x", picture.stored_height);
  }
  if (picture.quarter_turns < 0 || picture.quarter_turns > 3) {
    return invalid_argument("image: ", picture.quarter_turns, " quarter turns, expected 0..3");
  }
  const int32_t width = picture.stored_width, height = picture.stored_height;
  switch (picture.layout) {
    case PlaneLayout::kInterleaved: {
      const int32_t bytes = pixel_layout(picture.format).bytes;
      if (bytes == 0) {
        return invalid_argument("image: unknown pixel format ", static_cast<int>(picture.format));
      }
      return check_plane(picture, 0, int64_t{width} * bytes, height);
    }
    case PlaneLayout::kNv12:
      DEEPLAB_RETURN_IF_ERROR(check_plane(picture, 0, width, height));
      return check_plane(picture, 1, int64_t{2} * halved(width), halved(height));
    case PlaneLayout::kI420:
      DEEPLAB_RETURN_IF_ERROR(check_plane(picture, 0, width, height));
      DEEPLAB_RETURN_IF_ERROR(check_plane(picture, 1, halved(width), halved(height)));
      return check_plane(picture, 2, halved(width), halved(height));
  }
  return invalid_argument("image: unknown layout of planes");
}

std::optional<ImageView> as_image_view(const PictureView& picture) {
  if (picture.layout != PlaneLayout::kInterleaved || picture.mirror || picture.quarter_turns != 0) {
    return std::nullopt;
  }
  const ptrdiff_t first = picture.region.y * picture.strides[0] +
                          ptrdiff_t{picture.region.x} * pixel_layout(picture.format).bytes;
  return ImageView{picture.planes[0] + first, picture.region.width, picture.region.height,
                   picture.strides[0], picture.format};
}

RowReader::RowReader(const PictureView& picture) : picture_(picture) {
  // ITU-R BT.601 and BT.709: with Kr + Kg + Kb = 1, R = Y + 2 (1 - Kr) V, B = Y + 2 (1 - Kb) U,
  // and G is what is left of Y.
  const bool is_709 = picture.yuv.matrix == YuvCoding::Matrix::kBt709;
  const double kr = is_709 ? 0.2126 : 0.299;
  const double kb = is_709 ? 0.0722 : 0.114;
  const double kg = 1 - kr - kb;
  const double luma = picture.yuv.full_range ? 1.0 : 255.0 / 219;
  const double chroma = picture.yuv.full_range ? 1.0 : 255.0 / 224;
  const auto fixed = [](double value) { return static_cast<int32_t>(std::lround(value * 65536)); };
  luma_ = fixed(luma);
  black_ = picture.yuv.full_range ? 0 : 16;
  red_v_ = fixed(2 * (1 - kr) * chroma);
  blue_u_ = fixed(2 * (1 - kb) * chroma);
  green_u_ = fixed(-2 * (1 - kb) * kb / kg * chroma);
  green_v_ = fixed(-2 * (1 - kr) * kr / kg * chroma);
}

void RowReader::read_pixel(int32_t x, int32_t y, uint8_t* rgb) const {
  read_stored_row(y, x, 1, rgb);
}

void RowReader::read_stored_row(int32_t y, int32_t x_begin, int32_t count, uint8_t* rgb) const {
  const uint8_t* first = picture_.planes[0] + y * picture_.strides[0];
  if (picture_.layout == PlaneLayout::kInterleaved) {
    const PixelLayout layout = pixel_layout(picture_.format);
    const uint8_t* in = first + ptrdiff_t{x_begin} * layout.bytes;
    for (int32_t i = 0; i < count; ++i, in += layout.bytes, rgb += 3) {
      rgb[0] = in[layout.red];
      rgb[1] = in[layout.green];
      rgb[2] = in[layout.blue];
    }
    return;
  }
  const bool is_nv12 = picture_.layout == PlaneLayout::kNv12;
  const ptrdiff_t chroma_row = y / 2;
  const uint8_t* u = picture_.planes[1] + chroma_row * picture_.strides[1];
  const uint8_t* v = is_nv12 ? u + 1 : picture_.planes[2] + chroma_row * picture_.strides[2];
  const ptrdiff_t step = is_nv12 ? 2 : 1;
  for (int32_t x = x_begin; x < x_begin + count; ++x, rgb += 3) {
    const ptrdiff_t at = x / 2 * step;
    const int32_t blue = u[at] - 128;
    const int32_t red = v[at] - 128;
    const int32_t grey = luma_ * (first[x] - black_) + (1 << 15);
    rgb[0] = clamped(grey + red_v_ * red);
    rgb[1] = clamped(grey + green_u_ * blue + green_v_ * red);
    rgb[2] = clamped(grey + blue_u_ * blue);
  }
}

/// Where an upright row lies in the region: a stored row, from the left or, if it is mirrored or
/// turned by 180 degrees, from the right; else a stored column.
void RowReader::read(int32_t y, uint8_t* rgb) const {
  const Rect& region = picture_.region;
  const int32_t turns = picture_.quarter_turns;
  if (turns % 2 == 0) {
    const int32_t stored_y = region.y + (turns == 0 ? y : region.height - 1 - y);
    read_stored_row(stored_y, region.x, region.width, rgb);
    if (picture_.mirror != (turns == 2)) {
      for (uint8_t *left = rgb, *right = rgb + ptrdiff_t{3} * (region.width - 1); left < right;
           left += 3, right -= 3) {
        std::swap_ranges(left, left + 3, right);
      }
    }
    return;
  }
  // Clockwise by 90 degrees: the top row is the first column, read from below.
  const bool from_left = (turns == 1) != picture_.mirror;
  const int32_t stored_x = region.x + (from_left ? y : region.width - 1 - y);
  for (int32_t i = 0; i < region.height; ++i, rgb += 3) {
    read_pixel(stored_x, region.y + (turns == 1 ? region.height - 1 - i : i), rgb);
  }
}

}  // namespace deeplab::vision
