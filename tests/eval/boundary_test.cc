// Boundary F by hand on small masks, and against a search over all pairs on random ones.
#include "eval/boundary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/eval/masks.h"

namespace deeplab::eval {
namespace {

using testing::Drawn;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<BoundaryScore> scores_of(const Drawn& truth, const Drawn& found, double tolerance) {
  const auto scores = boundary_scores(truth.view(), found.view(), tolerance);
  EXPECT_TRUE(scores.ok()) << scores.status().message();
  return scores.ok() ? *scores : std::vector<BoundaryScore>();
}

/// A tolerance that is `pixels` in a mask of this size.
double pixels_of(double pixels, const Drawn& mask) {
  return pixels / std::hypot(mask.width, mask.height);
}

TEST(Boundary, TheSameMaskScoresOne) {
  const Drawn mask({"....", ".aa.", ".ab.", "...."});
  EXPECT_THAT(scores_of(mask, mask, kBoundaryTolerance),
              ElementsAre(BoundaryScore{0, 1}, BoundaryScore{1, 1}, BoundaryScore{2, 1}));
}

TEST(Boundary, AnOutlineThatIsOffByOneColumn) {
  const Drawn truth({"aa....", "aa....", "aa...."});
  const Drawn found({"aaa...", "aaa...", "aaa..."});
  // Outlines are the columns 1 | 2 and 2 | 3: no pixel of a class coincides, all are 1 apart.
  EXPECT_THAT(
      scores_of(truth, found, pixels_of(1.0, truth)),
      ElementsAre(BoundaryScore{0, 0}, BoundaryScore{1, 0}));  // nearer than, not as near as
  EXPECT_THAT(scores_of(truth, found, pixels_of(1.001, truth)),
              ElementsAre(BoundaryScore{0, 1}, BoundaryScore{1, 1}));
}

TEST(Boundary, PrecisionAndRecallDiffer) {
  // a: 4 true outline pixels. Found: the same 4 and a stray one far away, itself all outline.
  const Drawn truth({"aa........", "aa........", "..........", ".........."});
  const Drawn found({"aa.......a", "aa........", "..........", ".........."});
  const auto scores = scores_of(truth, found, pixels_of(0.5, truth));
  ASSERT_EQ(scores.size(), 2u);
  // Truth: (1,0) (0,1) (1,1), since (0,0) has no other neighbour. Found: these and the stray one.
  const double precision = 3.0 / 4;
  EXPECT_DOUBLE_EQ(scores[1].f, 2 * precision / (precision + 1));
  // The ground: (2,0) (2,1) (0,2) (1,2); found two more around the stray one.
  const double ground = 4.0 / 6;
  EXPECT_DOUBLE_EQ(scores[0].f, 2 * ground / (ground + 1));
}

TEST(Boundary, AClassInOneMaskOnlyScoresZeroAndOneInNeitherIsLeftOut) {
  const Drawn plain({"...", "...", "..."});
  const Drawn dot({"...", ".c.", "..."});
  EXPECT_THAT(scores_of(plain, plain, 0.1), IsEmpty());
  EXPECT_THAT(scores_of(plain, dot, 0.1), ElementsAre(BoundaryScore{0, 0}, BoundaryScore{3, 0}));
  EXPECT_THAT(scores_of(dot, plain, 0.1), ElementsAre(BoundaryScore{0, 0}, BoundaryScore{3, 0}));
}

TEST(Boundary, WhatIsIgnoredInTheTruthCountsInNeither) {
  const Drawn truth({"aa##..", "aa##..", "aa##.."});
  // Whatever is found under the rim makes no difference.
  for (const char* row : {"aaaa..", "aa....", "aabb.."}) {
    const Drawn found({row, row, row});
    EXPECT_THAT(scores_of(truth, found, pixels_of(0.5, truth)),
                ElementsAre(BoundaryScore{0, 1}, BoundaryScore{1, 1}))
        << row;
  }
}

TEST(Boundary, RefusesSizesThatDifferAndNoTolerance) {
  const Drawn wide({"aaa"});
  const Drawn narrow({"aa"});
  EXPECT_FALSE(boundary_scores(wide.view(), narrow.view()).ok());
  EXPECT_FALSE(boundary_scores(wide.view(), wide.view(), 0).ok());
}

// ---- Against the definition ------------------------------------------------------------------

std::vector<std::pair<int, int>> outline(const Drawn& mask, const Drawn& truth, uint8_t id) {
  const auto label = [&](int x, int y) {
    const auto at = static_cast<size_t>(y * mask.width + x);
    return truth.ids[at] == 255 ? uint8_t{255} : mask.ids[at];
  };
  std::vector<std::pair<int, int>> points;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (label(x, y) != id) continue;
      bool edge = false;
      for (const auto& [dx, dy] : {std::pair(1, 0), {-1, 0}, {0, 1}, {0, -1}}) {
        const int nx = x + dx, ny = y + dy;
        if (nx < 0 || ny < 0 || nx >= mask.width || ny >= mask.height) continue;
        edge = edge || label(nx, ny) != id;
      }
      if (edge) points.emplace_back(x, y);
    }
  }
  return points;
}

