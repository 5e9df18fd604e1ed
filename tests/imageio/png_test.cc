#include <png.h>

#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 13;
constexpr int kH = 7;

Samples repeat3(const Samples& gray) {
  Samples rgb;
  for (const uint8_t v : gray) rgb.insert(rgb.end(), 3, v);
  return rgb;
}

/// The same values as 16-bit big-endian samples: v * 257 is v of 255 in 65535.
Samples widen(const Samples& samples, int low_byte_offset = 0) {
  Samples out;
  for (const uint8_t v : samples) {
    out.push_back(v);
    out.push_back(static_cast<uint8_t>(v + low_byte_offset));
  }
  return out;
}

TEST(Png, RgbPlainAndInterlaced) {
  const Samples rgb = gradient(kW, kH, 3);
  for (const bool interlaced : {false, true}) {
    const Image image =
        decode_ok(png_file({.width = kW, .height = kH, .rows = rgb, .interlaced = interlaced}));
    EXPECT_EQ(image.width, kW);
    EXPECT_EQ(image.height, kH);
    EXPECT_EQ(image.original_width, kW);
    EXPECT_EQ(image.original_height, kH);
    EXPECT_EQ(image.pixels, rgb);
  }
}

TEST(Png, SixteenBitsAreScaledNotCut) {
  const Samples rgb = gradient(kW, kH, 3);
  EXPECT_EQ(
      decode_ok(png_file({.width = kW, .height = kH, .bit_depth = 16, .rows = widen(rgb)})).pixels,
      rgb);
  // 0x00FF of 0xFFFF is 0.99 of 255: rounded to 1, where cutting would give 0.
  const Image dark = decode_ok(png_file({.width = 1,
                                         .height = 1,
                                         .color_type = PNG_COLOR_TYPE_GRAY,
                                         .bit_depth = 16,
                                         .rows = {0x00, 0xFF}}));
  EXPECT_EQ(dark.pixels, (Samples{1, 1, 1}));
}

TEST(Png, GrayOfEveryDepth) {
  const Samples gray = gradient(kW, kH, 1);
  EXPECT_EQ(
      decode_ok(
          png_file({.width = kW, .height = kH, .color_type = PNG_COLOR_TYPE_GRAY, .rows = gray}))
          .pixels,
      repeat3(gray));
  const auto packed = [](int depth, Samples row) {
    return decode_ok(png_file({.width = 4,
                               .height = 1,
                               .color_type = PNG_COLOR_TYPE_GRAY,
                               .bit_depth = depth,
                               .rows = std::move(row)}))
        .pixels;
  };
  EXPECT_EQ(packed(1, {0b01100000}), repeat3({0, 255, 255, 0}));
  EXPECT_EQ(packed(2, {0b00011011}), repeat3({0, 85, 170, 255}));
  EXPECT_EQ(packed(4, {0x01, 0x8F}), repeat3({0, 17, 136, 255}));
}

TEST(Png, PaletteIsExpanded) {
  const Samples palette = {255, 0, 0, 0, 255, 0, 0, 0, 255};
  const Image image = decode_ok(png_file({.width = 3,
                                          .height = 1,
                                          .color_type = PNG_COLOR_TYPE_PALETTE,
                                          .bit_depth = 2,
                                          .rows = {0b10000100},
                                          .palette = palette}));
  EXPECT_EQ(image.pixels, (Samples{0, 0, 255, 255, 0, 0, 0, 255, 0}));
}

TEST(Png, AlphaIsComposedOverWhiteOrKept) {
  const Samples rgba = {10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128};
  const File file =
      png_file({.width = 3, .height = 1, .color_type = PNG_COLOR_TYPE_RGB_ALPHA, .rows = rgba});
  const Image flat = decode_ok(file);
  EXPECT_EQ(flat.channels, 3);
  // 128/255 over white: 0 -> 127, 100 -> 177.2, 255 -> 255.
  EXPECT_EQ(flat.pixels, (Samples{10, 20, 30, 255, 255, 255, 127, 177, 255}));
  const Image kept = decode_ok(file, {.keep_alpha = true});
  EXPECT_EQ(kept.channels, 4);
  EXPECT_EQ(kept.pixels, rgba);
}

TEST(Png, GrayAlphaAndTransparentColors) {
  EXPECT_EQ(decode_ok(png_file({.width = 2,
                                .height = 1,
                                .color_type = PNG_COLOR_TYPE_GRAY_ALPHA,
                                .rows = {50, 255, 50, 0}}))
                .pixels,
            repeat3({50, 255}));
  EXPECT_EQ(decode_ok(png_file({.width = 2,
                                .height = 1,
                                .color_type = PNG_COLOR_TYPE_GRAY,
                                .rows = {50, 60},
                                .transparent_gray = 60}))
                .pixels,
            repeat3({50, 255}));
  const Image kept = decode_ok(png_file({.width = 2,
                                         .height = 1,
                                         .color_type = PNG_COLOR_TYPE_PALETTE,
                                         .rows = {0, 1},
                                         .palette = {1, 2, 3, 4, 5, 6},
                                         .palette_alpha = {77}}),
                               {.keep_alpha = true});
  EXPECT_EQ(kept.pixels, (Samples{1, 2, 3, 77, 4, 5, 6, 255}));
}

