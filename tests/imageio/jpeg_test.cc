#include <algorithm>
#include <tuple>

#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 64;
constexpr int kH = 48;

TEST(Jpeg, YccIsRgbWithinQuantization) {
  const Samples rgb = gradient(kW, kH, 3);
  for (const bool progressive : {false, true}) {
    const Image image = decode_ok(
        jpeg_file({.width = kW, .height = kH, .samples = rgb, .progressive = progressive}));
    EXPECT_EQ(image.width, kW);
    EXPECT_EQ(image.height, kH);
    EXPECT_EQ(image.channels, 3);
    EXPECT_EQ(image.original_width, kW);
    EXPECT_EQ(image.original_height, kH);
    EXPECT_LE(worst_difference(image.pixels, rgb), 3);
  }
}

TEST(Jpeg, RgbColorSpace) {
  const Samples rgb = gradient(kW, kH, 3);
  const Image image =
      decode_ok(jpeg_file({.width = kW, .height = kH, .color = JpegColor::kRgb, .samples = rgb}));
  EXPECT_LE(worst_difference(image.pixels, rgb), 2);
}

TEST(Jpeg, GrayIsExpanded) {
  const Samples gray = gradient(kW, kH, 1);
  const Image image =
      decode_ok(jpeg_file({.width = kW, .height = kH, .color = JpegColor::kGray, .samples = gray}));
  ASSERT_EQ(image.channels, 3);
  Samples expected;
  for (const uint8_t v : gray) expected.insert(expected.end(), 3, v);
  EXPECT_LE(worst_difference(image.pixels, expected), 2);
}

/// Ink of 0..255 (255 = full) as RGB, by the definition rgb = (1 - ink) * (1 - black).
Samples ink_to_rgb(const Samples& cmyk) {
  Samples rgb;
  for (size_t i = 0; i < cmyk.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) {
      rgb.push_back(
          static_cast<uint8_t>((1 - cmyk[i + c] / 255.0) * (1 - cmyk[i + 3] / 255.0) * 255 + 0.5));
    }
  }
  return rgb;
}

TEST(Jpeg, CmykAndYcckPlainAndAdobeInverted) {
  Samples ink = gradient(kW, kH, 4);
  for (size_t i = 3; i < ink.size(); i += 4) ink[i] = 60;
  Samples inverted = ink;
  for (uint8_t& v : inverted) v = static_cast<uint8_t>(255 - v);
  const Samples expected = ink_to_rgb(ink);

  const auto decoded = [](JpegColor color, const Samples& samples, bool adobe) {
    return decode_ok(jpeg_file({.width = kW,
                                .height = kH,
                                .color = color,
                                .samples = samples,
                                .adobe_marker = adobe}))
        .pixels;
  };
  EXPECT_LE(worst_difference(decoded(JpegColor::kCmyk, ink, false), expected), 3);
  EXPECT_LE(worst_difference(decoded(JpegColor::kCmyk, inverted, true), expected), 3);
  EXPECT_LE(worst_difference(decoded(JpegColor::kYcck, inverted, true), expected), 4);
}

/// Stored size, target, expected decoded size: ceil(side * k / 8) for the smallest fitting k.
class JpegScale : public ::testing::TestWithParam<std::tuple<int, int, int, int, int>> {};

TEST_P(JpegScale, DecodesSmallAndRemembersTheOriginal) {
  const auto [width, height, target, out_width, out_height] = GetParam();
  const File file =
      jpeg_file({.width = width, .height = height, .samples = gradient(width, height, 3)});
  const Image image = decode_ok(file, {.target_side = target});
  EXPECT_EQ(image.width, out_width);
  EXPECT_EQ(image.height, out_height);
  EXPECT_EQ(image.original_width, width);
  EXPECT_EQ(image.original_height, height);
  // Still the same picture: dark red at the left, full red at the right.
  ASSERT_FALSE(image.pixels.empty());
  const size_t last = static_cast<size_t>(out_width - 1) * 3;
  EXPECT_LT(image.pixels[0], 30);
  EXPECT_GT(image.pixels[last], 225);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, JpegScale,
    ::testing::Values(std::tuple{400, 200, 0, 400, 200}, std::tuple{400, 200, 400, 400, 200},
                      std::tuple{400, 200, 1000, 400, 200}, std::tuple{400, 200, 350, 350, 175},
                      std::tuple{400, 200, 351, 400, 200}, std::tuple{400, 200, 200, 200, 100},
                      std::tuple{400, 200, 190, 200, 100}, std::tuple{400, 200, 20, 50, 25},
                      std::tuple{401, 203, 200, 201, 102}, std::tuple{401, 203, 201, 201, 102},
                      std::tuple{203, 401, 100, 51, 101}, std::tuple{400, 200, -5, 400, 200}));

TEST(Jpeg, ScaleAndOrientationTogether) {
  const File exif = FileBuilder().text(std::string("Exif\0\0", 6)).raw(exif_block(6, false)).take();
  const File file =
      jpeg_file({.width = 400, .height = 200, .samples = gradient(400, 200, 3), .exif = exif});
  const Image image = decode_ok(file, {.target_side = 100});
  EXPECT_EQ(image.width, 50);
  EXPECT_EQ(image.height, 100);
  EXPECT_EQ(image.original_width, 200);
  EXPECT_EQ(image.original_height, 400);
}

TEST(Jpeg, FullSizeIsTheDefaultDecoderByteForByte) {
  // libjpeg's own defaults through the same file, with chroma to upsample.
  const File file = jpeg_file({.width = kW,
                               .height = kH,
                               .samples = gradient(kW, kH, 3),
                               .chroma_subsampling = true,
                               .quality = 60});
  EXPECT_EQ(decode_ok(file).pixels, default_jpeg_pixels(file));
}