double share_near(const std::vector<std::pair<int, int>>& of,
                  const std::vector<std::pair<int, int>>& to, double distance) {
  int near = 0;
  for (const auto& [x, y] : of) {
    near += std::ranges::any_of(to, [&, x = x, y = y](const auto& p) {
      return std::hypot(p.first - x, p.second - y) < distance;
    });
  }
  return near / static_cast<double>(of.size());
}

TEST(Boundary, RandomMasksAgreeWithASearchOverAllPairs) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const auto draw = [&](int low, int high) {
      return std::uniform_int_distribution(low, high)(random);
    };
    std::vector<std::string> rows(static_cast<size_t>(draw(1, 24)),
                                  std::string(static_cast<size_t>(draw(1, 24)), '.'));
    const auto blobs = [&](std::string letters) {
      auto drawn = rows;
      for (int blob = 0; blob < 4; ++blob) {
        const int x0 = draw(0, static_cast<int>(rows[0].size()) - 1), w = draw(1, 12);
        const int y0 = draw(0, static_cast<int>(rows.size()) - 1), h = draw(1, 12);
        const char letter = letters[static_cast<size_t>(draw(0, 3)) % letters.size()];
        for (int y = y0; y < std::min<int>(y0 + h, static_cast<int>(rows.size())); ++y) {
          for (int x = x0; x < std::min<int>(x0 + w, static_cast<int>(rows[0].size())); ++x) {
            drawn[static_cast<size_t>(y)][static_cast<size_t>(x)] = letter;
          }
        }
      }
      return Drawn(drawn);
    };
    const Drawn truth = blobs("ab#.");
    const Drawn found = blobs("abc.");
    const double tolerance = std::uniform_real_distribution(0.01, 0.3)(random);
    const double distance = tolerance * std::hypot(truth.width, truth.height);
    std::vector<BoundaryScore> expected;
    for (uint8_t id = 0; id < 4; ++id) {
      const auto wanted = outline(truth, truth, id);
      const auto got = outline(found, truth, id);
      if (wanted.empty() && got.empty()) continue;
      double f = 0;
      if (!wanted.empty() && !got.empty()) {
        const double precision = share_near(got, wanted, distance);
        const double recall = share_near(wanted, got, distance);
        if (precision + recall > 0) f = 2 * precision * recall / (precision + recall);
      }
      expected.push_back({id, f});
    }
    EXPECT_EQ(scores_of(truth, found, tolerance), expected) << "round " << round;
  }
}

TEST(BoundaryMeans, APhotoIsTheMeanOfItsClassesAndADatasetOfItsPhotos) {
  BoundaryMeans means(3);
  EXPECT_FALSE(means.mean().has_value());
  means.add(std::vector<BoundaryScore>{{0, 1.0}, {2, 0.5}});
  means.add(std::vector<BoundaryScore>{});  // nothing to see: no photo in this mean
  means.add(std::vector<BoundaryScore>{{2, 0.25}});
  EXPECT_DOUBLE_EQ(means.mean().value(), (0.75 + 0.25) / 2);
  EXPECT_DOUBLE_EQ(means.of_class(2).value(), 0.375);
  EXPECT_FALSE(means.of_class(1).has_value());
}

}  // namespace
}  // namespace deeplab::eval
