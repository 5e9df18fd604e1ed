// deeplab_draw.h for C++20: overlays, cut-outs, polygons and palettes made from masks. Rows of
// masks and pictures are tight here; deeplab_draw.h takes any stride.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "deeplab/deeplab_draw.h"

namespace deeplab {

/// R, G, B for each of the ids 0..255.
using Palette = std::array<uint8_t, DEEPLAB_PALETTE_BYTES>;

/// "voc", "cityscapes" or "ade20k".
inline Result<Palette> palette(const std::string& name) {
  Palette palette;
  if (Status s = detail::to_status(deeplab_palette(name.c_str(), palette.data())); !s.ok()) {
    return s;
  }
  return palette;
}

/// A category mask that the caller owns: height rows of width class ids, tight.
struct MaskView {
  std::span<const uint8_t> ids;
  int32_t width = 0;
  int32_t height = 0;
};

struct OverlayOptions {
  float opacity = 0.55f;             ///< Of the colours, 0..1.
  bool contours = true;              ///< A light line along the edges of classes.
  bool legend = true;                ///< Swatch, name and share of each class found.
  std::vector<std::string> labels;   ///< By class id.
  const Palette* palette = nullptr;  ///< Null: PASCAL VOC's.
};

namespace detail {
/// Options for one call; points into what it was made of.
struct COverlayOptions {
  explicit COverlayOptions(const OverlayOptions& options) {
    for (const std::string& label : options.labels) labels.push_back(label.c_str());
    deeplab_overlay_options_init(&c, sizeof(c));
    c.opacity = options.opacity;
    c.contours = options.contours ? 1 : 0;
    c.legend = options.legend ? 1 : 0;
    c.labels = labels.data();
    c.label_count = static_cast<int32_t>(labels.size());
    if (options.palette != nullptr) c.palette = options.palette->data();
  }
  COverlayOptions(const COverlayOptions&) = delete;
  COverlayOptions& operator=(const COverlayOptions&) = delete;

  deeplab_overlay_options c;
  std::vector<const char*> labels;
};
}  // namespace detail

/// Each pixel in its class's colour; `rgb` holds 3 * width * height bytes.
inline Status colorize(const MaskView& mask, std::span<uint8_t> rgb,
                       const Palette* palette = nullptr) {
  if (Status s = detail::check_size(mask.width, mask.height, mask.ids.size()); !s.ok()) return s;
  if (Status s = detail::check_size(mask.width, mask.height, rgb.size() / 3); !s.ok()) return s;
  return detail::to_status(deeplab_colorize(mask.ids.data(), mask.width, mask.height, mask.width,
                                            palette != nullptr ? palette->data() : nullptr,
                                            rgb.data(), ptrdiff_t{3} * mask.width));
}

/// The mask in colours over the picture, whose size it has; `rgb` holds 3 * width * height bytes.
inline Status draw_overlay(const ImageView& image, std::span<const uint8_t> mask,
                           std::span<uint8_t> rgb, const OverlayOptions& options = {}) {
  return detail::guarded([&]() -> Status {
    auto size = picture_size(image);
    if (!size.ok()) return size.status();
    const auto [width, height] = *size;
    if (Status s = detail::check_size(width, height, mask.size()); !s.ok()) return s;
    if (Status s = detail::check_size(width, height, rgb.size() / 3); !s.ok()) return s;
    const detail::COverlayOptions c_options(options);
    const deeplab_image c_image = detail::to_c(image);
    return detail::to_status(deeplab_draw_overlay(&c_image, mask.data(), width, &c_options.c,
                                                  rgb.data(), ptrdiff_t{3} * width));
  });
}

/// The same row by row, for pictures that nobody holds as a whole. Move-only.
class Overlay {
 public:
  /// The mask's memory must outlive the overlay, and must not change.
  static Result<Overlay> create(const MaskView& mask, const OverlayOptions& options = {}) {
    if (Status s = detail::check_size(mask.width, mask.height, mask.ids.size()); !s.ok()) return s;
    return detail::guarded([&]() -> Result<Overlay> {
      const detail::COverlayOptions c_options(options);
      deeplab_overlay* overlay = nullptr;
      const deeplab_status code = deeplab_overlay_create(mask.ids.data(), mask.width, mask.height,
                                                         mask.width, &c_options.c, &overlay);
      if (Status s = detail::to_status(code); !s.ok()) return s;
      return Overlay(overlay);
    });
  }
  /// Draws over row y of the picture: the mask's width in pixels of R, G, B.
  Status draw_row(int32_t y, uint8_t* rgb) const {
    return detail::to_status(deeplab_overlay_draw_row(overlay_.get(), y, rgb));
  }

