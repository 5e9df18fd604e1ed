#include "train/data/augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>

#include "imageio/reader.h"
#include "imageio/writer.h"
#include "train/data/random.h"
#include "vision/image_view.h"
#include "vision/prepare.h"

namespace deeplab::train {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

Matrix multiply(const Matrix& a, const Matrix& b) {
  Matrix product = {};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      for (size_t k = 0; k < 3; ++k) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

Matrix saturation_matrix(double factor) {
  constexpr double kLuma[3] = {0.299, 0.587, 0.114};  // ITU-R BT.601
  Matrix m = {};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) m[i][j] = (1 - factor) * kLuma[j] + (i == j ? factor : 0);
  }
  return m;
}

/// Rodrigues' rotation around (1, 1, 1).
Matrix hue_matrix(double turns) {
  const double angle = turns * 2 * std::numbers::pi;
  const double c = std::cos(angle);
  const double third = (1 - c) / 3;
  const double s = std::sin(angle) / std::numbers::sqrt3;
  return {{{c + third, third - s, third + s},
           {third + s, c + third, third - s},
           {third - s, third + s, c + third}}};
}

uint8_t clamp_pixel(int32_t value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

/// The part of the canvas that the photo covers along one axis, `at` in [0, 1).
CutAxis place_axis(int32_t full, int32_t crop, double at) {
  CutAxis axis;
  axis.full = full;
  axis.size = std::min(full, crop);
  axis.first = static_cast<int32_t>(at * (full - axis.size + 1));
  return axis;
}

}  // namespace

Variation draw_variation(uint64_t seed, int64_t k, const AugmentOptions& options) {
  const auto bits = [&](Draw use) {
    return derive_key(derive_key(seed, static_cast<uint64_t>(use)), static_cast<uint64_t>(k));
  };
  const auto uniform = [&](Draw use) { return unit_interval(bits(use)); };
  const auto factor = [&](Draw use, double strength) {
    return 1 + strength * (2 * uniform(use) - 1);
  };

  Variation v;
  const double range = options.scale_max - options.scale_min;
  if (options.scale_step > 0) {
    const auto steps = static_cast<int64_t>(range / options.scale_step + 1e-6) + 1;
    v.scale = options.scale_min +
              static_cast<double>(below(bits(Draw::kScale), steps)) * options.scale_step;
  } else {
    v.scale = options.scale_min + uniform(Draw::kScale) * range;
  }
  v.at_x = uniform(Draw::kCropX);
  v.at_y = uniform(Draw::kCropY);
  v.flip = uniform(Draw::kFlip) < options.flip;
  v.brightness = factor(Draw::kBrightness, options.brightness);
  v.contrast = factor(Draw::kContrast, options.contrast);
  v.saturation = factor(Draw::kSaturation, options.saturation);
  v.hue = options.hue * (2 * uniform(Draw::kHue) - 1);
  if (uniform(Draw::kJpeg) < options.jpeg_noise) {
    v.jpeg_quality =
        options.jpeg_quality_min +
        static_cast<int>(below(bits(Draw::kJpegQuality),
                               options.jpeg_quality_max - options.jpeg_quality_min + 1));
  }
  return v;
}

ColourMap::ColourMap(const Variation& v) {
  if (v.brightness == 1 && v.contrast == 1 && v.saturation == 1 && v.hue == 0) return;
  identity_ = false;
  constexpr double kOne = 4096;
  const Matrix turn = multiply(hue_matrix(v.hue), saturation_matrix(v.saturation));
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      map_[i][j] = static_cast<int32_t>(std::lround(turn[i][j] * v.brightness * v.contrast * kOne));
    }
    // Grey passes through `turn` as it is, and with it the contrast's constant.
    map_[i][3] = static_cast<int32_t>(std::lround(((1 - v.contrast) * 127.5 + 0.5) * kOne));
  }
}

void ColourMap::apply(uint8_t* rgb, int64_t pixels) const {
  if (identity_) return;
  for (int64_t i = 0; i < pixels; ++i, rgb += 3) {
    const int32_t r = rgb[0];
    const int32_t g = rgb[1];
    const int32_t b = rgb[2];
    for (size_t c = 0; c < 3; ++c) {
      const auto& m = map_[c];
      rgb[c] = clamp_pixel((m[0] * r + m[1] * g + m[2] * b + m[3]) >> 12);
    }
  }
}

