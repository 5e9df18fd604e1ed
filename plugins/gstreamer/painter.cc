#include "painter.h"

#include <algorithm>

namespace deeplab::gstreamer {
namespace {

void read_row(const uint8_t* in, const PixelOrder& order, int pixels, uint8_t* rgb) {
  for (int x = 0; x < pixels; ++x, in += order.bytes, rgb += 3) {
    rgb[0] = in[order.red];
    rgb[1] = in[order.green];
    rgb[2] = in[order.blue];
  }
}

/// Leaves the alpha as it is.
void write_row(const uint8_t* rgb, const PixelOrder& order, int pixels, uint8_t* out) {
  for (int x = 0; x < pixels; ++x, out += order.bytes, rgb += 3) {
    out[order.red] = rgb[0];
    out[order.green] = rgb[1];
    out[order.blue] = rgb[2];
  }
}

deeplab_image to_image(const Canvas& canvas, int y, int height) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = canvas.pixels + y * canvas.stride;
  image.strides[0] = canvas.stride;
  image.format = canvas.format;
  image.width = canvas.width;
  image.height = height;
  return image;
}

size_t area(const Canvas& canvas) {
  return static_cast<size_t>(canvas.width) * static_cast<size_t>(canvas.height);
}

}  // namespace

deeplab_status Painter::paint(const Canvas& canvas, const uint8_t* mask, const char* const* labels,
                              int label_count, const PaintOptions& options) {
  if (options.mode == kOverlay && mask == nullptr) return DEEPLAB_OK;
  if (options.mode == kOverlay || options.mode == kMask) {
    uint8_t drawn[256];
    for (int id = 0; id < 256; ++id) {
      drawn[id] = options.shown[id] ? static_cast<uint8_t>(id) : uint8_t{0};
    }
    shown_.assign(area(canvas), 0);
    if (mask != nullptr) {
      std::transform(mask, mask + shown_.size(), shown_.begin(),
                     [&](uint8_t id) { return drawn[id]; });
    }
    return options.mode == kMask ? paint_mask(canvas)
                                 : paint_overlay(canvas, labels, label_count, options);
  }
  soften_mask(canvas, mask, options.shown);
  return options.mode == kCutout ? cut_out(canvas) : blur(canvas, options.radius);
}

deeplab_status Painter::paint_overlay(const Canvas& canvas, const char* const* labels,
                                      int label_count, const PaintOptions& options) {
  deeplab_overlay_options c_options;
  deeplab_overlay_options_init(&c_options, sizeof c_options);
  c_options.opacity = options.opacity;
  c_options.legend = options.legend ? 1 : 0;
  c_options.labels = labels;
  c_options.label_count = label_count;
  deeplab_overlay* overlay = nullptr;
  deeplab_status status = deeplab_overlay_create(shown_.data(), canvas.width, canvas.height,
                                                 canvas.width, &c_options, &overlay);
  row_.resize(static_cast<size_t>(canvas.width) * 3);
  for (int y = 0; y < canvas.height && status == DEEPLAB_OK; ++y) {
    uint8_t* pixels = canvas.pixels + y * canvas.stride;
    read_row(pixels, canvas.order, canvas.width, row_.data());
    status = deeplab_overlay_draw_row(overlay, y, row_.data());
    write_row(row_.data(), canvas.order, canvas.width, pixels);
  }
  deeplab_overlay_free(overlay);
  return status;
}

deeplab_status Painter::paint_mask(const Canvas& canvas) {
  row_.resize(static_cast<size_t>(canvas.width) * 3);
  deeplab_status status = DEEPLAB_OK;
  for (int y = 0; y < canvas.height && status == DEEPLAB_OK; ++y) {
    status = deeplab_colorize(shown_.data() + ptrdiff_t{1} * y * canvas.width, canvas.width, 1,
                              canvas.width, nullptr, row_.data(), ptrdiff_t{3} * canvas.width);
    write_row(row_.data(), canvas.order, canvas.width, canvas.pixels + y * canvas.stride);
  }
  return status;
}

deeplab_status Painter::cut_out(const Canvas& canvas) {
  row_.resize(static_cast<size_t>(canvas.width) * 4);
  const auto bytes = static_cast<ptrdiff_t>(sizeof(float)) * canvas.width;
  deeplab_status status = DEEPLAB_OK;
  for (int y = 0; y < canvas.height && status == DEEPLAB_OK; ++y) {
    const deeplab_image image = to_image(canvas, y, 1);
    status = deeplab_cut_out(&image, confidence_.data() + ptrdiff_t{1} * y * canvas.width, bytes,
                             row_.data(), ptrdiff_t{4} * canvas.width);
    const uint8_t* in = row_.data();
    uint8_t* out = canvas.pixels + y * canvas.stride;
    for (int x = 0; x < canvas.width; ++x, in += 4, out += canvas.order.bytes) {
      if (canvas.order.alpha >= 0) {
        out[canvas.order.alpha] = in[3];
        continue;
      }
      const auto before_black = [&](uint8_t value) {
        return static_cast<uint8_t>((value * in[3] + 127) / 255);
      };
      out[canvas.order.red] = before_black(in[0]);
      out[canvas.order.green] = before_black(in[1]);
      out[canvas.order.blue] = before_black(in[2]);
    }
  }
  return status;
}

deeplab_status Painter::blur(const Canvas& canvas, int radius) {
  picture_.resize(3 * area(canvas));
  const deeplab_image image = to_image(canvas, 0, canvas.height);
  const ptrdiff_t stride = ptrdiff_t{3} * canvas.width;
  const deeplab_status status = deeplab_blur_background(
      &image, confidence_.data(), static_cast<ptrdiff_t>(sizeof(float)) * canvas.width, radius,
      picture_.data(), stride);
  if (status != DEEPLAB_OK) return status;
  for (int y = 0; y < canvas.height; ++y) {
    write_row(picture_.data() + y * stride, canvas.order, canvas.width,
              canvas.pixels + y * canvas.stride);
  }
  return DEEPLAB_OK;
}

/// The share of what is shown among the 5x5 pixels around each: a mask has hard edges, a picture
/// has not.
void Painter::soften_mask(const Canvas& canvas, const uint8_t* mask, const bool shown[256]) {
  constexpr int kReach = 2;
  const int width = canvas.width, height = canvas.height;
  if (mask == nullptr) {
    confidence_.assign(area(canvas), 0);
    return;
  }
  counts_.resize(area(canvas));
  confidence_.resize(area(canvas));
  for (int y = 0; y < height; ++y) {
    const uint8_t* ids = mask + ptrdiff_t{1} * y * width;
    uint8_t* counts = counts_.data() + ptrdiff_t{1} * y * width;
    for (int x = 0; x < width; ++x) {
      int count = 0;
      for (int d = -kReach; d <= kReach; ++d) {
        count += shown[ids[std::clamp(x + d, 0, width - 1)]] ? 1 : 0;
      }
      counts[x] = static_cast<uint8_t>(count);
    }
  }
  for (int y = 0; y < height; ++y) {
    const uint8_t* rows[2 * kReach + 1];
    for (int d = -kReach; d <= kReach; ++d) {
      rows[d + kReach] = counts_.data() + ptrdiff_t{1} * std::clamp(y + d, 0, height - 1) * width;
    }
    float* confidence = confidence_.data() + ptrdiff_t{1} * y * width;
    for (int x = 0; x < width; ++x) {
      int count = 0;
      for (const uint8_t* row : rows) count += row[x];
      confidence[x] = static_cast<float>(count) / 25;
    }
  }
}

}  // namespace deeplab::gstreamer
