#include "vision/overlay.h"

#include <algorithm>
#include <array>
#include <vector>

namespace deeplab::vision {
namespace {

Status same_size(int32_t photo_width, int32_t photo_height, int32_t width, int32_t height,
                 const char* what) {
  if (photo_width == width && photo_height == height) return {};
  return invalid_argument(what, " is ", width, "x", height, ", expected the photo's ", photo_width,
                          "x", photo_height);
}

/// Rounds a value within 0..255.
uint8_t to_byte(float value) { return static_cast<uint8_t>(value + 0.5f); }

Rgb mix(Rgb a, Rgb b, float share_of_b) {
  const auto channel = [share_of_b](uint8_t from, uint8_t to) {
    return to_byte(from + share_of_b * static_cast<float>(to - from));
  };
  return {channel(a.red, b.red), channel(a.green, b.green), channel(a.blue, b.blue)};
}

/// value * (1 - share) for all 256 values, since a blend is that plus a constant of the class.
std::array<float, 256> scaled_bytes(float share) {
  std::array<float, 256> table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i) * (1 - share);
  return table;
}

/// Whether the class ends within `reach` pixels of (x, y), looking left, right, up and down. The
/// edge of the picture is not an end.
bool at_edge(const MaskView& mask, int32_t x, int32_t y, int32_t reach) {
  const uint8_t id = mask.row(y)[x];
  const uint8_t* row = mask.row(y);
  return row[std::max(x - reach, 0)] != id || row[std::min(x + reach, mask.width - 1)] != id ||
         mask.row(std::max(y - reach, 0))[x] != id ||
         mask.row(std::min(y + reach, mask.height - 1))[x] != id;
}

template <typename Alpha>
void write_cut_out(const ImageView& photo, uint8_t* rgba, ptrdiff_t stride, Alpha alpha) {
  const PixelLayout layout = pixel_layout(photo.format);
  for (int32_t y = 0; y < photo.height; ++y) {
    const uint8_t* in = photo.row(y);
    uint8_t* out = rgba + y * stride;
    for (int32_t x = 0; x < photo.width; ++x, in += layout.bytes, out += 4) {
      out[0] = in[layout.red];
      out[1] = in[layout.green];
      out[2] = in[layout.blue];
      out[3] = alpha(x, y);
    }
  }
}

}  // namespace

Status check_output(const void* data, ptrdiff_t stride, int32_t width, int32_t height,
                    int32_t pixel_bytes, const char* what) {
  if (data == nullptr) return invalid_argument(what, ": data is null");
  const ptrdiff_t row = ptrdiff_t{width} * pixel_bytes;
  if (height > 1 && stride < row && stride > -row) {
    return invalid_argument(what, ": a stride of ", stride, " bytes is less than a row of ", row);
  }
  return {};
}

uint8_t soft_alpha(float probability) {
  constexpr float kClear = 0.2f;
  constexpr float kOpaque = 0.8f;
  const float alpha = (probability - kClear) / (kOpaque - kClear);
  return alpha > 0 ? to_byte(255 * std::min(alpha, 1.0f)) : uint8_t{0};  // 0 for a NaN
}

Overlay::Overlay(const MaskView& mask, const OverlayOptions& options)
    : mask_(mask),
      palette_(options.palette),
      opacity_(options.opacity),
      // Lines grow with the picture, about one pixel in 500.
      contour_reach_(options.contours ? std::max(1, std::min(mask.width, mask.height) / 500) : 0),
      dimmed_(scaled_bytes(options.opacity)) {}

Result<Overlay> Overlay::create(const MaskView& mask, const OverlayOptions& options) {
  DEEPLAB_RETURN_IF_ERROR(validate(mask));
  if (!(options.opacity >= 0 && options.opacity <= 1)) {
    return invalid_argument("overlay: opacity ", options.opacity, " is not in 0..1");
  }
  Overlay overlay(mask, options);
  if (options.legend) {
    DEEPLAB_ASSIGN_OR_RETURN(overlay.legend_,
                             Legend::create(mask, *options.palette, options.names));
  }
  return overlay;
}