Crop place_crop(int32_t width, int32_t height, const Variation& variation,
                const AugmentOptions& options) {
  double scale = variation.scale;
  const int32_t longer = std::max(width, height);
  if (options.long_side > 0 && longer > options.long_side) {
    scale *= static_cast<double>(options.long_side) / longer;
  }
  const auto scaled = [&](int32_t side) {
    // TensorFlow's DeepLab cuts the fraction off; the small sum keeps 513 / 1026 * 1026 at 513.
    constexpr double kMost = 1 << 30;
    return std::max(1, static_cast<int32_t>(std::min(side * scale + 1e-6, kMost)));
  };
  Crop placement;
  placement.x = place_axis(scaled(width), options.crop_width, variation.at_x);
  placement.y = place_axis(scaled(height), options.crop_height, variation.at_y);
  placement.x.mirrored = variation.flip;
  return placement;
}

Status Augmenter::render_photo(const imageio::Image& photo, const Crop& placement,
                               const Variation& variation, uint8_t* pixels) {
  const int32_t width = placement.x.size;
  const int32_t height = placement.y.size;
  const size_t part_stride = static_cast<size_t>(width) * 3;
  const size_t canvas_stride = static_cast<size_t>(options_.crop_width) * 3;
  part_.resize(part_stride * static_cast<size_t>(height));
  resampler_.resample(photo.pixels.data(), placement.x, placement.y, part_.data(),
                      static_cast<int64_t>(part_stride));
  ColourMap(variation).apply(part_.data(), int64_t{width} * height);
  if (variation.jpeg_quality > 0) {
    DEEPLAB_ASSIGN_OR_RETURN(const imageio::EncodedImage encoded,
                             imageio::encode_jpeg(width, height, part_, variation.jpeg_quality));
    DEEPLAB_ASSIGN_OR_RETURN(imageio::Image noisy,
                             imageio::decode_image(encoded, "the JPEG noise of a sample"));
    part_ = std::move(noisy.pixels);
  }
  for (int32_t y = 0; y < options_.crop_height; ++y) {
    uint8_t* out = pixels + static_cast<size_t>(y) * canvas_stride;
    const size_t covered = y < height ? part_stride : 0;
    if (covered > 0) std::memcpy(out, part_.data() + static_cast<size_t>(y) * part_stride, covered);
    std::memset(out + covered, vision::kFillPixel, canvas_stride - covered);
  }
  return {};
}

void Augmenter::render_labels(const RunMask& mask, const Crop& placement, uint8_t* labels) {
  CutAxis x = placement.x;
  CutAxis y = placement.y;
  x.in = mask.width();
  y.in = mask.height();
  row_.resize(static_cast<size_t>(x.in));
  columns_.resize(static_cast<size_t>(x.size));
  for (int32_t i = 0; i < x.size; ++i) columns_[static_cast<size_t>(i)] = nearest(x, i);

  const auto stride = static_cast<size_t>(options_.crop_width);
  int32_t in_row = -1;
  for (int32_t i = 0; i < options_.crop_height; ++i) {
    uint8_t* out = labels + static_cast<size_t>(i) * stride;
    if (i >= y.size) {
      std::memset(out, vision::kIgnoreLabel, stride);
      continue;
    }
    if (const int32_t row = nearest(y, i); row != in_row) {
      in_row = row;
      mask.decode_row(row, row_.data());
      uint8_t* to = out;
      for (const int32_t column : columns_) *to++ = row_[static_cast<size_t>(column)];
      std::memset(to, vision::kIgnoreLabel, stride - columns_.size());
    } else {
      std::memcpy(out, out - stride, stride);
    }
  }
}

Status Augmenter::render(const imageio::Image& photo, const RunMask* mask,
                         const Variation& variation, uint8_t* pixels, uint8_t* labels) {
  Crop placement = place_crop(photo.original_width, photo.original_height, variation, options_);
  placement.x.in = photo.width;
  placement.y.in = photo.height;
  DEEPLAB_RETURN_IF_ERROR(render_photo(photo, placement, variation, pixels));
  if (mask != nullptr) {
    render_labels(*mask, placement, labels);
  } else {
    std::memset(
        labels, vision::kIgnoreLabel,
        static_cast<size_t>(options_.crop_height) * static_cast<size_t>(options_.crop_width));
  }
  return {};
}

}  // namespace deeplab::train
