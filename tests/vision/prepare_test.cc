#include "vision/prepare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/vision/pictures.h"

namespace deeplab::vision {
namespace {

using testing::draw;
using testing::Layouted;
using testing::Photo;
using testing::Random;

PixelLut pixels_as_they_are() {
  return make_lut({}, ElementType::kUint8, {1.0f / 128, 128}).value();
}

std::vector<uint8_t> prepared(Fit fit, const ImageView& photo, int32_t width, int32_t height) {
  std::vector<uint8_t> out(static_cast<size_t>(width) * static_cast<size_t>(height) * 3, 77);
  Preparer preparer(fit, width, height);
  const Status status = preparer.run(photo, pixels_as_they_are(), out.data());
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

/// The triangle filter straight from its definition, in double precision over the whole photo.
double naive_axis_weight(int32_t in, int32_t out, int32_t o, int32_t i) {
  const double scale = double(in) / out;
  const double reach = std::max(1.0, scale);
  return std::max(0.0, 1 - std::abs(i + 0.5 - (o + 0.5) * scale) / reach);
}

double naive_pixel(const Photo& photo, const Rect& content, int32_t x, int32_t y, int32_t c) {
  double sum = 0;
  double weights = 0;
  for (int32_t py = 0; py < photo.height; ++py) {
    const double wy = naive_axis_weight(photo.height, content.height, y, py);
    if (wy == 0) continue;
    for (int32_t px = 0; px < photo.width; ++px) {
      const double w = wy * naive_axis_weight(photo.width, content.width, x, px);
      sum += w * photo.at(px, py, c);
      weights += w;
    }
  }
  return sum / weights;
}

// Whatever the sizes, the pixel formats and the number of taps.
TEST(Prepare, EveryIsaGivesTheSameBytes) {
  Random random(12);
  for (int i = 0; i < 300; ++i) {
    const Photo photo(random, draw(random, 1, i % 10 == 0 ? 900 : 70), draw(random, 1, 40));
    const int32_t cw = draw(random, 1, 90), ch = draw(random, 1, 40);
    for (PixelFormat format : {PixelFormat::kRgb8, PixelFormat::kBgra8, PixelFormat::kGray8}) {
      const Layouted layouted(photo, format, draw(random, 0, 9), i % 2 == 0);
      std::vector<uint8_t> expected;
      for (const Isa isa : available_isas()) {
        std::vector<uint8_t> out(static_cast<size_t>(cw * ch * 3), 77);
        Preparer preparer(Fit::kStretch, cw, ch, 1, isa);
        ASSERT_TRUE(preparer.run(layouted.view, pixels_as_they_are(), out.data()).ok());
        if (expected.empty()) expected = out;
        ASSERT_EQ(out, expected) << isa_name(isa) << " " << photo.width << "x" << photo.height
                                 << " to " << cw << "x" << ch;
      }
    }
  }
}

TEST(Prepare, EqualsTheDefinitionForAnySizes) {
  Random random(11);
  for (int i = 0; i < 150; ++i) {
    const Photo photo(random, draw(random, 1, 48), draw(random, 1, 48));
    const int32_t cw = draw(random, 1, 40), ch = draw(random, 1, 40);
    for (Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
      const Rect content = place(fit, photo.width, photo.height, cw, ch).value().content;
      const auto canvas = prepared(fit, photo.view(), cw, ch);
      for (int32_t y = 0; y < ch; ++y) {
        for (int32_t x = 0; x < cw; ++x) {
          const int32_t inner_x = x - content.x, inner_y = y - content.y;
          const bool inside =
              inner_x >= 0 && inner_y >= 0 && inner_x < content.width && inner_y < content.height;
          for (int32_t c = 0; c < 3; ++c) {
            const int pixel = canvas[static_cast<size_t>((y * cw + x) * 3 + c)];
            if (!inside) {
              ASSERT_EQ(pixel, 127);
            } else {
              // Two passes, each rounded to 8 bits.
              ASSERT_NEAR(pixel, naive_pixel(photo, content, inner_x, inner_y, c), 1.001)
                  << fit_name(fit) << " " << photo.width << "x" << photo.height << " to " << cw
                  << "x" << ch << " at " << x << "," << y;
            }
          }
        }
      }
    }
  }
}

// What Pillow 9.4's Image.resize(size, BILINEAR) gives.
TEST(Prepare, EqualsPillow) {
  std::vector<uint8_t> photo;
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 7; ++x) {
      for (int c = 0; c < 3; ++c) {
        photo.push_back(static_cast<uint8_t>((x * 37 + y * 11 + c * 90 + (x * y) % 7 * 9) % 256));
      }
    }
  }
  const ImageView view{photo.data(), 7, 5, 21, PixelFormat::kRgb8};
  const std::vector<uint8_t> smaller = {50, 140, 163, 143, 153, 96,  166, 80, 152,
                                        84, 174, 104, 171, 134, 101, 128, 89, 179};
  EXPECT_EQ(prepared(Fit::kStretch, view, 3, 2), smaller);
  const std::vector<uint8_t> wider_and_lower = {
      5,   95,  185, 32,  122, 212, 63,  153, 195, 95,  185, 133, 127, 217, 51,  159, 164,
      83,  191, 90,  115, 186, 56,  146, 140, 84,  174, 22,  112, 202, 59,  149, 106, 101,
      191, 57,  141, 199, 65,  173, 121, 97,  189, 48,  113, 216, 50,  140, 167, 86,  176,
      33,  123, 213, 39,  129, 219, 86,  176, 95,  123, 213, 47,  151, 208, 75,  184, 127,
      108, 210, 68,  134, 159, 75,  165, 87,  104, 194, 36,  126, 216};
  EXPECT_EQ(prepared(Fit::kStretch, view, 9, 3), wider_and_lower);
}

TEST(Prepare, PadCopiesAPhotoThatFits) {
  Random random(12);
  const Photo photo(random, 31, 17);
  const auto canvas = prepared(Fit::kPad, photo.view(), 33, 20);
  for (int32_t y = 0; y < 20; ++y) {
    for (int32_t x = 0; x < 33; ++x) {
      for (int32_t c = 0; c < 3; ++c) {
        const int expected = x < 31 && y < 17 ? photo.at(x, y, c) : 127;
        ASSERT_EQ(canvas[static_cast<size_t>((y * 33 + x) * 3 + c)], expected);
      }
    }
  }
}

TEST(Prepare, KeepsAFlatPictureFlat) {
  Random random(13);
  for (int i = 0; i < 200; ++i) {
    Photo photo(random, draw(random, 1, 300), draw(random, 1, 40));
    std::fill(photo.rgb.begin(), photo.rgb.end(), uint8_t(i % 2 == 0 ? 255 : i));
    const auto canvas =
        prepared(Fit::kStretch, photo.view(), draw(random, 1, 50), draw(random, 1, 50));
    for (uint8_t pixel : canvas) ASSERT_EQ(pixel, photo.rgb[0]);
  }
}

TEST(Prepare, EveryFormatAndStrideGivesTheSameCanvas) {
  Random random(14);
  for (int i = 0; i < 40; ++i) {
    const Photo photo(random, draw(random, 1, 60), draw(random, 1, 60));
    const int32_t cw = draw(random, 1, 60), ch = draw(random, 1, 60);
    for (Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
      const auto expected = prepared(fit, photo.view(), cw, ch);
      for (PixelFormat format :
           {PixelFormat::kRgb8, PixelFormat::kBgr8, PixelFormat::kRgba8, PixelFormat::kBgra8}) {
        for (bool bottom_up : {false, true}) {
          const Layouted other(photo, format, draw(random, 0, 9), bottom_up);
          ASSERT_EQ(prepared(fit, other.view, cw, ch), expected);
        }
      }
    }
  }
}

TEST(Prepare, GreyIsReplicated) {
  Random random(15);
  Photo photo(random, 20, 10);
  for (size_t i = 0; i < photo.rgb.size(); ++i) photo.rgb[i] = photo.rgb[i / 3 * 3];
  const Layouted grey(photo, PixelFormat::kGray8, 3, true);
  for (int32_t size : {7, 20, 33}) {
    EXPECT_EQ(prepared(Fit::kLetterbox, grey.view, size, size),
              prepared(Fit::kLetterbox, photo.view(), size, size));
  }
}

TEST(Prepare, FloatAndInt8GoThroughTheTables) {
  Random random(16);
  const Photo photo(random, 40, 30);
  const auto pixels = prepared(Fit::kLetterbox, photo.view(), 20, 20);
  const PixelLut float_lut = make_lut({}, ElementType::kFloat32).value();
  const PixelLut int8_lut = make_lut({}, ElementType::kInt8, {1.0f / 128, 0}).value();
  std::vector<float> floats(pixels.size());
  std::vector<int8_t> bytes(pixels.size());
  Preparer preparer(Fit::kLetterbox, 20, 20);
  ASSERT_TRUE(preparer.run(photo.view(), float_lut, floats.data()).ok());
  ASSERT_TRUE(preparer.run(photo.view(), int8_lut, bytes.data()).ok());
  for (size_t i = 0; i < pixels.size(); ++i) {
    ASSERT_EQ(floats[i], float_lut.values[i % 3][pixels[i]]);
    ASSERT_EQ(bytes[i], pixels[i] - 128);
  }
}

TEST(Prepare, OnePreparerServesPhotosOfManySizes) {
  Random random(17);
  Preparer preparer(Fit::kPad, 32, 24);
  const PixelLut lut = pixels_as_they_are();
  std::vector<uint8_t> out(32 * 24 * 3);
  for (int i = 0; i < 60; ++i) {
    const Photo photo(random, draw(random, 1, 90), draw(random, 1, 90));
    ASSERT_TRUE(preparer.run(photo.view(), lut, out.data()).ok());
    ASSERT_EQ(out, prepared(Fit::kPad, photo.view(), 32, 24));
    ASSERT_EQ(preparer.placement().photo_width, photo.width);
  }
}

TEST(Prepare, ExtremeShapes) {
  std::vector<uint8_t> line(static_cast<size_t>(kMaxSide) * 3, 200);
  const ImageView wide{line.data(), kMaxSide, 1, 0, PixelFormat::kRgb8};
  const ImageView tall{line.data(), 1, kMaxSide, 3, PixelFormat::kRgb8};
  for (const ImageView& view : {wide, tall}) {
    for (uint8_t pixel : prepared(Fit::kStretch, view, 3, 2)) EXPECT_EQ(pixel, 200);
    const auto boxed = prepared(Fit::kLetterbox, view, 9, 9);
    EXPECT_EQ(boxed[static_cast<size_t>((4 * 9 + 4) * 3)], 200);  // the middle
    EXPECT_EQ(boxed[0], 127);
  }
}

TEST(Prepare, RefusesBadArguments) {
  Random random(18);
  const Photo photo(random, 4, 4);
  std::vector<uint8_t> out(48);
  const PixelLut lut = pixels_as_they_are();
  EXPECT_FALSE(Preparer(Fit::kPad, 4, 4).run(photo.view(), lut, nullptr).ok());
  EXPECT_FALSE(Preparer(Fit::kPad, 0, 4).run(photo.view(), lut, out.data()).ok());
  EXPECT_FALSE(Preparer(Fit::kPad, 4, 4).run(ImageView{}, lut, out.data()).ok());
}

}  // namespace
}  // namespace deeplab::vision