 private:
  explicit Overlay(deeplab_overlay* overlay) : overlay_(overlay, deeplab_overlay_free) {}
  std::unique_ptr<deeplab_overlay, void (*)(deeplab_overlay*)> overlay_;
};

/// The picture with soft edges from a confidence mask of its size; `rgba` holds 4 * width * height
/// bytes.
inline Status cut_out(const ImageView& image, std::span<const float> confidence,
                      std::span<uint8_t> rgba) {
  auto size = picture_size(image);
  if (!size.ok()) return size.status();
  const auto [width, height] = *size;
  if (Status s = detail::check_size(width, height, confidence.size()); !s.ok()) return s;
  if (Status s = detail::check_size(width, height, rgba.size() / 4); !s.ok()) return s;
  const deeplab_image c_image = detail::to_c(image);
  return detail::to_status(deeplab_cut_out(&c_image, confidence.data(),
                                           static_cast<ptrdiff_t>(sizeof(float)) * width,
                                           rgba.data(), ptrdiff_t{4} * width));
}

/// The picture with its background up to `radius` pixels out of focus (0: a twentieth of the
/// shorter side), what `confidence` marks sharp; `rgb` holds 3 * width * height bytes.
inline Status blur_background(const ImageView& image, std::span<const float> confidence,
                              int32_t radius, std::span<uint8_t> rgb) {
  auto size = picture_size(image);
  if (!size.ok()) return size.status();
  const auto [width, height] = *size;
  if (Status s = detail::check_size(width, height, confidence.size()); !s.ok()) return s;
  if (Status s = detail::check_size(width, height, rgb.size() / 3); !s.ok()) return s;
  const deeplab_image c_image = detail::to_c(image);
  return detail::to_status(deeplab_blur_background(&c_image, confidence.data(),
                                                   static_cast<ptrdiff_t>(sizeof(float)) * width,
                                                   radius, rgb.data(), ptrdiff_t{3} * width));
}

struct PolygonOptions {
  int64_t min_area = 1;     ///< Smaller regions are left out, smaller holes closed, in pixels.
  double tolerance = 0;     ///< How far, in pixels, an outline may move to lose points.
  bool background = false;  ///< Class 0, too.
};

/// Pixels of one class that hang together over their sides.
struct Region {
  int32_t class_id = 0;
  int64_t area = 0;  ///< Pixels.
  Rect box;
  /// The outline, then its holes: x and y in turn, in corners of pixels.
  std::vector<std::vector<int32_t>> rings;
};

/// All regions, ordered by the first pixel of each in reading order.
inline Result<std::vector<Region>> trace_polygons(const MaskView& mask,
                                                  const PolygonOptions& options = {}) {
  if (Status s = detail::check_size(mask.width, mask.height, mask.ids.size()); !s.ok()) return s;
  deeplab_polygon_options c_options;
  deeplab_polygon_options_init(&c_options, sizeof(c_options));
  c_options.min_area = options.min_area;
  c_options.tolerance = options.tolerance;
  c_options.background = options.background ? 1 : 0;
  deeplab_polygons* made = nullptr;
  const deeplab_status code = deeplab_polygons_trace(mask.ids.data(), mask.width, mask.height,
                                                     mask.width, &c_options, &made);
  if (Status s = detail::to_status(code); !s.ok()) return s;
  const std::unique_ptr<deeplab_polygons, void (*)(deeplab_polygons*)> owner(made,
                                                                             deeplab_polygons_free);
  return detail::guarded([&]() -> Result<std::vector<Region>> {
    std::vector<Region> regions;
    for (int32_t i = 0; i < deeplab_polygons_count(made); ++i) {
      auto c_region = detail::sized<deeplab_region>();
      if (Status s = detail::to_status(deeplab_polygons_region(made, i, &c_region)); !s.ok()) {
        return s;
      }
      Region region{c_region.class_id,
                    c_region.area,
                    {c_region.x, c_region.y, c_region.width, c_region.height},
                    {}};
      for (int32_t r = 0; r < c_region.ring_count; ++r) {
        const int32_t* points = nullptr;
        int32_t count = 0;
        const deeplab_status got = deeplab_polygons_ring(made, i, r, &points, &count);
        if (Status s = detail::to_status(got); !s.ok()) return s;
        region.rings.emplace_back(points, points + ptrdiff_t{2} * count);
      }
      regions.push_back(std::move(region));
    }
    return regions;
  });
}

}  // namespace deeplab