TEST(Jpeg, GarbageBeforeAMarkerIsHarmless) {
  File file = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  const Samples clean = decode_ok(file).pixels;
  constexpr ptrdiff_t kApp0End = 2 + 2 + 16;  // SOI, then a JFIF segment of 16 bytes
  file.insert(file.begin() + kApp0End, 3, std::byte{0});
  EXPECT_EQ(decode_ok(file).pixels, clean);
}

/// The file is read with a warning that says `words`; refused if strict.
Image damaged(const File& file, const std::string& words) {
  expect_error(decode_image(file, "cut.jpg", {.strict = true}).status(), "cut.jpg", words,
               StatusCode::kInvalidImage);
  Image image = decode_ok(file);
  EXPECT_THAT(image.warning, ::testing::HasSubstr(words));
  EXPECT_THAT(image.warning, ::testing::StartsWith("damaged JPEG: "));
  return image;
}

TEST(Jpeg, AFileWithoutItsLastBytesIsReadWithAWarning) {
  const File file = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  const Image whole = decode_ok(file);
  EXPECT_EQ(whole.warning, "");
  for (const size_t lost : {2, 10, 200}) {
    const File cut(file.begin(), file.end() - static_cast<ptrdiff_t>(lost));
    const Image image = damaged(cut, "truncated");
    const auto same = std::mismatch(image.pixels.begin(), image.pixels.end(), whole.pixels.begin());
    EXPECT_GT(same.first - image.pixels.begin(), kW * 3 * kH / 3) << lost;  // the top is there
  }
}

TEST(Jpeg, AWrongHuffmanCodeIsReadWithAWarning) {
  File file = jpeg_file({.width = 64, .height = 64, .samples = gradient(64, 64, 3)});
  // Ones without end are no code. (0xFF is followed by a stuffed zero.)
  const auto middle = file.begin() + static_cast<ptrdiff_t>(file.size() * 3 / 4);
  for (ptrdiff_t i = 0; i < 8; i += 2) middle[i] = std::byte{0xFF}, middle[i + 1] = std::byte{0};
  const Image image = damaged(file, "orrupt JPEG data");
  EXPECT_EQ(image.width, 64);
}

TEST(Jpeg, AFewRowsOfALargePictureAreRefused) {
  File file = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  const std::byte frame[2] = {std::byte{0xFF}, std::byte{0xC0}};
  const auto at = std::search(file.begin(), file.end(), frame, frame + 2);
  const File sides = FileBuilder().be16(8000).be16(8000).take();
  std::copy(sides.begin(), sides.end(), at + 5);
  expect_error(decode_image(file, "huge.jpg").status(), "huge.jpg", "", StatusCode::kInvalidImage);
}

TEST(Jpeg, XmpTurnsAPhotoThatHasNoExif) {
  const auto with_app1 = [](const std::string& text) {
    return jpeg_file({.width = kW,
                      .height = kH,
                      .samples = gradient(kW, kH, 3),
                      .exif = text_file(std::string("http://ns.adobe.com/xap/1.0/\0", 29) + text)});
  };
  for (const char* xmp :
       {"<rdf:Description tiff:Orientation=\"6\"/>", "<tiff:Orientation>6</tiff:Orientation>"}) {
    EXPECT_EQ(decode_ok(with_app1(xmp)).width, kH) << xmp;
  }
  for (const char* xmp : {"tiff:Orientation=\"9\"", "tiff:Orientation=\"66\"", "tiff:Orientation",
                          "exif:Orientation=\"6\""}) {
    EXPECT_EQ(decode_ok(with_app1(xmp)).width, kW) << xmp;
  }
}

TEST(Jpeg, AFileWithoutItsEndMarkerIsReadWithAWarning) {
  // All pixels are there, but a comment begins where the file should end.
  File file = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  file.back() = std::byte{0xFE};
  file.insert(file.end(), {std::byte{0}, std::byte{4}, std::byte{'n'}, std::byte{'o'}});
  EXPECT_EQ(
      damaged(file, "truncated").pixels,
      decode_ok(jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)})).pixels);
}

TEST(Jpeg, TwoChannelsAreRefused) {
  const File file = jpeg_file({.width = kW,
                               .height = kH,
                               .color = JpegColor::kTwoChannels,
                               .samples = gradient(kW, kH, 2)});
  const Status status = decode_image(file, "two.jpg").status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(),
            "two.jpg: a JPEG of 2 colour components; expected grey, RGB, YCbCr, CMYK or YCCK");
}

TEST(Jpeg, HundredsOfScansAreRefused) {
  const File file =
      jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3), .progressive = true});
  // The first scan may be sent again and again without harm: it sets the same coefficients.
  const std::byte sos[2] = {std::byte{0xFF}, std::byte{0xDA}};
  const auto first = std::search(file.begin(), file.end(), sos, sos + 2);
  const auto end = std::adjacent_find(first + 2, file.end(), [](std::byte a, std::byte b) {
    return a == std::byte{0xFF} && b != std::byte{0};
  });
  const File scan(first, end);
  const auto with_copies = [&](int count) {
    File out(file.begin(), first);
    for (int i = 0; i < count; ++i) out.insert(out.end(), scan.begin(), scan.end());
    out.insert(out.end(), first, file.end());
    return out;
  };
  EXPECT_EQ(decode_ok(with_copies(50)).pixels, decode_ok(file).pixels);
  expect_error(decode_image(with_copies(200), "scans.jpg").status(), "scans.jpg",
               "more than 100 scans", StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace deeplab::imageio::testing