TEST(Png, KeepAlphaWithoutAlphaGivesRgb) {
  const Image image = decode_ok(png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)}),
                                {.keep_alpha = true});
  EXPECT_EQ(image.channels, 3);
}

TEST(LabelPng, IndicesAreRawAtEveryDepth) {
  const auto palette = [](int depth) { return gradient(depth == 1 ? 2 : 4, 1, 3); };
  const auto labels = [&](int type, int depth, Samples row) {
    const File file =
        png_file({.width = 4,
                  .height = 1,
                  .color_type = type,
                  .bit_depth = depth,
                  .rows = std::move(row),
                  .palette = type == PNG_COLOR_TYPE_PALETTE ? palette(depth) : Samples{},
                  .palette_alpha = type == PNG_COLOR_TYPE_PALETTE ? Samples{0} : Samples{}});
    const Result<Image> image = decode_label_png(file, "mask.png");
    EXPECT_TRUE(image.ok()) << image.status().message();
    if (!image.ok()) return Samples{};
    EXPECT_EQ(image->channels, 1);
    return image->pixels;
  };
  for (const int type : {PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY}) {
    EXPECT_EQ(labels(type, 1, {0b01100000}), (Samples{0, 1, 1, 0}));
    EXPECT_EQ(labels(type, 2, {0b00011011}), (Samples{0, 1, 2, 3}));
    EXPECT_EQ(labels(type, 4, {0x01, 0x23}), (Samples{0, 1, 2, 3}));
    EXPECT_EQ(labels(type, 8, {3, 0, 2, 1}), (Samples{3, 0, 2, 1}));
  }
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY, 8, {0, 20, 255, 1}), (Samples{0, 20, 255, 1}));
  // 255 marks pixels to ignore, and writers often leave it out of the palette.
  EXPECT_EQ(labels(PNG_COLOR_TYPE_PALETTE, 8, {0, 20, 255, 1}), (Samples{0, 20, 255, 1}));
}

TEST(LabelPng, SixteenBitsAndOpaqueAlphaHoldLabels) {
  const auto labels = [](int color_type, int bit_depth, const Samples& rows) {
    const auto image = decode_label_png(png_file({.width = 2,
                                                  .height = 1,
                                                  .color_type = color_type,
                                                  .bit_depth = bit_depth,
                                                  .rows = rows}),
                                        "mask.png");
    EXPECT_TRUE(image.ok()) << image.status().message();
    return image.ok() ? image->pixels : Samples();
  };
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY, 16, {0, 20, 0, 255}), (Samples{20, 255}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY_ALPHA, 8, {20, 255, 1, 255}), (Samples{20, 1}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY_ALPHA, 16, {0, 20, 255, 255, 0, 1, 255, 255}),
            (Samples{20, 1}));
}

TEST(LabelPng, OtherPicturesAreRefusedByName) {
  const auto refusal = [](const File& file) { return decode_label_png(file, "mask.png").status(); };
  expect_error(refusal(png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)})),
               "mask.png", "colour (RGB) PNG", StatusCode::kUnsupported);
  expect_error(
      refusal(png_file(
          {.width = 1, .height = 1, .color_type = PNG_COLOR_TYPE_GRAY_ALPHA, .rows = {1, 2}})),
      "mask.png", "alpha", StatusCode::kUnsupported);
  expect_error(refusal(png_file({.width = 1,
                                 .height = 1,
                                 .color_type = PNG_COLOR_TYPE_GRAY,
                                 .bit_depth = 16,
                                 .rows = {1, 2}})),
               "mask.png", "16-bit", StatusCode::kUnsupported);
  expect_error(refusal(jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)})),
               "mask.png", "not a PNG", StatusCode::kInvalidImage);
  expect_error(refusal({}), "mask.png", "empty", StatusCode::kInvalidImage);
  const File good = png_file(
      {.width = kW, .height = kH, .color_type = PNG_COLOR_TYPE_GRAY, .rows = gradient(kW, kH, 1)});
  expect_error(refusal(File(good.begin(), good.end() - 5)), "mask.png", "truncated",
               StatusCode::kInvalidImage);
  expect_error(decode_label_png(good, "mask.png", {.max_pixels = kW * kH - 1}).status(), "mask.png",
               "13x7", StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace deeplab::imageio::testing
