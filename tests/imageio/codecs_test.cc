// The optional codecs, on pictures that their own libraries write here.
#include "imageio/reader.h"
#include "tests/imageio/check.h"
#include "tests/imageio/codec_files.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 40;
constexpr int kH = 24;

/// Cut at every sixteenth and with flipped bytes: a picture or one sentence.
[[maybe_unused]] void expect_no_harm(const std::string& name, const File& file) {
  for (size_t part = 0; part < 16; ++part) {
    const auto cut = std::span(file).first(file.size() * part / 16);
    const Result<Image> image = decode_image(cut, name, {.max_pixels = 1 << 18});
    if (!image.ok()) expect_error(image.status(), name, "", image.status().code());
  }
  uint32_t random = 7;
  for (int round = 0; round < 200; ++round) {
    File broken = file;
    for (int flips = 0; flips <= round % 4; ++flips) {
      random = random * 1664525 + 1013904223;
      broken[(random >> 8) % broken.size()] ^= static_cast<std::byte>(1u << (random >> 29));
    }
    const Result<Image> image = decode_image(broken, name, {.max_pixels = 1 << 18});
    if (!image.ok()) expect_error(image.status(), name, "", image.status().code());
  }
}

[[maybe_unused]] void expect_refused_when_large(const std::string& name, const File& file) {
  expect_error(decode_image(file, name, {.max_pixels = kW * kH - 1}).status(), name, "the limit is",
               StatusCode::kResourceExhausted);
}

#ifdef DEEPLAB_WITH_GIF
Samples indices_of(int width, int height) {
  Samples indices;
  for (int i = 0; i < width * height; ++i) indices.push_back(static_cast<uint8_t>(i * 7 % 16));
  return indices;
}
Samples palette16() {
  Samples palette;
  for (uint8_t i = 0; i < 16; ++i) {
    palette.insert(palette.end(), {static_cast<uint8_t>(i * 16), static_cast<uint8_t>(255 - i), i});
  }
  return palette;
}
Samples through(const Samples& palette, const Samples& indices) {
  Samples rgb;
  for (const uint8_t index : indices) {
    rgb.insert(rgb.end(), palette.begin() + index * 3, palette.begin() + index * 3 + 3);
  }
  return rgb;
}

TEST(Gif, TheFirstFrame) {
  const Samples indices = indices_of(kW, kH);
  for (const bool interlaced : {false, true}) {
    const File file = gif_file({.width = kW,
                                .height = kH,
                                .palette = palette16(),
                                .frame = {0, 0, kW, kH},
                                .indices = indices,
                                .interlaced = interlaced,
                                .frames = 3});
    EXPECT_EQ(decode_ok(file).pixels, through(palette16(), indices)) << interlaced;
    const auto info = probe_image(file, "a.gif");
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->width, kW);
    EXPECT_EQ(info->format, ImageFormat::kGif);
    expect_refused_when_large("a.gif", file);
    expect_no_harm("a.gif", file);
  }
}

TEST(Gif, TransparencyAndAFrameInACorner) {
  const File file = gif_file({.width = kW,
                              .height = kH,
                              .palette = palette16(),
                              .frame = {3, 2, 2, 1},
                              .indices = {4, 5},
                              .transparent = 5});
  const Image image = decode_ok(file, {.keep_alpha = true});
  ASSERT_EQ(image.channels, 4);
  const auto at = [&](int x, int y) {
    const auto pixel = image.pixels.begin() + (ptrdiff_t{y} * kW + x) * 4;
    return Samples(pixel, pixel + 4);
  };
  EXPECT_EQ(at(3, 2), (Samples{64, 251, 4, 255}));
  EXPECT_EQ(at(4, 2), (Samples{0, 0, 0, 0}));
  EXPECT_EQ(at(0, 0), (Samples{0, 0, 0, 0}));
  EXPECT_EQ(decode_ok(file).pixels[0], 255) << "over white";
}
#endif

#ifdef DEEPLAB_WITH_TIFF
TEST(Tiff, RgbGrayAndDeepSamples) {
  const Samples rgb = gradient(kW, kH, 3);
  for (const bool tiled : {false, true}) {
    const File file = tiff_file({.width = kW, .height = kH, .samples = rgb, .tiled = tiled});
    EXPECT_EQ(decode_ok(file).pixels, rgb) << tiled;
    expect_refused_when_large("a.tif", file);
    expect_no_harm("a.tif", file);
  }
  const Samples gray = gradient(kW, kH, 1);
  const Image image =
      decode_ok(tiff_file({.width = kW, .height = kH, .channels = 1, .samples = gray}));
  for (size_t i = 0; i < gray.size(); ++i) ASSERT_EQ(image.pixels[3 * i], gray[i]);
  Samples deep;  // each sample twice is v * 257
  for (const uint8_t sample : rgb) deep.insert(deep.end(), {sample, sample});
  EXPECT_EQ(decode_ok(tiff_file({.width = kW, .height = kH, .bits = 16, .samples = deep})).pixels,
            rgb);
}

