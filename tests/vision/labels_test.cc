#include "vision/labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/vision/pictures.h"
#include "vision/statistics.h"

namespace deeplab::vision {
namespace {

using testing::draw;
using testing::Random;

struct Scores {
  int32_t height, width, classes;
  std::vector<float> values;
  ScoreView view() const {
    return {values.data(), ElementType::kFloat32, height, width, classes, {}};
  }
};

Scores random_scores(Random& random, int32_t h, int32_t w, int32_t c, bool whole_numbers) {
  Scores s{h, w, c, {}};
  std::normal_distribution<float> noise(0, 4);
  for (int32_t i = 0; i < h * w * c; ++i) {
    const float v = noise(random);
    s.values.push_back(whole_numbers ? std::round(v) : v);
  }
  return s;
}

/// Where TensorFlow Lite's RESIZE_BILINEAR reads, from its definition.
double source(double at, int32_t in, int32_t out, CornerMode corners) {
  double s = at * in / out;
  if (corners == CornerMode::kAlignCorners && out > 1) s = at * (in - 1) / (out - 1);
  if (corners == CornerMode::kHalfPixel) s = (at + 0.5) * in / out - 0.5;
  return std::min(std::max(s, 0.0), in - 1.0);
}

/// All classes at a photo pixel, in double.
std::vector<double> naive_scores(const Scores& s, CornerMode corners, const Placement& p, int32_t x,
                                 int32_t y) {
  const double sx = source(p.canvas_x(x), s.width, p.canvas_width, corners);
  const double sy = source(p.canvas_y(y), s.height, p.canvas_height, corners);
  const auto x0 = static_cast<int32_t>(sx), y0 = static_cast<int32_t>(sy);
  const int32_t x1 = std::min(x0 + 1, s.width - 1), y1 = std::min(y0 + 1, s.height - 1);
  const auto at = [&](int32_t yy, int32_t xx, int32_t c) {
    return double(s.values[static_cast<size_t>((yy * s.width + xx) * s.classes + c)]);
  };
  std::vector<double> all;
  for (int32_t c = 0; c < s.classes; ++c) {
    const double top = at(y0, x0, c) + (sx - x0) * (at(y0, x1, c) - at(y0, x0, c));
    const double bottom = at(y1, x0, c) + (sx - x0) * (at(y1, x1, c) - at(y1, x0, c));
    all.push_back(top + (sy - y0) * (bottom - top));
  }
  return all;
}

std::vector<uint8_t> labels(const ScoreView& scores, CornerMode corners, const Placement& p) {
  MaskMaker head;
  const Status status = head.configure(scores, corners, p);
  EXPECT_TRUE(status.ok()) << status.message();
  LabelScratch scratch;
  EXPECT_TRUE(head.grow(scratch).ok());
  std::vector<uint8_t> mask(
      static_cast<size_t>(p.photo_width) * static_cast<size_t>(p.photo_height), 254);
  head.label_rows(0, head.height(), mask.data(), p.photo_width, scratch);
  return mask;
}

/// Compares with a full evaluation; labels may differ only if the scores of the two tie.
void expect_naive_labels(const Scores& s, CornerMode corners, const Placement& p, int64_t& pixels,
                         int64_t& ties) {
  const auto mask = labels(s.view(), corners, p);
  for (int32_t y = 0; y < p.photo_height; ++y) {
    for (int32_t x = 0; x < p.photo_width; ++x) {
      const std::vector<double> all = naive_scores(s, corners, p, x, y);
      const auto best = std::max_element(all.begin(), all.end()) - all.begin();
      const uint8_t label = mask[static_cast<size_t>(y * p.photo_width + x)];
      ++pixels;
      if (label == best) continue;
      ++ties;
      ASSERT_LT(label, s.classes);
      ASSERT_NEAR(all[label], all[static_cast<size_t>(best)], 2e-5)
          << "at " << x << "," << y << ": " << int{label} << ", expected " << best;
    }
  }
}

TEST(LabelHead, EqualsAFullEvaluation) {
  Random random(21);
  int64_t pixels = 0;
  int64_t ties = 0;
  for (int i = 0; i < 240; ++i) {
    const Scores s =
        random_scores(random, draw(random, 1, 12), draw(random, 1, 12), draw(random, 1, 24), false);
    const auto fit = static_cast<Fit>(i % 3);
    const auto corners = static_cast<CornerMode>(i / 3 % 3);
    const Placement p = place(fit, draw(random, 1, 120), draw(random, 1, 120), draw(random, 1, 100),
                              draw(random, 1, 100))
                            .value();
    ASSERT_NO_FATAL_FAILURE(expect_naive_labels(s, corners, p, pixels, ties));
  }
  // Random real scores never tie, except in the last bit of a float.
  RecordProperty("differing", std::to_string(ties) + " of " + std::to_string(pixels));
  EXPECT_LE(ties, pixels / 100000) << pixels;
}

TEST(LabelHead, WholeNumberScoresDifferAtTiesOnly) {
  Random random(22);
  int64_t pixels = 0;
  int64_t ties = 0;
  for (int i = 0; i < 60; ++i) {
    const Scores s = random_scores(random, draw(random, 2, 9), draw(random, 2, 9), 21, true);
    const Placement p = place(Fit::kPad, draw(random, 1, 65), draw(random, 1, 65), 65, 65).value();
    ASSERT_NO_FATAL_FAILURE(expect_naive_labels(s, CornerMode::kAlignCorners, p, pixels, ties));
  }
  RecordProperty("differing", std::to_string(ties) + " of " + std::to_string(pixels));
  EXPECT_LE(ties, pixels / 50) << pixels;
}

TEST(LabelHead, AThirdClassBetweenTwoWinnersIsFound) {
  // Class 0 wins left, class 1 right; class 2 is second on both ends and wins in the middle.
  const Scores s{1, 2, 4, {10, 0, 8.5f, 3, 0, 10, 8.5f, 3}};
  const auto mask =
      labels(s.view(), CornerMode::kAlignCorners, place(Fit::kPad, 11, 1, 11, 1).value());
  const std::vector<uint8_t> expected = {0, 0, 2, 2, 2, 2, 2, 2, 2, 1, 1};
  EXPECT_EQ(mask, expected);
}

TEST(LabelHead, TheLowestIdWinsATie) {
  const Scores s{2, 2, 3, std::vector<float>(12, 1.5f)};
  for (uint8_t label :
       labels(s.view(), CornerMode::kHalfPixel, place(Fit::kPad, 9, 7, 9, 7).value())) {
    EXPECT_EQ(label, 0);
  }
}

TEST(LabelHead, TypesAgree) {
  Random random(23);
  const Placement p = place(Fit::kLetterbox, 70, 40, 33, 33).value();
  Scores s = random_scores(random, 5, 5, 21, true);
  std::vector<int8_t> i8;
  std::vector<uint8_t> u8;
  std::vector<int32_t> i32;
  for (float v : s.values) {
    i8.push_back(static_cast<int8_t>(v));
    u8.push_back(static_cast<uint8_t>(v + 128));
    i32.push_back(static_cast<int32_t>(v));
  }
  const auto expected = labels(s.view(), CornerMode::kAlignCorners, p);
  const auto of = [&](const void* data, ElementType type, Quantization q) {
    return labels({data, type, 5, 5, 21, q}, CornerMode::kAlignCorners, p);
  };
  EXPECT_EQ(of(i8.data(), ElementType::kInt8, {0.1f, -7}), expected);
  EXPECT_EQ(of(u8.data(), ElementType::kUint8, {0.1f, 128}), expected);
  EXPECT_EQ(of(i32.data(), ElementType::kInt32, {0.1f, 0}), expected);
}

// 8-bit scores are settled between rows where the same class clearly wins; with few values most
// columns tie somewhere.
TEST(LabelHead, EightBitScoresAreSettledAsWideOnesAreComputed) {
  Random random(24);
  for (int32_t values : {2, 3, 8, 256}) {
    std::vector<int8_t> i8;
    std::vector<int32_t> i32;
    for (int i = 0; i < 7 * 9 * 4; ++i) {
      const auto v = static_cast<int32_t>(random() % static_cast<uint32_t>(values)) - values / 2;
      i8.push_back(static_cast<int8_t>(v));
      i32.push_back(v);
    }
    for (int32_t size : {5, 33, 200}) {
      const Placement p = place(Fit::kStretch, size, size + 7, 33, 33).value();
      for (CornerMode corners : {CornerMode::kAlignCorners, CornerMode::kHalfPixel}) {
        EXPECT_EQ(labels({i8.data(), ElementType::kInt8, 7, 9, 4, {0.1f, 0}}, corners, p),
                  labels({i32.data(), ElementType::kInt32, 7, 9, 4, {0.1f, 0}}, corners, p));
      }
    }
  }
}

TEST(LabelHead, RowRangesAndStridesGiveTheSameMask) {
  Random random(24);
  const Scores s = random_scores(random, 9, 9, 21, false);
  const Placement p = place(Fit::kPad, 50, 37, 65, 65).value();
  const auto expected = labels(s.view(), CornerMode::kAlignCorners, p);
  MaskMaker head;
  ASSERT_TRUE(head.configure(s.view(), CornerMode::kAlignCorners, p).ok());
  const ptrdiff_t stride = 64;
  std::vector<uint8_t> mask(64 * 37, 199);
  for (int32_t y = 0; y < 37; y += 5) {
    LabelScratch scratch;
    ASSERT_TRUE(head.grow(scratch).ok());
    head.label_rows(y, std::min(y + 5, 37), mask.data(), stride, scratch);
  }
  for (int32_t y = 0; y < 37; ++y) {
    for (int32_t x = 0; x < 64; ++x) {
      const size_t i = static_cast<size_t>(y * 64 + x);
      ASSERT_EQ(mask[i], x < 50 ? expected[static_cast<size_t>(y * 50 + x)] : 199);
    }
  }
}

TEST(LabelHead, ConfidencesAreTheSoftmax) {
  Random random(25);
  for (auto corners : {CornerMode::kAlignCorners, CornerMode::kHalfPixel, CornerMode::kLegacy}) {
    Scores s = random_scores(random, 4, 6, 21, true);
    std::vector<int8_t> stored;
    const Quantization q{0.37f, 5};
    for (float& v : s.values) {
      stored.push_back(static_cast<int8_t>(v * 3));
      v = q.scale * static_cast<float>(stored.back() - q.zero_point);
    }
    const Placement p = place(Fit::kLetterbox, 41, 23, 33, 33).value();
    MaskMaker head;
    ASSERT_TRUE(head.configure({stored.data(), ElementType::kInt8, 4, 6, 21, q}, corners, p).ok());
    LabelScratch scratch;
    ASSERT_TRUE(head.grow(scratch).ok());
    const size_t plane = 41 * 23;
    std::vector<float> all(plane * 21), two(plane), others(plane), highest(plane);
    const int32_t chosen[] = {3, 15};
    std::vector<int32_t> rest;
    for (int32_t c = 0; c < 21; ++c) {
      if (c != 3 && c != 15) rest.push_back(c);
    }
    head.all_confidence_rows(0, 23, all.data(), 41, plane, scratch);
    head.confidence_rows(chosen, 0, 23, two.data(), 41, scratch);
    head.confidence_rows(rest, 0, 23, others.data(), 41, scratch);
    head.max_confidence_rows(0, 23, highest.data(), 41, scratch);
    for (int32_t y = 0; y < 23; ++y) {
      for (int32_t x = 0; x < 41; ++x) {
        std::vector<double> e = naive_scores(s, corners, p, x, y);
        const double top = *std::max_element(e.begin(), e.end());
        double total = 0;
        for (double& v : e) total += v = std::exp(v - top);
        const size_t i = static_cast<size_t>(y * 41 + x);
        for (size_t c = 0; c < 21; ++c) ASSERT_NEAR(all[c * plane + i], e[c] / total, 2e-6);
        ASSERT_NEAR(two[i], (e[3] + e[15]) / total, 2e-6);
        ASSERT_NEAR(others[i], 1 - (e[3] + e[15]) / total, 2e-6);
        ASSERT_NEAR(highest[i], 1 / total, 2e-6);
      }
    }
  }
}

TEST(LabelHead, NoScoreBreaksIt) {
  const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0};
  Random random(26);
  Scores s{5, 5, 6, {}};
  for (int i = 0; i < 150; ++i) s.values.push_back(bad[draw(random, 0, 5)]);
  const Placement p = place(Fit::kPad, 40, 40, 40, 40).value();
  for (uint8_t label : labels(s.view(), CornerMode::kAlignCorners, p)) EXPECT_LT(label, 6);
  MaskMaker head;
  ASSERT_TRUE(head.configure(s.view(), CornerMode::kAlignCorners, p).ok());
  LabelScratch scratch;
  ASSERT_TRUE(head.grow(scratch).ok());
  std::vector<float> out(1600);
  head.max_confidence_rows(0, 40, out.data(), 40, scratch);
  // A share is a share, or there is none: never a number beside [0, 1].
  for (float share : out) EXPECT_TRUE(std::isnan(share) || (share >= 0 && share <= 1)) << share;
}

TEST(LabelHead, RefusesBadArguments) {
  const Scores s{2, 2, 3, std::vector<float>(12, 0)};
  const Placement p = place(Fit::kPad, 9, 9, 9, 9).value();
  const auto code = [&](ScoreView view) {
    MaskMaker head;
    return head.configure(view, CornerMode::kLegacy, p).code();
  };
  ScoreView v = s.view();
  EXPECT_EQ(code(v), StatusCode::kOk);
  v.classes = 256;
  EXPECT_EQ(code(v), StatusCode::kUnsupported);
  v.classes = 0;
  EXPECT_EQ(code(v), StatusCode::kUnsupported);
  v = s.view();
  v.data = nullptr;
  EXPECT_EQ(code(v), StatusCode::kInvalidArgument);
  v = s.view();
  v.width = 0;
  EXPECT_EQ(code(v), StatusCode::kInvalidArgument);
  v = s.view();
  v.quantization.scale = NAN;
  EXPECT_EQ(code(v), StatusCode::kInvalidArgument);
  MaskMaker head;
  EXPECT_FALSE(head.configure(s.view(), CornerMode::kLegacy, Placement{}).ok());
}

}  // namespace
}  // namespace deeplab::vision
