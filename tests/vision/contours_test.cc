#include "vision/contours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/vision/pictures.h"

namespace deeplab::vision {
namespace {

using testing::draw;
using testing::Mask;
using testing::Random;

std::vector<Region> traced(const Mask& mask, const ContourOptions& options = {}) {
  auto result = trace_contours(mask.view(), options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return std::move(result).value();
}

int64_t twice_signed_area(const std::vector<Point>& points) {
  int64_t sum = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point a = points[i], b = points[(i + 1) % points.size()];
    sum += int64_t{a.x} * b.y - int64_t{b.x} * a.y;
  }
  return sum;
}

/// Fills the rings of a region by counting, for each pixel, the vertical edges left of it.
void rasterize(const Region& region, Mask& mask) {
  Mask crossings(mask.width + 1, mask.height);
  for (const Ring& ring : region.rings) {
    for (size_t i = 0; i < ring.points.size(); ++i) {
      const Point a = ring.points[i], b = ring.points[(i + 1) % ring.points.size()];
      ASSERT_TRUE(a.x == b.x || a.y == b.y);
      if (a.x != b.x) continue;
      for (int32_t y = std::min(a.y, b.y); y < std::max(a.y, b.y); ++y) crossings.at(a.x, y) ^= 1;
    }
  }
  for (int32_t y = 0; y < mask.height; ++y) {
    uint8_t inside = 0;
    for (int32_t x = 0; x < mask.width; ++x) {
      inside ^= crossings.at(x, y);
      if (inside == 0) continue;
      ASSERT_EQ(mask.at(x, y), 0) << "two regions cover " << x << "," << y;
      mask.at(x, y) = static_cast<uint8_t>(region.class_id);
    }
  }
}

/// 4-connected regions of classes 1..254 by flood filling.
std::multimap<int32_t, int64_t> flooded(Mask mask) {
  std::multimap<int32_t, int64_t> areas;
  for (int32_t y = 0; y < mask.height; ++y) {
    for (int32_t x = 0; x < mask.width; ++x) {
      const uint8_t id = mask.at(x, y);
      if (id == 0 || id == kIgnoreLabel) continue;
      int64_t area = 0;
      std::vector<Point> open = {{x, y}};
      mask.at(x, y) = 0;
      while (!open.empty()) {
        const Point p = open.back();
        open.pop_back();
        ++area;
        for (Point n : {Point{p.x + 1, p.y}, {p.x - 1, p.y}, {p.x, p.y + 1}, {p.x, p.y - 1}}) {
          if (n.x < 0 || n.y < 0 || n.x >= mask.width || n.y >= mask.height) continue;
          if (mask.at(n.x, n.y) != id) continue;
          mask.at(n.x, n.y) = 0;
          open.push_back(n);
        }
      }
      areas.emplace(id, area);
    }
  }
  return areas;
}

TEST(Contours, RingsGiveTheMaskBack) {
  Random random(31);
  for (int i = 0; i < 600; ++i) {
    const int32_t limit = i % 10 == 0 ? 90 : 14;
    Mask mask = Mask::random(random, draw(random, 1, limit), draw(random, 1, limit),
                             draw(random, 1, 5), draw(random, 0, 3));
    if (i % 7 == 0) mask.at(draw(random, 0, mask.width - 1), 0) = kIgnoreLabel;
    Mask back(mask.width, mask.height);
    std::multimap<int32_t, int64_t> areas;
    for (const Region& region : traced(mask)) {
      areas.emplace(region.class_id, region.area);
      int64_t signed_area = 0;
      Rect box = region.box;
      Point low{INT32_MAX, INT32_MAX}, high{0, 0};
      ASSERT_FALSE(region.rings.empty());
      for (size_t r = 0; r < region.rings.size(); ++r) {
        const Ring& ring = region.rings[r];
        ASSERT_EQ(ring.is_hole, r > 0);
        ASSERT_GE(ring.points.size(), 4u);
        const int64_t twice = twice_signed_area(ring.points);
        ASSERT_EQ(twice < 0, ring.is_hole);
        signed_area += twice / 2;
        for (Point p : ring.points) {
          low = {std::min(low.x, p.x), std::min(low.y, p.y)};
          high = {std::max(high.x, p.x), std::max(high.y, p.y)};
        }
        for (size_t k = 0; k < ring.points.size(); ++k) {  // corners only
          const Point a = ring.points[k], b = ring.points[(k + 1) % ring.points.size()],
                      c = ring.points[(k + 2) % ring.points.size()];
          ASSERT_NE(a.x == b.x, b.x == c.x);
        }
      }
      ASSERT_EQ(signed_area, region.area);
      ASSERT_EQ(low, (Point{box.x, box.y}));
      ASSERT_EQ(high, (Point{box.x + box.width, box.y + box.height}));
      ASSERT_NO_FATAL_FAILURE(rasterize(region, back));
    }
    for (uint8_t& id : mask.ids) id = id == kIgnoreLabel ? 0 : id;
    ASSERT_EQ(back.ids, mask.ids);
    const auto expected = flooded(mask);
    ASSERT_EQ(areas.size(), expected.size());
    for (int32_t id = 1; id < 6; ++id) {
      std::multiset<int64_t> have, want;
      for (auto [k, v] : areas)
        if (k == id) have.insert(v);
      for (auto [k, v] : expected)
        if (k == id) want.insert(v);
      ASSERT_EQ(have, want) << id;
    }
  }
}

TEST(Contours, ASquareWithAHole) {
  Mask mask(7, 6);
  for (int32_t y = 1; y < 5; ++y) {
    for (int32_t x = 2; x < 6; ++x) mask.at(x, y) = 12;
  }
  mask.at(3, 3) = 0;
  const auto regions = traced(mask);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(regions[0].class_id, 12);
  EXPECT_EQ(regions[0].area, 15);
  EXPECT_EQ(regions[0].box.x, 2);
  EXPECT_EQ(regions[0].box.y, 1);
  EXPECT_EQ(regions[0].box.width, 4);
  EXPECT_EQ(regions[0].box.height, 4);
  ASSERT_EQ(regions[0].rings.size(), 2u);
  EXPECT_EQ(regions[0].rings[0].points, (std::vector<Point>{{6, 1}, {6, 5}, {2, 5}, {2, 1}}));
  EXPECT_EQ(regions[0].rings[1].points.size(), 4u);
  EXPECT_EQ(twice_signed_area(regions[0].rings[1].points), -2);
}

TEST(Contours, HolesGoToTheRegionAroundThem) {
  // Rings within rings of the same class: each hole belongs to the ring next to it.
  Mask mask(40, 40);
  for (int32_t d = 0; d < 20; d += 2) {
    for (int32_t y = d; y < 40 - d; ++y) {
      for (int32_t x = d; x < 40 - d; ++x) mask.at(x, y) = d % 4 == 0 ? 5 : 0;
    }
  }
  const auto regions = traced(mask);
  ASSERT_EQ(regions.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    const int32_t side = 40 - 8 * static_cast<int32_t>(i);
    EXPECT_EQ(regions[i].box.width, side);
    EXPECT_EQ(regions[i].area, side * side - (side - 4) * (side - 4));
    EXPECT_EQ(regions[i].rings.size(), 2u);
  }
}

TEST(Contours, Filters) {
  Mask mask(10, 10, 3);
  mask.at(0, 0) = 4;
  mask.at(5, 5) = 0;
  EXPECT_EQ(traced(mask).size(), 2u);
  EXPECT_EQ(traced(mask, {.background = true}).size(), 3u);
  const auto large = traced(mask, {.min_area = 2});
  ASSERT_EQ(large.size(), 1u);
  EXPECT_EQ(large[0].area, 98);
  EXPECT_EQ(large[0].rings.size(), 1u);  // the one-pixel hole is closed
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  double t = length == 0 ? 0 : ((p.x - a.x) * dx + (p.y - a.y) * dy) / length;
  t = std::clamp(t, 0.0, 1.0);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

TEST(Contours, SimplifiedRingsStayWithinTheTolerance) {
  Random random(32);
  size_t corners = 0, left = 0;
  for (int i = 0; i < 100; ++i) {
    const Mask mask = Mask::random(random, draw(random, 1, 60), draw(random, 1, 60), 3, 4);
    const double tolerance = 0.4 * (1 + i % 8);
    const auto exact = traced(mask);
    const auto simple = traced(mask, {.tolerance = tolerance});
    ASSERT_EQ(exact.size(), simple.size());
    for (size_t r = 0; r < exact.size(); ++r) {
      ASSERT_EQ(exact[r].area, simple[r].area);
      ASSERT_EQ(exact[r].rings.size(), simple[r].rings.size());
      for (size_t k = 0; k < exact[r].rings.size(); ++k) {
        const auto& from = exact[r].rings[k].points;
        const auto& to = simple[r].rings[k].points;
        corners += from.size();
        left += to.size();
        ASSERT_GE(to.size(), 3u);
        ASSERT_TRUE(std::any_of(to.begin(), to.end(), [&](Point p) {  // not all in line
          return twice_signed_area({to[0], to[1], p}) != 0;
        }));
        // `to` is a subsequence; every point in between is near the segment that replaced it.
        size_t at = 0;
        ASSERT_EQ(to[0], from[0]);
        for (Point p : from) {
          if (at + 1 < to.size() && p == to[at + 1]) ++at;
          ASSERT_LE(distance_to_segment(p, to[at], to[(at + 1) % to.size()]), tolerance + 1e-9);
        }
        ASSERT_EQ(at, to.size() - 1);
      }
    }
  }
  EXPECT_LT(left * 2, corners);
}

TEST(Contours, ADiagonalBecomesALine) {
  Mask mask(40, 40);
  for (int32_t y = 0; y < 40; ++y) {
    for (int32_t x = 0; x <= y; ++x) mask.at(x, y) = 1;
  }
  const auto regions = traced(mask, {.tolerance = 1});
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_LE(regions[0].rings[0].points.size(), 5u);
}

TEST(Contours, LongOutlinesTakeNoStackAndLittleTime) {
  // A comb: one region whose outline passes nearly every pixel.
  Mask mask(1500, 1000);
  for (int32_t y = 0; y < 1000; ++y) {
    for (int32_t x = 0; x < 1500; ++x) mask.at(x, y) = y == 0 || x % 2 == 0 ? 1 : 0;
  }
  const auto comb = traced(mask, {.tolerance = 0.5});
  ASSERT_EQ(comb.size(), 1u);
  EXPECT_EQ(comb[0].area, 750 * 1000 + 750);
  // A chessboard: one region per pixel.
  for (int32_t y = 0; y < 1000; ++y) {
    for (int32_t x = 0; x < 1500; ++x) mask.at(x, y) = (x + y) % 2 == 0 ? 1 : 0;
  }
  EXPECT_EQ(traced(mask).size(), 750000u);
  EXPECT_TRUE(traced(mask, {.min_area = 2}).empty());
}

TEST(Contours, RefusesBadArguments) {
  const Mask mask(3, 3, 1);
  EXPECT_FALSE(trace_contours({}, {}).ok());
  EXPECT_FALSE(trace_contours(mask.view(), {.tolerance = -1}).ok());
  EXPECT_FALSE(trace_contours(mask.view(), {.tolerance = NAN}).ok());
}

}  // namespace
}  // namespace deeplab::vision