TEST(Tiff, AlphaOrientationAndRareKinds) {
  Samples rgba = gradient(kW, kH, 4);
  const File file = tiff_file({.width = kW, .height = kH, .channels = 4, .samples = rgba});
  const Image image = decode_ok(file, {.keep_alpha = true});
  ASSERT_EQ(image.channels, 4);
  EXPECT_LE(worst_difference(image.pixels, rgba), 1);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const File turned = tiff_file(
        {.width = kW, .height = kH, .samples = gradient(kW, kH, 3), .orientation = orientation});
    const Image upright = decode_ok(turned);
    const Image expected = decode_ok(jpeg_file({.width = kW,
                                                .height = kH,
                                                .color = JpegColor::kRgb,
                                                .samples = gradient(kW, kH, 3),
                                                .exif = FileBuilder()
                                                            .text(std::string("Exif\0\0", 6))
                                                            .raw(exif_block(orientation, true))
                                                            .take()}));
    EXPECT_EQ(upright.width, expected.width) << orientation;
    EXPECT_LE(worst_difference(upright.pixels, expected.pixels), 3) << orientation;
  }
  const File floats = tiff_file({.width = 2,
                                 .height = 1,
                                 .channels = 1,
                                 .bits = 32,
                                 .samples = Samples(8, 60),
                                 .is_float = true});
  expect_error(decode_image(floats, "f.tif").status(), "f.tif", "rare kind",
               StatusCode::kUnsupported);
}

TEST(Tiff, HeadersWithoutPixels) {
  File file = tiff_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  for (const uint32_t side : {60000u, 16384u}) {
    const File large = with_tiff_size(file, side, side);
    expect_error(decode_image(large, "huge.tif").status(), "huge.tif", "",
                 side == 60000 ? StatusCode::kResourceExhausted : StatusCode::kInvalidImage);
  }
}
#endif

#ifdef DEEPLAB_WITH_HEIF
TEST(Heif, HeicAndAvif) {
  const Samples rgb = gradient(64, 48, 3);
  for (const bool avif : {false, true}) {
    const File file = heif_file({.width = 64, .height = 48, .samples = rgb, .avif = avif});
    if (file.empty()) GTEST_SKIP() << "skipped: this libheif has no encoder";
    const std::string name = avif ? "a.avif" : "a.heic";
    const Image image = decode_ok(file);
    EXPECT_EQ(image.width, 64);
    EXPECT_LE(worst_difference(image.pixels, rgb), 40) << name;  // chroma is halved
    const auto info = probe_image(file, name);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->height, 48);
    expect_error(decode_image(file, name, {.max_pixels = 64 * 48 - 1}).status(), name,
                 "the limit is", StatusCode::kResourceExhausted);
    expect_no_harm(name, file);
  }
}
#endif

#ifdef DEEPLAB_WITH_LCMS
TEST(Color, AWideProfileIsConvertedOnlyIfAsked) {
  const File profile = wide_profile();
  const Samples rgb = gradient(kW, kH, 3);
  const File plain = png_file({.width = kW, .height = kH, .rows = rgb});
  const Samples packed =
      zlib_of(Samples(reinterpret_cast<const uint8_t*>(profile.data()),
                      reinterpret_cast<const uint8_t*>(profile.data()) + profile.size()));
  const File file = with_png_chunk(
      plain, png_chunk("iCCP", FileBuilder().text("wide").u8(0).u8(0).raw(packed).take()));
  EXPECT_TRUE(has_color_profile(file));
  EXPECT_FALSE(has_color_profile(plain));
  EXPECT_EQ(decode_ok(file).pixels, rgb);
  const Samples converted = decode_ok(file, {.to_srgb = true}).pixels;
  EXPECT_GT(worst_difference(converted, rgb), 10);
  EXPECT_EQ(decode_ok(plain, {.to_srgb = true}).pixels, rgb);
  // The same by rows, and in a JPEG, whose profile lies in markers.
  const File jpeg = with_jpeg_profile(
      jpeg_file({.width = kW, .height = kH, .color = JpegColor::kRgb, .samples = rgb}), profile);
  EXPECT_TRUE(has_color_profile(jpeg));
  EXPECT_LE(worst_difference(decode_ok(jpeg, {.to_srgb = true}).pixels, converted), 12);
  Samples rows;
  ASSERT_TRUE(decode_rows(jpeg, "j", {.to_srgb = true}, [&](const uint8_t* row) {
                rows.insert(rows.end(), row, row + kW * 3);
                return Status();
              }).ok());
  EXPECT_EQ(rows, decode_ok(jpeg, {.to_srgb = true}).pixels);
}

TEST(Color, AProfileOfSrgbChangesNothing) {
  const Samples rgb = gradient(kW, kH, 3);
  const File jpeg = jpeg_file({.width = kW, .height = kH, .samples = rgb});
  const File file = with_jpeg_profile(jpeg, srgb_profile());
  EXPECT_FALSE(has_color_profile(file));
  EXPECT_EQ(decode_ok(file, {.to_srgb = true}).pixels, decode_ok(jpeg).pixels);
  const File broken = with_jpeg_profile(jpeg, text_file(std::string(200, 'x')));
  EXPECT_EQ(decode_ok(broken, {.to_srgb = true}).pixels, decode_ok(jpeg).pixels);
}
#endif

TEST(Codecs, WhatIsMissingIsSaid) {
  EXPECT_FALSE(has_color_profile(text_file("x")));
  EXPECT_EQ(has_color_management(), DEEPLAB_TEST_HAS_LCMS);
}

}  // namespace
}  // namespace deeplab::imageio::testing
