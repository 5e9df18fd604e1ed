#include <cstring>

#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 40;
constexpr int kH = 30;

TEST(Webp, LosslessIsExact) {
  const Samples rgb = gradient(kW, kH, 3);
  const Image image = decode_ok(webp_file(kW, kH, 3, rgb, true));
  EXPECT_EQ(image.width, kW);
  EXPECT_EQ(image.height, kH);
  EXPECT_EQ(image.original_width, kW);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.pixels, rgb);
}

TEST(Webp, LossyIsClose) {
  const Samples rgb = gradient(kW, kH, 3);
  const Image image = decode_ok(webp_file(kW, kH, 3, rgb, false));
  EXPECT_LE(worst_difference(image.pixels, rgb), 12);  // chroma is subsampled
}

TEST(Webp, AlphaIsComposedOverWhiteOrKept) {
  Samples rgba = gradient(kW, kH, 4);
  for (const bool lossless : {true, false}) {
    const File file = webp_file(kW, kH, 4, rgba, lossless);
    const Image kept = decode_ok(file, {.keep_alpha = true});
    ASSERT_EQ(kept.channels, 4);
    EXPECT_LE(worst_difference(kept.pixels, rgba), lossless ? 0 : 12);
    const Image flat = decode_ok(file);
    ASSERT_EQ(flat.channels, 3);
    Samples expected;
    for (size_t i = 0; i < rgba.size(); i += 4) {
      for (size_t c = 0; c < 3; ++c) {
        expected.push_back(static_cast<uint8_t>(rgba[i + c] * (200 / 255.0) + 55 + 0.5));
      }
    }
    EXPECT_LE(worst_difference(flat.pixels, expected), lossless ? 1 : 10);
  }
}

TEST(Webp, OrientationOfTheExifChunk) {
  const Samples rgb = gradient(kW, kH, 3);
  const File simple = webp_file(kW, kH, 3, rgb, true);
  const Image image = decode_ok(webp_extended(simple, kW, kH, 0x08, exif_block(6, false)));
  EXPECT_EQ(image.width, kH);
  EXPECT_EQ(image.height, kW);
  // A quarter turn clockwise: the new top right corner is the old top left one.
  const uint8_t* corner = image.pixels.data() + (kH - 1) * 3;
  EXPECT_EQ(Samples(corner, corner + 3), Samples(rgb.begin(), rgb.begin() + 3));
}

/// An animation with one frame of `still` at (x, y) on a canvas.
File animated_webp(const File& still, int width, int height, int x, int y, int canvas_width,
                   int canvas_height) {
  const auto u24 = [](FileBuilder& out, int v) {
    out.le16(static_cast<uint32_t>(v)).u8(static_cast<uint32_t>(v) >> 16);
  };
  // A file with alpha is in an extended container already; a frame has its chunks without VP8X.
  const bool extended = std::memcmp(still.data() + 12, "VP8X", 4) == 0;
  const File chunks(still.begin() + (extended ? 30 : 12), still.end());
  FileBuilder frame;
  for (const int v : {x / 2, y / 2, width - 1, height - 1, 100}) u24(frame, v);
  const File data = frame.u8(0).raw(chunks).take();
  FileBuilder body;
  body.text("WEBP").text("VP8X").le32(10).le32(0x02 | 0x10);
  u24(body, canvas_width - 1);
  u24(body, canvas_height - 1);
  body.text("ANIM").le32(6).le32(0).le16(0);
  for (int i = 0; i < 2; ++i) {
    body.text("ANMF").le32(static_cast<uint32_t>(data.size())).raw(data);
  }
  const File content = body.take();
  return FileBuilder().text("RIFF").le32(static_cast<uint32_t>(content.size())).raw(content).take();
}

TEST(Webp, TheFirstFrameOfAnAnimation) {
  for (const int channels : {3, 4}) {
    for (const bool lossless : {true, false}) {
      const File still = webp_file(kW, kH, channels, gradient(kW, kH, channels), lossless, 80);
      const File film = animated_webp(still, kW, kH, 0, 0, kW, kH);
      EXPECT_EQ(decode_ok(film, {.keep_alpha = true}).pixels,
                decode_ok(still, {.keep_alpha = true}).pixels)
          << channels << lossless;
    }
  }
}

TEST(Webp, AFrameSmallerThanItsCanvas) {
  const File still = webp_file(kW, kH, 3, gradient(kW, kH, 3), true);
  const File film = animated_webp(still, kW, kH, 4, 2, kW + 10, kH + 10);
  const Image image = decode_ok(film, {.keep_alpha = true});
  ASSERT_EQ(image.width, kW + 10);
  ASSERT_EQ(image.channels, 4);
  const auto at = [&](int x, int y) {
    const auto pixel = image.pixels.begin() + (ptrdiff_t{y} * image.width + x) * 4;
    return Samples(pixel, pixel + 4);
  };
  EXPECT_EQ(at(0, 0), (Samples{0, 0, 0, 0}));
  EXPECT_EQ(at(4, 2), (Samples{0, 0, 255, 255}));
  const File outside = animated_webp(still, kW, kH, 20, 2, kW + 10, kH + 10);
  expect_error(decode_image(outside, "film.webp").status(), "film.webp", "leaves the canvas",
               StatusCode::kInvalidImage);
  const File none = webp_extended(still, kW, kH, 0x02, {});
  expect_error(decode_image(none, "film.webp").status(), "film.webp", "first frame",
               StatusCode::kInvalidImage);
}

TEST(Webp, TruncationIsSaid) {
  const File file = webp_file(kW, kH, 3, gradient(kW, kH, 3), false);
  expect_error(decode_image(File(file.begin(), file.end() - 9), "cut.webp").status(), "cut.webp",
               "truncated", StatusCode::kInvalidImage);
}

}  // namespace
}  // namespace deeplab::imageio::testing
