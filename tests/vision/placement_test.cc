#include "vision/placement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/vision/pictures.h"

namespace deeplab::vision {
namespace {

using testing::draw;

Placement placed(Fit fit, int32_t pw, int32_t ph, int32_t cw, int32_t ch) {
  return place(fit, pw, ph, cw, ch).value();
}

TEST(Placement, PadPastesAPhotoThatFits) {
  const Placement p = placed(Fit::kPad, 500, 375, 513, 513);
  EXPECT_EQ(p.content.x, 0);
  EXPECT_EQ(p.content.y, 0);
  EXPECT_EQ(p.content.width, 500);
  EXPECT_EQ(p.content.height, 375);
  for (double x : {0.0, 1.0, 499.0}) EXPECT_EQ(p.canvas_x(x), x);  // the identity, exactly
  for (double y : {0.0, 1.0, 374.0}) EXPECT_EQ(p.canvas_y(y), y);
}

TEST(Placement, PadShrinksTheLongSideToTheCanvas) {
  const Placement p = placed(Fit::kPad, 2052, 1026, 513, 513);
  EXPECT_EQ(p.content.width, 513);
  EXPECT_EQ(p.content.height, 257);  // 256.5, rounded
  EXPECT_DOUBLE_EQ(p.scale_x, 0.25);
  EXPECT_DOUBLE_EQ(p.canvas_x(1.5), 0.0);  // the middle of the first four pixels
  const Placement wide = placed(Fit::kPad, 1000, 1000, 640, 360);
  EXPECT_EQ(wide.content.width, 360);
  EXPECT_EQ(wide.content.height, 360);
}

TEST(Placement, PadEnlargesUpToItsLimit) {
  const auto content = [](int32_t pw, int32_t ph, int32_t side, double limit) {
    const Placement p = place(Fit::kPad, pw, ph, side, side, limit).value();
    EXPECT_EQ(p.content.x, 0);
    EXPECT_EQ(p.content.y, 0);
    return std::pair(p.content.width, p.content.height);
  };
  EXPECT_EQ(content(500, 375, 641, 1.25), std::pair(625, 469));
  EXPECT_EQ(content(500, 375, 257, 0.5), std::pair(250, 188));
  EXPECT_EQ(content(100, 60, 257, 0.5), std::pair(50, 30));  // though it would fit as it is
  EXPECT_EQ(content(1000, 500, 641, 1.25), std::pair(641, 321));
  // Others have no limit.
  EXPECT_EQ(place(Fit::kLetterbox, 100, 50, 513, 513, 0.5)->content.width, 513);
  EXPECT_FALSE(place(Fit::kPad, 10, 10, 33, 33, 0).ok());
  EXPECT_FALSE(place(Fit::kPad, 10, 10, 33, 33, -1).ok());
}

TEST(Placement, LetterboxCentresAndEnlarges) {
  const Placement p = placed(Fit::kLetterbox, 100, 50, 513, 513);
  EXPECT_EQ(p.content.width, 513);
  EXPECT_EQ(p.content.height, 257);
  EXPECT_EQ(p.content.x, 0);
  EXPECT_EQ(p.content.y, 128);
}

TEST(Placement, StretchCoversTheCanvas) {
  const Placement p = placed(Fit::kStretch, 100, 50, 640, 360);
  EXPECT_EQ(p.content.width, 640);
  EXPECT_EQ(p.content.height, 360);
  EXPECT_DOUBLE_EQ(p.scale_x, 6.4);
  EXPECT_DOUBLE_EQ(p.scale_y, 7.2);
}

TEST(Placement, HoldsItsPromisesForAnySizes) {
  testing::Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const int32_t limit = i % 2 == 0 ? 2000 : kMaxSide / 2;
    const int32_t pw = draw(random, 1, limit), ph = draw(random, 1, limit);
    const int32_t cw = draw(random, 1, 2000), ch = draw(random, 1, 2000);
    for (Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
      const Placement p = placed(fit, pw, ph, cw, ch);
      ASSERT_GE(p.content.width, 1);
      ASSERT_GE(p.content.height, 1);
      ASSERT_GE(p.content.x, 0);
      ASSERT_GE(p.content.y, 0);
      ASSERT_LE(p.content.x + p.content.width, cw);
      ASSERT_LE(p.content.y + p.content.height, ch);
      if (fit == Fit::kPad) {
        ASSERT_LE(p.content.width, pw);
        ASSERT_LE(p.content.height, ph);
      }
      if (fit != Fit::kStretch && !(fit == Fit::kPad && pw <= cw && ph <= ch)) {
        ASSERT_TRUE(p.content.width == cw || p.content.height == ch);
      }
      if (fit == Fit::kLetterbox) {
        ASSERT_LE(std::abs(p.content.x - (cw - p.content.x - p.content.width)), 1);
      }
      // The photo's edges are the content's edges, and there is a way back.
      ASSERT_NEAR(p.canvas_x(-0.5), p.content.x - 0.5, 1e-9);
      ASSERT_NEAR(p.canvas_x(pw - 0.5), p.content.x + p.content.width - 0.5, 1e-9);
      ASSERT_NEAR(p.canvas_y(ph - 0.5), p.content.y + p.content.height - 0.5, 1e-9);
      ASSERT_NEAR(p.photo_x(p.canvas_x(pw / 3.0)), pw / 3.0, 1e-6);
      ASSERT_NEAR(p.photo_y(p.canvas_y(ph / 3.0)), ph / 3.0, 1e-6);
    }
  }
}

TEST(Placement, RefusesSizesOutOfRange) {
  EXPECT_FALSE(place(Fit::kPad, 0, 1, 1, 1).ok());
  EXPECT_FALSE(place(Fit::kPad, 1, 1, 1, -1).ok());
  EXPECT_FALSE(place(Fit::kPad, kMaxSide + 1, 1, 1, 1).ok());
}

TEST(Fit, HasNames) {
  for (Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
    EXPECT_EQ(fit_from_name(fit_name(fit)).value(), fit);
  }
  EXPECT_FALSE(fit_from_name("crop").ok());
}

}  // namespace
}  // namespace deeplab::vision
