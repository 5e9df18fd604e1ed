#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

constexpr Samples::value_type kPad = 0xEE;  // padding that must not show

// Every picture here is 2 wide: red, green over blue, white.
const Samples kExpected = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
const Samples kPalette = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};

TEST(Bmp, TwentyFourBitsBottomUpAndTopDown) {
  const Samples top = {0, 0, 255, 0, 255, 0, kPad, kPad};
  const Samples bottom = {255, 0, 0, 255, 255, 255, kPad, kPad};
  Samples up = bottom;
  up.insert(up.end(), top.begin(), top.end());
  Samples down = top;
  down.insert(down.end(), bottom.begin(), bottom.end());
  EXPECT_EQ(decode_ok(bmp_file({.width = 2, .height = 2, .data = up})).pixels, kExpected);
  EXPECT_EQ(decode_ok(bmp_file({.width = 2, .height = -2, .data = down})).pixels, kExpected);
  EXPECT_EQ(decode_ok(bmp_file({.width = 2, .height = 2, .header_bytes = 12, .data = up})).pixels,
            kExpected);
}

TEST(Bmp, PalettesOfOneFourAndEightBits) {
  for (const uint32_t header : {12u, 40u, 124u}) {
    const auto decoded = [&](int bits, const Samples& palette, const Samples& data) {
      return decode_ok(bmp_file({.width = 2,
                                 .height = 2,
                                 .bits = bits,
                                 .header_bytes = header,
                                 .palette = palette,
                                 .data = data}))
          .pixels;
    };
    EXPECT_EQ(decoded(8, kPalette, {2, 3, kPad, kPad, 0, 1, kPad, kPad}), kExpected);
    EXPECT_EQ(decoded(4, kPalette, {0x23, kPad, kPad, kPad, 0x01, kPad, kPad, kPad}), kExpected);
    EXPECT_EQ(decoded(1, {9, 8, 7, 255, 0, 1},
                      {0b01111111, kPad, kPad, kPad, 0b10111111, kPad, kPad, kPad}),
              (Samples{255, 0, 1, 9, 8, 7, 9, 8, 7, 255, 0, 1}));
  }
}

TEST(Bmp, ThirtyTwoBitsWithoutAlpha) {
  const Samples data = {255, 0, 0, 0, 255, 255, 255, 7, 0, 0, 255, 0, 0, 255, 0, 9};
  const Image image = decode_ok(bmp_file({.width = 2, .height = 2, .bits = 32, .data = data}),
                                {.keep_alpha = true});
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.pixels, kExpected);
}

TEST(Bmp, MasksOfSixteenBits) {
  // 5-6-5 by masks and 5-5-5 by default, little-endian; bottom row first.
  EXPECT_EQ(decode_ok(bmp_file({.width = 2,
                                .height = 2,
                                .bits = 16,
                                .compression = 3,
                                .masks = {0xF800, 0x07E0, 0x001F},
                                .data = {0x1F, 0x00, 0xFF, 0xFF, 0x00, 0xF8, 0xE0, 0x07}}))
                .pixels,
            kExpected);
  EXPECT_EQ(decode_ok(bmp_file({.width = 2,
                                .height = 2,
                                .bits = 16,
                                .data = {0x1F, 0x00, 0xFF, 0x7F, 0x00, 0x7C, 0xE0, 0x03}}))
                .pixels,
            kExpected);
  // A value between: 16 of 31 is 131.6 of 255.
  EXPECT_EQ(
      decode_ok(bmp_file({.width = 1, .height = 1, .bits = 16, .data = {0x10, 0, 0, 0}})).pixels,
      (Samples{0, 0, 132}));
}

TEST(Bmp, MasksOfThirtyTwoBitsWithAlpha) {
  const std::vector<uint32_t> masks = {0xFF, 0xFF00, 0xFF0000, 0xFF000000};
  const auto file = [&](const Samples& data) {
    return bmp_file({.width = 2,
                     .height = 1,
                     .bits = 32,
                     .compression = 3,
                     .header_bytes = 124,
                     .masks = masks,
                     .data = data});
  };
  const Samples rgba = {1, 2, 3, 255, 4, 5, 6, 0};
  EXPECT_EQ(decode_ok(file(rgba), {.keep_alpha = true}).pixels, rgba);
  EXPECT_EQ(decode_ok(file(rgba)).pixels, (Samples{1, 2, 3, 255, 255, 255}));
  // No alpha bit set anywhere: the writer did not mean it.
  EXPECT_EQ(decode_ok(file({1, 2, 3, 0, 4, 5, 6, 0})).pixels, (Samples{1, 2, 3, 4, 5, 6}));
}

