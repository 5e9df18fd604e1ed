#include "vision/image_view.h"

namespace deeplab::vision {
namespace {

Status validate_rows(const void* data, int32_t width, int32_t height, ptrdiff_t stride,
                     int32_t pixel_bytes, const char* what) {
  if (data == nullptr) return invalid_argument(what, ": data is null");
  DEEPLAB_RETURN_IF_ERROR(validate_size(width, height, what));
  const ptrdiff_t row_bytes = ptrdiff_t{width} * pixel_bytes;
  if (height > 1 && stride < row_bytes && stride > -row_bytes) {
    return invalid_argument(what, ": a stride of ", stride, " bytes is less than a row of ",
                            row_bytes);
  }
  return {};
}

}  // namespace

Status validate_size(int32_t width, int32_t height, const char* what) {
  if (width <= 0 || height <= 0) {
    return invalid_argument(what, ": size ", width, "x", height, " is not positive");
  }
  if (width > kMaxSide || height > kMaxSide || int64_t{width} * height > kMaxPixels) {
    return invalid_argument(what, ": size ", width, "x", height, " is over the limit of ", kMaxSide,
                            " per side and ", kMaxPixels, " pixels");
  }
  return {};
}

Status validate(const ImageView& image) {
  const int32_t bytes = pixel_layout(image.format).bytes;
  if (bytes == 0) {
    return invalid_argument("image: unknown pixel format ", static_cast<int>(image.format));
  }
  return validate_rows(image.data, image.width, image.height, image.stride, bytes, "image");
}

Status validate(const MaskView& mask) {
  return validate_rows(mask.data, mask.width, mask.height, mask.stride, 1, "mask");
}

}  // namespace deeplab::vision
