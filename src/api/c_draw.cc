// deeplab_draw.h: masks as pictures, cut-outs and polygons.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/c_api.h"
#include "deeplab/deeplab_draw.h"
#include "vision/blur.h"
#include "vision/contours.h"
#include "vision/overlay.h"
#include "vision/palette.h"
#include "vision/statistics.h"

struct deeplab_overlay {
  deeplab::vision::Palette palette;  // of `overlay`, which points to it
  std::optional<deeplab::vision::Overlay> overlay;
};
struct deeplab_polygons {
  std::vector<deeplab::vision::Region> regions;
};

namespace {

using deeplab::invalid_argument;
using deeplab::Result;
using deeplab::Status;
using deeplab::unsupported;
using namespace deeplab::api;  // NOLINT(google-build-using-namespace): the file is its border
namespace vision = deeplab::vision;

vision::Palette to_palette(const uint8_t* bytes) {
  if (bytes == nullptr) return vision::kVocPalette;
  vision::Palette palette;
  for (deeplab::Rgb& colour : palette) {
    colour = {bytes[0], bytes[1], bytes[2]};
    bytes += 3;
  }
  return palette;
}

deeplab_overlay_options default_overlay() {
  deeplab_overlay_options options = {};
  options.opacity = vision::OverlayOptions().opacity;
  options.contours = 1;
  options.legend = 1;
  return options;
}

deeplab_polygon_options default_polygons() {
  deeplab_polygon_options options = {};
  options.min_area = 1;
  return options;
}

/// Into `result`, which must not move afterwards.
Status make_overlay(const vision::MaskView& mask, const deeplab_overlay_options* options,
                    deeplab_overlay& result) {
  deeplab_overlay_options given = default_overlay();
  if (options != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(given, read_struct(options, given, "deeplab_overlay_options"));
  }
  constexpr int32_t kMostLabels = 256;
  if (given.label_count < 0 || given.label_count > kMostLabels ||
      (given.labels == nullptr && given.label_count > 0)) {
    return invalid_argument("deeplab_overlay_options: label_count is ", given.label_count,
                            "; expected 0 to 256, with labels not NULL");
  }
  std::vector<std::string> names;
  for (int32_t id = 0; id < given.label_count; ++id) {
    names.emplace_back(given.labels[id] == nullptr ? "" : given.labels[id]);
  }
  result.palette = to_palette(given.palette);
  vision::OverlayOptions inner;
  inner.opacity = given.opacity;
  inner.contours = given.contours != 0;
  inner.legend = given.legend != 0;
  inner.palette = &result.palette;
  inner.names = names;
  DEEPLAB_ASSIGN_OR_RETURN(result.overlay, vision::Overlay::create(mask, inner));
  return {};
}

Result<ptrdiff_t> stride_in_floats(ptrdiff_t bytes) {
  const auto element = static_cast<ptrdiff_t>(sizeof(float));
  if (bytes % element != 0) {
    return invalid_argument("confidence stride ", bytes, " is not a multiple of ", element,
                            " bytes");
  }
  return bytes / element;
}

Status find_region(const deeplab_polygons* polygons, int32_t index, const vision::Region*& region) {
  if (polygons == nullptr) return invalid_argument("the polygons are NULL");
  if (index < 0 || index >= std::ssize(polygons->regions)) {
    return invalid_argument("region ", index, " of ", polygons->regions.size());
  }
  region = &polygons->regions[static_cast<size_t>(index)];
  return {};
}

}  // namespace

deeplab_status deeplab_palette(const char* name, uint8_t palette[768]) {
  return guarded([&]() -> Status {
    if (name == nullptr || palette == nullptr) {
      return invalid_argument("deeplab_palette: an argument is NULL");
    }
    const std::string_view wanted = name;
    const vision::Palette* found = wanted == "voc"          ? &vision::kVocPalette
                                   : wanted == "cityscapes" ? &vision::kCityscapesPalette
                                   : wanted == "ade20k"     ? &vision::kAde20kPalette
                                                            : nullptr;
    if (found == nullptr) {
      return unsupported("unknown palette '", wanted, "'; expected voc, cityscapes or ade20k");
    }
    for (const deeplab::Rgb& colour : *found) {
      *palette++ = colour.red;
      *palette++ = colour.green;
      *palette++ = colour.blue;
    }
    return {};
  });
}

void deeplab_class_color(int32_t class_id, uint8_t rgb[3]) {
  if (rgb == nullptr) return;
  const bool is_known = class_id >= 0 && class_id < std::ssize(vision::kVocPalette);
  const deeplab::Rgb color =
      is_known ? vision::kVocPalette[static_cast<size_t>(class_id)] : deeplab::Rgb{};
  rgb[0] = color.red;
  rgb[1] = color.green;
  rgb[2] = color.blue;
}

deeplab_status deeplab_colorize(const uint8_t* mask, int32_t width, int32_t height,
                                ptrdiff_t stride, const uint8_t* palette, uint8_t* rgb,
                                ptrdiff_t rgb_stride) {
  return guarded([&]() -> Status {
    return vision::colorize({mask, width, height, stride}, to_palette(palette), rgb, rgb_stride);
  });
}

deeplab_status deeplab_count_pixels(const uint8_t* mask, int32_t width, int32_t height,
                                    ptrdiff_t stride, int64_t pixels[256]) {
  return guarded([&]() -> Status {
    if (pixels == nullptr) return invalid_argument("deeplab_count_pixels: pixels is NULL");
    const vision::MaskView view{mask, width, height, stride};
    DEEPLAB_RETURN_IF_ERROR(validate(view));
    std::ranges::copy(vision::histogram(view), pixels);
    return {};
  });
}

void deeplab_overlay_options_init(deeplab_overlay_options* options, size_t struct_size) {
  init_struct(options, struct_size, default_overlay());
}

