#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

Samples pixels(const std::string& text) { return decode_ok(text_file(text)).pixels; }

Status refusal(const std::string& text) {
  return decode_image(text_file(text), "odd.ppm").status();
}

TEST(Pnm, PlainAndRawAgree) {
  const Samples expected = {1, 2, 3, 200, 100, 0};
  EXPECT_EQ(pixels("P3 2 1 255 1 2 3 200 100 0"), expected);
  EXPECT_EQ(pixels(std::string("P6\n2 1\n255\n\x01\x02\x03\xC8\x64\x00", 17)), expected);
  EXPECT_EQ(pixels("P2 2 1 255 7 9\n"), (Samples{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(pixels("P5 2 1 255\n\x07\x09"), (Samples{7, 7, 7, 9, 9, 9}));
}

TEST(Pnm, CommentsMayStandAnywhereInTheHeader) {
  const Samples expected = {7, 7, 7};
  EXPECT_EQ(pixels("P5# made by hand\n#more\n1 #w\n1#h\r255\n\x07"), expected);
  EXPECT_EQ(pixels("P2\n#\n1\t1\n255\n# data\n7"), expected);
}

TEST(Pnm, RawDataMayLookLikeAComment) {
  EXPECT_EQ(pixels("P5 2 1 255\n# "), (Samples{35, 35, 35, 32, 32, 32}));
}

TEST(Pnm, OtherLargestValuesAreScaled) {
  EXPECT_EQ(pixels("P2 4 1 15 0 1 8 15"),
            (Samples{0, 0, 0, 17, 17, 17, 136, 136, 136, 255, 255, 255}));
  EXPECT_EQ(pixels("P2 1 1 1 1"), (Samples{255, 255, 255}));
  EXPECT_EQ(pixels("P2 2 1 10 12 5"), (Samples{255, 255, 255, 128, 128, 128}));
  // Big-endian: 0x0180 = 384 of 65535 is 1.49 of 255; 0x8000 is 127.5 and a bit.
  EXPECT_EQ(pixels(std::string("P5 2 1 65535\n\x01\x80\x80\x00", 17)),
            (Samples{1, 1, 1, 128, 128, 128}));
  EXPECT_EQ(pixels(std::string("P6 1 1 1023\n\x03\xFF\x00\x00\x02\x00", 18)),
            (Samples{255, 0, 128}));
}

TEST(Pnm, DamageIsNamed) {
  for (const char* text :
       {"P6 2", "P6 x 1 255\n", "P6 2 1\n", "P6 99999999999 1 255\n", "P6 1 1 2x5\n"}) {
    expect_error(refusal(text), "odd.ppm", "expected a width", StatusCode::kInvalidImage);
  }
  expect_error(refusal("P6 1 1 0\nabc"), "odd.ppm", "largest value is 0",
               StatusCode::kInvalidImage);
  expect_error(refusal("P6 1 1 65536\nabc"), "odd.ppm", "65536", StatusCode::kInvalidImage);
  expect_error(refusal("P6 2 1 255\nabcde"), "odd.ppm", "truncated", StatusCode::kInvalidImage);
  expect_error(refusal("P5 2 1 256\nabc"), "odd.ppm", "truncated", StatusCode::kInvalidImage);
  expect_error(refusal("P2 2 2 255 1 2 3"), "odd.ppm", "truncated", StatusCode::kInvalidImage);
  expect_error(refusal("P2 2 2 255 100 200 300"), "odd.ppm", "4 decimal numbers",
               StatusCode::kInvalidImage);
  expect_error(refusal("P2 2 1 255 10 -1"), "odd.ppm", "2 decimal numbers",
               StatusCode::kInvalidImage);
}

TEST(Pnm, BitmapsAreBlackOnWhite) {
  const Samples expected = {0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0};
  EXPECT_EQ(pixels("P1 2 2\n1 0\n0 1\n"), expected);
  EXPECT_EQ(pixels("P1\n# by hand\n2 2 1001"), expected);  // digits need nothing between them
  EXPECT_EQ(pixels("P4 2 2\n\x80\x40"), expected);         // each row begins with a byte
  Samples nine(9 * 3, 0);
  std::fill(nine.begin() + 8 * 3, nine.end(), 255);
  EXPECT_EQ(pixels(std::string("P4 9 1\n\xFF\x7F", 9)), nine);
  expect_error(refusal("P4 9 2\nabc"), "odd.ppm", "truncated", StatusCode::kInvalidImage);
  expect_error(refusal("P1 2 2 10"), "odd.ppm", "truncated", StatusCode::kInvalidImage);
  expect_error(refusal("P1 2 2 1012"), "odd.ppm", "digits 0 or 1", StatusCode::kInvalidImage);
  expect_error(refusal("P4 x"), "odd.ppm", "a width, a height", StatusCode::kInvalidImage);
}

}  // namespace
}  // namespace deeplab::imageio::testing
