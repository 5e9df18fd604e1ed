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

/// A PNG of two labels beside each other.
File two_labels(int color_type, int bit_depth, const Samples& rows) {
  return png_file(
      {.width = 2, .height = 1, .color_type = color_type, .bit_depth = bit_depth, .rows = rows});
}

TEST(LabelPng, SixteenBitsAndOpaqueAlphaHoldLabels) {
  const auto labels = [](int color_type, int bit_depth, const Samples& rows) {
    const auto image = decode_label_png(two_labels(color_type, bit_depth, rows), "mask.png");
    EXPECT_TRUE(image.ok()) << image.status().message();
    return image.ok() ? image->pixels : Samples();
  };
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY, 16, {0, 20, 0, 255}), (Samples{20, 255}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY_ALPHA, 8, {20, 255, 1, 255}), (Samples{20, 1}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY_ALPHA, 16, {0, 20, 255, 255, 0, 1, 255, 255}),
            (Samples{20, 1}));
}

TEST(LabelPng, WideLabelsKeepTheirSixteenBits) {
  const auto labels = [](int color_type, int bit_depth, const Samples& rows) {
    const auto image = decode_wide_label_png(two_labels(color_type, bit_depth, rows), "mask.png");
    EXPECT_TRUE(image.ok()) << image.status().message();
    if (!image.ok()) return Samples();
    EXPECT_EQ(image->channels, bit_depth == 16 ? 2 : 1);
    return image->pixels;
  };
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY, 16, {101, 145, 0, 255}), (Samples{101, 145, 0, 255}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY_ALPHA, 16, {101, 145, 255, 255, 0, 1, 255, 255}),
            (Samples{101, 145, 0, 1}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_GRAY, 8, {7, 9}), (Samples{7, 9}));
  EXPECT_EQ(labels(PNG_COLOR_TYPE_RGB, 16, {1, 2, 1, 2, 1, 2, 0, 9, 0, 9, 0, 9}),
            (Samples{1, 2, 0, 9}));
  const File colours =
      png_file({.width = 1, .height = 1, .bit_depth = 16, .rows = {0, 1, 0, 1, 0, 2}});
  expect_error(decode_wide_label_png(colours, "mask.png").status(), "mask.png", "colour (RGB) PNG",
               StatusCode::kUnsupported);
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

/// ImageMagick's form of a block in a text.
File raw_profile_text(const std::string& keyword, const File& block) {
  std::string text = "\nexif\n    " + std::to_string(block.size());
  for (size_t i = 0; i < block.size(); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = std::to_integer<unsigned>(block[i]);
    if (i % 36 == 0) text += '\n';
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return FileBuilder().text(keyword).u8(0).text(text + "\n").take();
}

TEST(Png, OrientationInTexts) {
  constexpr int kWide = 6, kHigh = 4;
  const File png = png_file({.width = kWide, .height = kHigh, .rows = gradient(kWide, kHigh, 3)});
  const auto turned = [&](const std::string& name, const File& data) {
    const File file = with_png_chunk(png, png_chunk(name, data));
    const auto info = probe_image(file, "p.png");
    const bool is_turned = decode_ok(file).width == kHigh;
    EXPECT_TRUE(info.ok() && (info->width == kHigh) == is_turned) << name;
    return is_turned;
  };
  const File exif = exif_block(6, true);
  const File app1 = FileBuilder().text(std::string("Exif\0\0", 6)).raw(exif).take();
  const std::string xmp = "<x tiff:Orientation=\"6\"/>";
  const File xmp_app1 = text_file(std::string("http://ns.adobe.com/xap/1.0/\0", 29) + xmp);
  EXPECT_TRUE(turned("tEXt", raw_profile_text("Raw profile type exif", exif)));
  EXPECT_TRUE(turned("tEXt", raw_profile_text("Raw profile type exif", app1)));
  EXPECT_TRUE(turned("tEXt", raw_profile_text("Raw profile type APP1", app1)));
  EXPECT_TRUE(turned("tEXt", raw_profile_text("Raw profile type APP1", xmp_app1)));
  EXPECT_TRUE(turned("tEXt", raw_profile_text("Raw profile type xmp", text_file(xmp))));
  EXPECT_TRUE(turned("iTXt", text_file(std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + xmp)));
  EXPECT_FALSE(turned("tEXt", raw_profile_text("Comment", exif)));
  EXPECT_FALSE(turned("tEXt", text_file("Raw profile type exif")));
  EXPECT_FALSE(turned("iTXt", text_file("XML:com.adobe.xmp")));
  EXPECT_FALSE(turned("zTXt", text_file(std::string("Raw profile type exif\0\0x", 24))));
  // eXIf counts if there is one.
  const File text = png_chunk("tEXt", raw_profile_text("Raw profile type exif", exif));
  const File standard = png_chunk("eXIf", exif_block(1, true));
  EXPECT_EQ(decode_ok(with_png_chunk(with_png_chunk(png, text), standard)).width, kWide);
}

TEST(Png, CompressedTextsAreUnpackedUpToAMegabyte) {
  const File png = png_file({.width = 6, .height = 4, .rows = gradient(6, 4, 3)});
  const File text = raw_profile_text("Raw profile type exif", exif_block(6, false));
  const auto end = std::find(text.begin(), text.end(), std::byte{0}) + 1;
  const Samples packed =
      zlib_of(Samples(reinterpret_cast<const uint8_t*>(text.data()) + (end - text.begin()),
                      reinterpret_cast<const uint8_t*>(text.data()) + text.size()));
  const File good = FileBuilder().text("Raw profile type exif").u8(0).u8(0).raw(packed).take();
  EXPECT_EQ(decode_ok(with_png_chunk(png, png_chunk("zTXt", good))).width, 4);
  const File zeros = zlib_zeros(size_t{100} << 20);
  const File bomb = FileBuilder().text("Raw profile type exif").u8(0).u8(0).raw(zeros).take();
  EXPECT_EQ(decode_ok(with_png_chunk(png, png_chunk("zTXt", bomb))).width, 6);
}

TEST(Png, AnAnimationIsItsFirstPicture) {
  const File png = png_file({.width = 6, .height = 4, .rows = gradient(6, 4, 3)});
  const File frames = png_chunk("acTL", FileBuilder().be32(2).be32(0).take());
  const File control = png_chunk(
      "fcTL",
      FileBuilder().be32(0).be32(6).be32(4).be32(0).be32(0).be16(1).be16(10).u8(0).u8(0).take());
  File film = with_png_chunk(with_png_chunk(png, control), frames);
  const File second = png_chunk("fdAT", FileBuilder().be32(1).be32(7).take());
  film.insert(film.end() - 12, second.begin(), second.end());
  EXPECT_EQ(decode_ok(film).pixels, gradient(6, 4, 3));
}

}  // namespace
}  // namespace deeplab::imageio::testing