TEST(Bmp, RunLengthCode) {
  const auto decoded = [](int width, int height, const Samples& code) {
    return decode_image(bmp_file({.width = width,
                                  .height = height,
                                  .bits = 8,
                                  .compression = 1,
                                  .palette = {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3},
                                  .data = code}),
                        "runs.bmp");
  };
  const auto reds = [](const Result<Image>& image) {
    Samples out;
    for (size_t i = 0; i < image->pixels.size(); i += 3) out.push_back(image->pixels[i]);
    return out;
  };
  // A run of 2 and three literals (padded); then a step right by 1 and up by 1, and a run.
  const Result<Image> image =
      decoded(5, 3, {2, 1, 0, 3, 1, 2, 3, 0, 0, 0, 1, 3, 0, 2, 1, 1, 3, 2, 0, 1});
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(reds(image), (Samples{0, 0, 2, 2, 2,  //
                                  3, 0, 0, 0, 0,  //
                                  1, 1, 1, 2, 3}));
  for (const Samples& damaged : {Samples{6, 1, 0, 1}, Samples{2, 1}, Samples{0, 2, 9, 0, 0, 1},
                                 Samples{0, 200, 1, 1}, Samples{0, 2}}) {
    expect_error(decoded(5, 3, damaged).status(), "runs.bmp", "run-length",
                 StatusCode::kInvalidImage);
  }
}

TEST(Bmp, DamagedAndRareHeadersAreNamed) {
  const auto refusal = [](const BmpSpec& spec) {
    return decode_image(bmp_file(spec), "odd.bmp").status();
  };
  const Samples row(4, 0);
  expect_error(
      refusal({.width = 1, .height = 1, .bits = 8, .palette = {1, 2, 3}, .data = {1, 0, 0, 0}}),
      "odd.bmp", "colour 1 of a palette of 1", StatusCode::kInvalidImage);
  expect_error(refusal({.width = 1, .height = 1, .bits = 8, .data = row}), "odd.bmp", "palette",
               StatusCode::kInvalidImage);
  expect_error(refusal({.width = 1, .height = 1, .bits = 5, .data = row}), "odd.bmp", "5 bits",
               StatusCode::kUnsupported);
  expect_error(refusal({.width = 1, .height = 1, .bits = 8, .compression = 2, .data = row}),
               "odd.bmp", "compression 2", StatusCode::kUnsupported);
  expect_error(refusal({.width = 1,
                        .height = 1,
                        .bits = 32,
                        .compression = 3,
                        .masks = {0xF0F, 0xF0, 0xF000},
                        .data = row}),
               "odd.bmp", "mask", StatusCode::kInvalidImage);
  expect_error(refusal({.width = 1, .height = 1, .header_bytes = 200, .data = row}), "odd.bmp",
               "header of 200", StatusCode::kUnsupported);
  expect_error(refusal({.width = -3, .height = 1, .data = row}), "odd.bmp", "-3x1",
               StatusCode::kInvalidImage);
}

TEST(Bmp, Rle4RunsLiteralsAndMoves) {
  Samples palette;
  for (uint8_t i = 0; i < 16; ++i) palette.insert(palette.end(), {i, i, i});
  const auto first_samples = [&](const Samples& code) {
    const Image image = decode_ok(bmp_file(
        {.width = 5, .height = 2, .bits = 4, .compression = 2, .palette = palette, .data = code}));
    Samples values;
    for (size_t i = 0; i < image.pixels.size(); i += 3) values.push_back(image.pixels[i]);
    return values;
  };
  // From the bottom: a run of 5 that alternates; then 3 literal pixels, padded, and a run of 2.
  EXPECT_EQ(first_samples({5, 0x12, 0, 0, 0, 3, 0x34, 0x50, 2, 0x66, 0, 1}),
            (Samples{3, 4, 5, 6, 6, 1, 2, 1, 2, 1}));
  // A move by 2 columns and 1 row; a run that ends a pixel late, as some programs write it.
  EXPECT_EQ(first_samples({1, 0x70, 0, 2, 2, 1, 2, 0x89, 0, 1}),
            (Samples{0, 0, 0, 8, 9, 7, 0, 0, 0, 0}));
  EXPECT_EQ(first_samples({6, 0xAA, 0, 0, 6, 0xBC, 0, 1}),
            (Samples{11, 12, 11, 12, 11, 10, 10, 10, 10, 10}));
  for (const Samples& wrong : {Samples{7, 0x11, 0, 1}, Samples{0, 9, 1, 2, 3, 4}, Samples{5}}) {
    expect_error(decode_image(bmp_file({.width = 5,
                                        .height = 2,
                                        .bits = 4,
                                        .compression = 2,
                                        .palette = palette,
                                        .data = wrong}),
                              "wrong.bmp")
                     .status(),
                 "wrong.bmp", "run-length", StatusCode::kInvalidImage);
  }
}

}  // namespace
}  // namespace deeplab::imageio::testing
