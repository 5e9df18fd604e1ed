#include "vision/overlay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/vision/pictures.h"

namespace deeplab::vision {
namespace {

using testing::draw;
using testing::Mask;
using testing::Photo;
using testing::Random;

const std::vector<std::string> kNames(kVocClassNames.begin(), kVocClassNames.end());

/// A picture to draw on, with bytes around each row, to see whether anything else is written.
struct Surface {
  static constexpr int32_t kGuard = 5;
  int32_t width, height;
  std::vector<uint8_t> bytes;
  Surface(int32_t w, int32_t h)
      : width(w), height(h), bytes(static_cast<size_t>((w * 3 + kGuard) * (h + 2)), 0x5A) {}
  explicit Surface(const Photo& photo) : Surface(photo.width, photo.height) {
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        for (int32_t c = 0; c < 3; ++c) row(y)[x * 3 + c] = static_cast<uint8_t>(photo.at(x, y, c));
      }
    }
  }
  ptrdiff_t stride() const { return ptrdiff_t{width} * 3 + kGuard; }
  uint8_t* row(int32_t y) { return bytes.data() + (y + 1) * stride(); }
  const uint8_t* pixel(int32_t x, int32_t y) const {
    return bytes.data() + (y + 1) * stride() + ptrdiff_t{x} * 3;
  }
  void expect_guards_untouched() const {
    for (int32_t y = -1; y <= height; ++y) {
      const bool outside = y < 0 || y == height;
      const uint8_t* row = bytes.data() + (y + 1) * stride();
      for (ptrdiff_t i = outside ? 0 : ptrdiff_t{width} * 3; i < stride(); ++i) {
        ASSERT_EQ(row[i], 0x5A) << "row " << y << " byte " << i;
      }
    }
  }
  /// All rows of an overlay or a legend.
  template <typename Painter>
  void paint(const Result<Painter>& painter) {
    ASSERT_TRUE(painter.ok()) << painter.status().message();
    for (int32_t y = 0; y < height; ++y) painter->paint_row(y, row(y));
  }
};

TEST(Overlay, BlendsClassesAndLeavesTheBackground) {
  Random random(41);
  const Photo photo(random, 40, 30);
  Mask mask(40, 30);
  for (int32_t y = 10; y < 20; ++y) {
    for (int32_t x = 10; x < 30; ++x) mask.at(x, y) = 15;
  }
  Surface out(photo);
  const OverlayOptions options{
      .opacity = 0.5f, .contours = false, .legend = false, .names = kNames};
  out.paint(Overlay::create(mask.view(), options));
  const int colour[3] = {192, 128, 128};
  for (int32_t y = 0; y < 30; ++y) {
    for (int32_t x = 0; x < 40; ++x) {
      for (int32_t c = 0; c < 3; ++c) {
        const int from = photo.at(x, y, c);
        const int have = out.pixel(x, y)[c];
        if (mask.at(x, y) == 0) {
          ASSERT_EQ(have, from);
        } else {
          ASSERT_NEAR(have, 0.5 * from + 0.5 * colour[c], 0.51);
        }
      }
    }
  }
  out.expect_guards_untouched();
}

TEST(Overlay, ContoursFollowTheEdgesOfClasses) {
  Random random(42);
  const Photo photo(random, 40, 30);
  Mask mask(40, 30);
  for (int32_t y = 0; y < 30; ++y) {
    for (int32_t x = 20; x < 40; ++x) mask.at(x, y) = 8;
  }
  Surface with(photo), without(photo);
  OverlayOptions options{.legend = false, .names = kNames};
  with.paint(Overlay::create(mask.view(), options));
  options.contours = false;
  without.paint(Overlay::create(mask.view(), options));
  for (int32_t y = 0; y < 30; ++y) {
    for (int32_t x = 0; x < 40; ++x) {
      const bool same = std::equal(with.pixel(x, y), with.pixel(x, y) + 3, without.pixel(x, y));
      ASSERT_EQ(same, x != 20) << x << "," << y;  // not along the picture's own edge
    }
  }
}

TEST(Overlay, TheLegendLiesOverThePhotoWithItsClasses) {
  Random random(43);
  const Photo photo(random, 300, 200);
  const Mask mask = Mask::random(random, 300, 200, 4, 3);
  const OverlayOptions options{.names = kNames};
  OverlayOptions bare = options;
  bare.legend = false;
  Surface out(photo), expected(photo);
  out.paint(Overlay::create(mask.view(), options));
  expected.paint(Overlay::create(mask.view(), bare));
  EXPECT_NE(out.bytes, expected.bytes);
  expected.paint(Legend::create(mask.view(), kVocPalette, kNames));
  EXPECT_EQ(out.bytes, expected.bytes);
  out.expect_guards_untouched();
}

