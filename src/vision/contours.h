// Polygons around the regions of a mask.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "vision/image_view.h"
#include "vision/placement.h"

namespace deeplab::vision {

/// A corner of a pixel: (0, 0) is the top left corner of the picture, (width, height) the bottom
/// right one. COCO's polygons use the same coordinates.
struct Point {
  int32_t x = 0;
  int32_t y = 0;
  bool operator==(const Point&) const = default;
};

/// A closed line along pixel edges; the last point joins the first, which is not repeated. The
/// region lies to the right of it: outer rings run clockwise on the screen, holes the other way.
struct Ring {
  std::vector<Point> points;
  bool is_hole = false;
};

/// One region: pixels of one class that hang together over their sides (4-connected).
struct Region {
  int32_t class_id = 0;
  int64_t area = 0;         ///< Pixels of the region, exact whatever the rings were simplified to.
  Rect box;                 ///< The smallest rectangle of pixels around it: COCO's [x, y, w, h].
  std::vector<Ring> rings;  ///< The outer ring first, then its holes.
};

struct ContourOptions {
  /// Regions below this many pixels are left out, holes below it are closed.
  int64_t min_area = 1;
  /// Douglas-Peucker: corners closer to the simplified line than this many pixels go. 0 keeps all.
  double tolerance = 0;
  bool background = false;  ///< Class 0, too. The ignore label is never traced.
};

/// The regions by the first pixel of each in reading order. Linear in the pixels of the mask (and
/// the logarithm of edges per row); memory is proportional to the length of the outlines.
/// Errors: an invalid mask, a tolerance that is negative or not finite, no memory.
Result<std::vector<Region>> trace_contours(const MaskView& mask, const ContourOptions& options);

/// Leaves the corners of `ring` that differ by more than `tolerance` from the line without them,
/// at least three. Open for tests.
void simplify(std::vector<Point>& ring, double tolerance);

}  // namespace deeplab::vision
