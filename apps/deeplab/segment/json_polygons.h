// Outlines of a mask as COCO's instance annotations.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "deeplab/deeplab_draw.hpp"

namespace deeplab::app {

struct CocoOptions {
  std::span<const int32_t> classes;     ///< The category ids to trace.
  std::span<const std::string> labels;  ///< By class id.
  int64_t min_area = 1;                 ///< Smaller regions are left out.
  double tolerance = 1;                 ///< Of the simplification, in pixels.
};

/// One COCO document for one photo: an annotation for every 4-connected region, coordinates in
/// the photo's own pixels. COCO's polygons know no holes, so a region with holes is one outline
/// that enters and leaves each hole on the same line, which every fill rule draws right.
Result<std::string> coco_polygons(const std::string& file_name, const MaskView& mask,
                                  const CocoOptions& options);

}  // namespace deeplab::app