int64_t changed_by_legend(const Mask& mask, std::span<const std::string> names) {
  Surface out(mask.width, mask.height);
  const std::vector<uint8_t> before = out.bytes;
  out.paint(Legend::create(mask.view(), kVocPalette, names));
  out.expect_guards_untouched();
  int64_t changed = 0;
  for (size_t i = 0; i < before.size(); ++i) changed += out.bytes[i] != before[i];
  return changed;
}

TEST(Legend, StaysInsideThePictureAtAnySize) {
  Random random(44);
  for (int i = 0; i < 150; ++i) {
    const int32_t limit = i % 15 == 0 ? 1200 : 260;
    const Mask mask = Mask::random(random, draw(random, 1, limit), draw(random, 1, limit), 21, 0);
    const int64_t changed = changed_by_legend(mask, kNames);
    EXPECT_LE(changed, int64_t{mask.width} * mask.height * 3 * 3 / 4);
    if (std::min(mask.width, mask.height) < 64) {
      EXPECT_EQ(changed, 0);
    }
    if (std::min(mask.width, mask.height) >= 160) {
      EXPECT_GT(changed, 0) << mask.width << "x" << mask.height;
    }
  }
}

TEST(Legend, NothingForBackgroundAlone) {
  EXPECT_EQ(changed_by_legend(Mask(300, 300), kNames), 0);
  EXPECT_EQ(changed_by_legend(Mask(300, 300, kIgnoreLabel), kNames), 0);
  EXPECT_GT(changed_by_legend(Mask(300, 300, 12), kNames), 0);
}

TEST(Legend, HostileNamesDoNoHarm) {
  std::vector<std::string> names(22, std::string(10000, 'W'));
  EXPECT_EQ(changed_by_legend(Mask(300, 300, 12), names), 0);  // does not fit
  names.assign(22, std::string("\xff\x00\x01 tab\t", 8));
  EXPECT_GT(changed_by_legend(Mask(300, 300, 12), names), 0);
  EXPECT_GT(changed_by_legend(Mask(300, 300, 254), {}), 0);  // "class 254"
}

TEST(Legend, GoesWhereItCoversLeast) {
  Mask mask(400, 400, 7);  // all one class except the top right corner
  for (int32_t y = 0; y < 200; ++y) {
    for (int32_t x = 200; x < 400; ++x) mask.at(x, y) = 0;
  }
  Surface out(400, 400);
  out.paint(Legend::create(mask.view(), kVocPalette, kNames));
  for (int32_t y = 0; y < 400; ++y) {
    for (int32_t x = 0; x < 400; ++x) {
      if (x < 200 || y >= 200) {
        ASSERT_EQ(out.pixel(x, y)[0], 0x5A);
      }
    }
  }
}

TEST(CutOut, SoftAlphaFollowsTheConfidence) {
  const std::vector<uint8_t> grey(7, 100);
  const float confidence[] = {0, 0.2f, 0.35f, 0.5f, 0.8f, 1, NAN};
  std::vector<uint8_t> rgba(28);
  ASSERT_TRUE(
      cut_out_soft({grey.data(), 7, 1, 7, PixelFormat::kGray8}, confidence, 7, rgba.data(), 28)
          .ok());
  const int expected[] = {0, 0, 64, 128, 255, 255, 0};
  for (size_t x = 0; x < 7; ++x) {
    EXPECT_EQ(rgba[x * 4], 100);
    EXPECT_NEAR(rgba[x * 4 + 3], expected[x], 1) << x;
  }
}

TEST(Overlay, RefusesBadArguments) {
  const Mask mask(8, 8, 1);
  EXPECT_TRUE(Overlay::create(mask.view(), {}).ok());
  EXPECT_FALSE(Overlay::create({nullptr, 8, 8, 8}, {}).ok());
  EXPECT_FALSE(Overlay::create(mask.view(), {.opacity = 2}).ok());
  EXPECT_FALSE(Overlay::create(mask.view(), {.opacity = NAN}).ok());
  EXPECT_FALSE(Legend::create({nullptr, 8, 8, 8}, kVocPalette, {}).ok());
}

TEST(CutOut, RefusesBadArguments) {
  Random random(46);
  const Photo photo(random, 8, 8);
  const std::vector<float> confidence(8 * 8, 0.5f);
  std::vector<uint8_t> out(8 * 8 * 4);
  EXPECT_TRUE(cut_out_soft(photo.view(), confidence.data(), 8, out.data(), 32).ok());
  EXPECT_FALSE(cut_out_soft(photo.view(), confidence.data(), 8, nullptr, 32).ok());
  EXPECT_FALSE(cut_out_soft(photo.view(), confidence.data(), 8, out.data(), 31).ok());
  EXPECT_FALSE(cut_out_soft(photo.view(), confidence.data(), 7, out.data(), 32).ok());
  EXPECT_FALSE(cut_out_soft(photo.view(), nullptr, 8, out.data(), 32).ok());
}

}  // namespace
}  // namespace deeplab::vision
