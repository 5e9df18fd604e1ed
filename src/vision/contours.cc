#include "vision/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <new>
#include <utility>

namespace deeplab::vision {
namespace {

/// The edges along the tops of pixels (another class, or nothing, above) of the classes traced,
/// row by row. Every closed line along pixel edges with the region to its right has one, so they
/// are where tracing starts and what has to be marked as done.
struct TopEdges {
  std::vector<int64_t> row_begin;  // [height + 1]
  std::vector<int32_t> x;
  std::vector<int32_t> ring;  // -1: not traced yet

  int64_t find(int32_t at_x, int32_t at_y) const {
    const auto begin = x.begin() + static_cast<ptrdiff_t>(row_begin[static_cast<size_t>(at_y)]);
    const auto end = x.begin() + static_cast<ptrdiff_t>(row_begin[static_cast<size_t>(at_y) + 1]);
    return std::lower_bound(begin, end, at_x) - x.begin();
  }
};

enum Heading { kRight, kDown, kLeft, kUp };
constexpr std::array<Point, 4> kStep = {{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};
// The pixels ahead of a corner, right and left of the line, by heading.
constexpr std::array<Point, 4> kAheadRight = {{{0, 0}, {-1, 0}, {-1, -1}, {0, -1}}};
constexpr std::array<Point, 4> kAheadLeft = {{{0, -1}, {0, 0}, {-1, 0}, {-1, -1}}};

/// A ring as it is traced, and what says where it belongs.
struct Traced {
  std::vector<Point> points;
  int64_t area = 0;  // signed: holes are negative
  Rect box;
  uint8_t class_id = 0;
  Point under_top;  // the region's pixel above the topmost edge that runs left (holes only)
};

class Tracer {
 public:
  Tracer(const MaskView& mask, const ContourOptions& options) : mask_(mask), options_(options) {}

  std::vector<Region> run() {
    collect_edges();
    for (int32_t y = 0; y < mask_.height; ++y) {
      for (int64_t e = edges_.row_begin[static_cast<size_t>(y)];
           e < edges_.row_begin[static_cast<size_t>(y) + 1]; ++e) {
        if (edges_.ring[static_cast<size_t>(e)] < 0)
          add(trace({edges_.x[static_cast<size_t>(e)], y}));
      }
    }
    return finish();
  }

 private:
  bool wanted(uint8_t id) const { return id != kIgnoreLabel && (id != 0 || options_.background); }

  bool is(Point pixel, uint8_t id) const {
    return pixel.x >= 0 && pixel.y >= 0 && pixel.x < mask_.width && pixel.y < mask_.height &&
           mask_.row(pixel.y)[pixel.x] == id;
  }

  void collect_edges() {
    edges_.row_begin.reserve(static_cast<size_t>(mask_.height) + 1);
    edges_.row_begin.push_back(0);
    for (int32_t y = 0; y < mask_.height; ++y) {
      const uint8_t* row = mask_.row(y);
      const uint8_t* above = y > 0 ? mask_.row(y - 1) : nullptr;
      for (int32_t x = 0; x < mask_.width; ++x) {
        if (wanted(row[x]) && (above == nullptr || above[x] != row[x])) edges_.x.push_back(x);
      }
      edges_.row_begin.push_back(static_cast<int64_t>(edges_.x.size()));
    }
    edges_.ring.assign(edges_.x.size(), -1);
  }

  /// Follows the line from the top edge of pixel `start` until it closes, keeping the region on
  /// the right and, if two of its pixels meet at a corner only, the same pixel.
  Traced trace(Point start) {
    const uint8_t id = mask_.row(start.y)[start.x];
    const auto ring = static_cast<int32_t>(region_of_ring_.size());
    Traced traced;
    traced.class_id = id;
    Point low = start;
    Point high = start;
    int32_t top_of_left_edges = mask_.height + 1;
    Point at = start;
    Heading heading = kRight;
    do {
      if (heading == kRight) {
        edges_.ring[static_cast<size_t>(edges_.find(at.x, at.y))] = ring;
        traced.area -= at.y;
      } else if (heading == kLeft) {
        traced.area += at.y;
        if (at.y < top_of_left_edges) {
          top_of_left_edges = at.y;
          traced.under_top = {at.x - 1, at.y - 1};
        }
      }
      at = {at.x + kStep[heading].x, at.y + kStep[heading].y};
      low = {std::min(low.x, at.x), std::min(low.y, at.y)};
      high = {std::max(high.x, at.x), std::max(high.y, at.y)};
      const Heading before = heading;
      const Point right = kAheadRight[heading];
      const Point left = kAheadLeft[heading];
      if (!is({at.x + right.x, at.y + right.y}, id)) {
        heading = static_cast<Heading>((heading + 1) % 4);
      } else if (is({at.x + left.x, at.y + left.y}, id)) {
        heading = static_cast<Heading>((heading + 3) % 4);
      }
      if (heading != before) traced.points.push_back(at);
    } while (at != start || heading != kRight);
    traced.box = {low.x, low.y, high.x - low.x, high.y - low.y};
    return traced;
  }

  void add(Traced traced) {
    if (traced.area > 0) {
      region_of_ring_.push_back(static_cast<int32_t>(regions_.size()));
      Region& region = regions_.emplace_back();
      region.class_id = traced.class_id;
      region.area = traced.area;
      region.box = traced.box;
      region.rings.push_back({std::move(traced.points), false});
      return;
    }
    const int32_t owner = region_of_ring_[static_cast<size_t>(ring_above(traced.under_top))];
    region_of_ring_.push_back(owner);
    Region& region = regions_[static_cast<size_t>(owner)];
    region.area += traced.area;
    if (-traced.area >= options_.min_area) region.rings.push_back({std::move(traced.points), true});
  }

  /// The ring at the upper end of the region's pixels above a hole. It starts in an earlier row
  /// than any top edge of the hole, so it is known already. No pixel is walked over twice: the
  /// hole below it is the first one in its column.
  int32_t ring_above(Point pixel) const {
    const uint8_t id = mask_.row(pixel.y)[pixel.x];
    while (is({pixel.x, pixel.y - 1}, id)) --pixel.y;
    return edges_.ring[static_cast<size_t>(edges_.find(pixel.x, pixel.y))];
  }

  std::vector<Region> finish() {
    std::erase_if(regions_, [&](const Region& r) { return r.area < options_.min_area; });
    if (options_.tolerance > 0) {
      for (Region& region : regions_) {
        for (Ring& ring : region.rings) simplify(ring.points, options_.tolerance);
      }
    }
    return std::move(regions_);
  }

  const MaskView mask_;
  const ContourOptions options_;
  TopEdges edges_;
  std::vector<int32_t> region_of_ring_;
  std::vector<Region> regions_;
};

/// Squared distance from p to the line through a and b (to a if they coincide).
double squared_distance(Point p, Point a, Point b) {
  const double dx = double(b.x) - a.x;
  const double dy = double(b.y) - a.y;
  const double px = double(p.x) - a.x;
  const double py = double(p.y) - a.y;
  const double length = dx * dx + dy * dy;
  if (length == 0) return px * px + py * py;
  const double along = std::clamp((px * dx + py * dy) / length, 0.0, 1.0);
  const double ex = px - along * dx;
  const double ey = py - along * dy;
  return ex * ex + ey * ey;
}

/// Twice the signed area of a triangle.
int64_t twice_area(Point a, Point b, Point c) {
  return int64_t{b.x - a.x} * (c.y - a.y) - int64_t{b.y - a.y} * (c.x - a.x);
}

/// The point strictly between `first` and `last` that is furthest from the segment between them.
std::pair<size_t, double> furthest(const std::vector<Point>& line, size_t first, size_t last) {
  std::pair<size_t, double> best{first, -1.0};
  for (size_t i = first + 1; i < last; ++i) {
    const double d = squared_distance(line[i], line[first], line[last]);
    if (d > best.second) best = {i, d};
  }
  return best;
}

}  // namespace

void simplify(std::vector<Point>& ring, double tolerance) {
  if (ring.size() <= 3 || !(tolerance > 0)) return;
  std::vector<Point> line = ring;
  line.push_back(line.front());  // as an open line that ends where it starts
  const size_t last = line.size() - 1;

  // Three corners stay whatever the tolerance, so that a ring keeps an area: the first, the one
  // furthest from it, and the one furthest from the straight line through these.
  std::vector<bool> keep(line.size(), false);
  const size_t far = furthest(line, 0, last).first;
  size_t third = 0;
  int64_t largest = 0;
  for (size_t i = 1; i < last; ++i) {
    const int64_t area = std::abs(twice_area(line[0], line[far], line[i]));
    if (area > largest) {
      largest = area;
      third = i;
    }
  }
  keep[0] = keep[far] = keep[third] = keep[last] = true;
  // Douglas-Peucker may take quadratic time; splitting long lines into pieces bounds it.
  constexpr size_t kPiece = 1024;
  for (size_t i = kPiece; i < last; i += kPiece) keep[i] = true;

  std::vector<std::pair<size_t, size_t>> open;
  for (size_t first = 0; first < last;) {
    size_t next = first + 1;
    while (!keep[next]) ++next;
    open.emplace_back(first, next);
    first = next;
  }
  while (!open.empty()) {
    const auto [first, end] = open.back();
    open.pop_back();
    const auto [middle, distance] = furthest(line, first, end);
    if (distance <= tolerance * tolerance) continue;
    keep[middle] = true;
    open.emplace_back(first, middle);
    open.emplace_back(middle, end);
  }

  size_t kept = 0;
  for (size_t i = 0; i < last; ++i) {
    if (keep[i]) ring[kept++] = line[i];
  }
  ring.resize(kept);
}

Result<std::vector<Region>> trace_contours(const MaskView& mask, const ContourOptions& options) {
  DEEPLAB_RETURN_IF_ERROR(validate(mask));
  if (!(options.tolerance >= 0) || !std::isfinite(options.tolerance)) {
    return invalid_argument("contours: tolerance ", options.tolerance,
                            " is not a number of pixels from 0 up");
  }
  try {
    return Tracer(mask, options).run();
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for the contours of a mask of ", mask.width, "x",
                              mask.height);
  }
}

}  // namespace deeplab::vision