void Overlay::paint_row(int32_t y, uint8_t* rgb) const {
  const auto blend = [this](uint8_t pixel, uint8_t colour) {
    return to_byte(dimmed_[pixel] + opacity_ * static_cast<float>(colour));
  };
  const uint8_t* ids = mask_.row(y);
  uint8_t* to = rgb;
  for (int32_t x = 0; x < mask_.width; ++x, to += 3) {
    if (ids[x] == 0) continue;
    const Rgb colour = (*palette_)[ids[x]];
    Rgb pixel{blend(to[0], colour.red), blend(to[1], colour.green), blend(to[2], colour.blue)};
    if (contour_reach_ > 0 && at_edge(mask_, x, y, contour_reach_)) {
      pixel = mix(pixel, {255, 255, 255}, 0.65f);
    }
    to[0] = pixel.red;
    to[1] = pixel.green;
    to[2] = pixel.blue;
  }
  legend_.paint_row(y, rgb);
}

Status cut_out_soft(const ImageView& photo, const float* confidence, ptrdiff_t confidence_stride,
                    uint8_t* rgba, ptrdiff_t rgba_stride) {
  DEEPLAB_RETURN_IF_ERROR(validate(photo));
  DEEPLAB_RETURN_IF_ERROR(check_output(rgba, rgba_stride, photo.width, photo.height, 4, "cut-out"));
  DEEPLAB_RETURN_IF_ERROR(check_output(confidence, confidence_stride, photo.width, photo.height, 1,
                                       "cut-out's confidence"));
  write_cut_out(photo, rgba, rgba_stride, [&](int32_t x, int32_t y) {
    return soft_alpha(confidence[y * confidence_stride + x]);
  });
  return {};
}

Status cut_out_soft(const PictureView& picture, const float* confidence,
                    ptrdiff_t confidence_stride, uint8_t* rgba, ptrdiff_t rgba_stride) {
  DEEPLAB_RETURN_IF_ERROR(validate(picture));
  const int32_t width = picture.width(), height = picture.height();
  DEEPLAB_RETURN_IF_ERROR(check_output(rgba, rgba_stride, width, height, 4, "cut-out"));
  DEEPLAB_RETURN_IF_ERROR(
      check_output(confidence, confidence_stride, width, height, 1, "cut-out's confidence"));
  const RowReader reader(picture);
  std::vector<uint8_t> row(static_cast<size_t>(width) * 3);
  for (int32_t y = 0; y < height; ++y) {
    reader.read(y, row.data());
    const uint8_t* in = row.data();
    uint8_t* out = rgba + y * rgba_stride;
    for (int32_t x = 0; x < width; ++x, in += 3, out += 4) {
      std::copy_n(in, 3, out);
      out[3] = soft_alpha(confidence[y * confidence_stride + x]);
    }
  }
  return {};
}

Status draw_overlay(const PictureView& picture, const Overlay& overlay, uint8_t* rgb,
                    ptrdiff_t rgb_stride) {
  DEEPLAB_RETURN_IF_ERROR(validate(picture));
  const int32_t width = picture.width(), height = picture.height();
  DEEPLAB_RETURN_IF_ERROR(same_size(width, height, overlay.width(), overlay.height(), "mask"));
  DEEPLAB_RETURN_IF_ERROR(check_output(rgb, rgb_stride, width, height, 3, "overlay"));
  const RowReader reader(picture);
  for (int32_t y = 0; y < height; ++y) {
    uint8_t* row = rgb + y * rgb_stride;
    reader.read(y, row);
    overlay.paint_row(y, row);
  }
  return {};
}

Status colorize(const MaskView& mask, const Palette& palette, uint8_t* rgb, ptrdiff_t rgb_stride) {
  DEEPLAB_RETURN_IF_ERROR(validate(mask));
  DEEPLAB_RETURN_IF_ERROR(check_output(rgb, rgb_stride, mask.width, mask.height, 3, "picture"));
  for (int32_t y = 0; y < mask.height; ++y) {
    const uint8_t* ids = mask.row(y);
    uint8_t* out = rgb + y * rgb_stride;
    for (int32_t x = 0; x < mask.width; ++x, out += 3) {
      const Rgb colour = palette[ids[x]];
      out[0] = colour.red;
      out[1] = colour.green;
      out[2] = colour.blue;
    }
  }
  return {};
}

}  // namespace deeplab::vision