deeplab_status deeplab_draw_overlay(const deeplab_image* image, const uint8_t* mask,
                                    ptrdiff_t stride, const deeplab_overlay_options* options,
                                    uint8_t* rgb, ptrdiff_t rgb_stride) {
  return guarded([&]() -> Status {
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    deeplab_overlay made;
    DEEPLAB_RETURN_IF_ERROR(
        make_overlay({mask, picture.width(), picture.height(), stride}, options, made));
    return vision::draw_overlay(picture, *made.overlay, rgb, rgb_stride);
  });
}

deeplab_status deeplab_overlay_create(const uint8_t* mask, int32_t width, int32_t height,
                                      ptrdiff_t stride, const deeplab_overlay_options* options,
                                      deeplab_overlay** overlay) {
  return guarded([&]() -> Status {
    if (overlay == nullptr) return invalid_argument("deeplab_overlay_create: overlay is NULL");
    *overlay = nullptr;
    auto made = std::make_unique<deeplab_overlay>();
    DEEPLAB_RETURN_IF_ERROR(make_overlay({mask, width, height, stride}, options, *made));
    *overlay = made.release();
    return {};
  });
}

deeplab_status deeplab_overlay_draw_row(const deeplab_overlay* overlay, int32_t y, uint8_t* rgb) {
  return guarded([&]() -> Status {
    if (overlay == nullptr || rgb == nullptr) {
      return invalid_argument("deeplab_overlay_draw_row: an argument is NULL");
    }
    if (y < 0 || y >= overlay->overlay->height()) {
      return invalid_argument("row ", y, " of an overlay of ", overlay->overlay->height());
    }
    overlay->overlay->paint_row(y, rgb);
    return {};
  });
}

void deeplab_overlay_free(deeplab_overlay* overlay) { delete overlay; }

deeplab_status deeplab_cut_out(const deeplab_image* image, const float* confidence,
                               ptrdiff_t confidence_stride, uint8_t* rgba, ptrdiff_t rgba_stride) {
  return guarded([&]() -> Status {
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    DEEPLAB_ASSIGN_OR_RETURN(const ptrdiff_t floats, stride_in_floats(confidence_stride));
    return vision::cut_out_soft(picture, confidence, floats, rgba, rgba_stride);
  });
}

deeplab_status deeplab_blur_background(const deeplab_image* image, const float* confidence,
                                       ptrdiff_t confidence_stride, int32_t radius, uint8_t* rgb,
                                       ptrdiff_t rgb_stride) {
  return guarded([&]() -> Status {
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    DEEPLAB_ASSIGN_OR_RETURN(const ptrdiff_t floats, stride_in_floats(confidence_stride));
    return vision::blur_background(picture, confidence, floats, radius, rgb, rgb_stride);
  });
}

void deeplab_polygon_options_init(deeplab_polygon_options* options, size_t struct_size) {
  init_struct(options, struct_size, default_polygons());
}

deeplab_status deeplab_polygons_trace(const uint8_t* mask, int32_t width, int32_t height,
                                      ptrdiff_t stride, const deeplab_polygon_options* options,
                                      deeplab_polygons** polygons) {
  return guarded([&]() -> Status {
    if (polygons == nullptr) return invalid_argument("deeplab_polygons_trace: polygons is NULL");
    *polygons = nullptr;
    deeplab_polygon_options given = default_polygons();
    if (options != nullptr) {
      DEEPLAB_ASSIGN_OR_RETURN(given, read_struct(options, given, "deeplab_polygon_options"));
    }
    vision::ContourOptions inner;
    inner.min_area = given.min_area;
    inner.tolerance = given.tolerance;
    inner.background = given.background != 0;
    auto made = std::make_unique<deeplab_polygons>();
    DEEPLAB_ASSIGN_OR_RETURN(made->regions,
                             vision::trace_contours({mask, width, height, stride}, inner));
    *polygons = made.release();
    return {};
  });
}

int32_t deeplab_polygons_count(const deeplab_polygons* polygons) {
  return polygons == nullptr ? 0 : static_cast<int32_t>(polygons->regions.size());
}

deeplab_status deeplab_polygons_region(const deeplab_polygons* polygons, int32_t index,
                                       deeplab_region* region) {
  return guarded([&]() -> Status {
    const vision::Region* found = nullptr;
    DEEPLAB_RETURN_IF_ERROR(find_region(polygons, index, found));
    deeplab_region result = {};
    result.area = found->area;
    result.class_id = found->class_id;
    result.x = found->box.x;
    result.y = found->box.y;
    result.width = found->box.width;
    result.height = found->box.height;
    result.ring_count = static_cast<int32_t>(found->rings.size());
    return write_struct(result, region, "deeplab_region");
  });
}

deeplab_status deeplab_polygons_ring(const deeplab_polygons* polygons, int32_t index, int32_t ring,
                                     const int32_t** points, int32_t* point_count) {
  return guarded([&]() -> Status {
    if (points == nullptr || point_count == nullptr) {
      return invalid_argument("deeplab_polygons_ring: an argument is NULL");
    }
    const vision::Region* found = nullptr;
    DEEPLAB_RETURN_IF_ERROR(find_region(polygons, index, found));
    if (ring < 0 || ring >= std::ssize(found->rings)) {
      return invalid_argument("ring ", ring, " of ", found->rings.size());
    }
    static_assert(sizeof(vision::Point) == 2 * sizeof(int32_t));
    const std::vector<vision::Point>& line = found->rings[static_cast<size_t>(ring)].points;
    *points = &line.data()->x;
    *point_count = static_cast<int32_t>(line.size());
    return {};
  });
}

void deeplab_polygons_free(deeplab_polygons* polygons) { delete polygons; }
