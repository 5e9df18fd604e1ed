// Pictures a row at a time: the pixels of decode_image() and encode_jpeg(), and their errors.
#include <gtest/gtest.h>

#include "imageio/reader.h"
#include "imageio/writer.h"
#include "tests/imageio/check.h"
#include "tests/imageio/sample_files.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 37, kH = 29;

struct Rows {
  Samples pixels;
  int count = 0;
  Status status;
};

Rows rows_of(const File& file, int32_t width, const ReadOptions& options = {}) {
  Rows rows;
  rows.status = decode_rows(file, "sample", options, [&](const uint8_t* rgb) {
    rows.pixels.insert(rows.pixels.end(), rgb, rgb + ptrdiff_t{width} * 3);
    ++rows.count;
    return Status();
  });
  return rows;
}

TEST(DecodeRows, GiveThePixelsOfEveryFlavour) {
  for (const NamedFile& file : every_flavour()) {
    const Image image = decode_ok(file.bytes);
    const Rows rows = rows_of(file.bytes, image.width, {.keep_alpha = true});
    EXPECT_TRUE(rows.status.ok()) << file.name << ": " << rows.status.message();
    EXPECT_EQ(rows.pixels, image.pixels) << file.name;
  }
}

TEST(DecodeRows, AreUprightAtAnyOrientationAndScale) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const File exif = FileBuilder()
                          .text(std::string("Exif\0\0", 6))
                          .raw(exif_block(orientation, orientation % 2 == 0))
                          .take();
    const File file =
        jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3), .exif = exif});
    for (const int target : {0, 12}) {
      const Image image = decode_ok(file, {.target_side = target});
      const Rows rows = rows_of(file, image.width, {.target_side = target});
      EXPECT_EQ(rows.count, image.height);
      EXPECT_EQ(rows.pixels, image.pixels) << "orientation " << orientation;
    }
  }
}

TEST(DecodeRows, ErrorsNameTheFile) {
  const File file = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  const File cut(file.begin(), file.end() - 2);
  expect_error(rows_of(cut, kW, {.strict = true}).status, "sample", "truncated",
               StatusCode::kInvalidImage);
  expect_error(rows_of({}, kW).status, "sample", "empty", StatusCode::kInvalidImage);
  const Rows refused = rows_of(file, kW, {.max_pixels = kW * kH - 1});
  expect_error(refused.status, "sample", "limit", StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.count, 0);
}

TEST(DecodeRows, TheSinkEndsThem) {
  const File jpeg = jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3)});
  const File png = png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)});
  for (const File& file : {jpeg, png}) {
    int count = 0;
    const Status status = decode_rows(file, "sample", {}, [&](const uint8_t*) {
      return ++count < 5 ? Status() : io_error("the disk is full");
    });
    EXPECT_EQ(status.code(), StatusCode::kIoError);
    EXPECT_EQ(count, 5);
  }
}

TEST(JpegWriter, AFileIsDoneAfterAllItsRows) {
  const Samples rgb = gradient(kW, kH, 3);
  Result<JpegWriter> writer = JpegWriter::start(kW, kH, 90);
  ASSERT_TRUE(writer.ok());
  for (int y = 0; y < kH; ++y) {
    EXPECT_TRUE(writer->write_row(rgb.data() + ptrdiff_t{y} * kW * 3).ok());
  }
  const Result<EncodedImage> by_rows = writer->finish();
  const Result<EncodedImage> at_once = encode_jpeg(kW, kH, rgb, 90);
  ASSERT_TRUE(by_rows.ok() && at_once.ok());
  EXPECT_EQ(*by_rows, *at_once);

  Result<JpegWriter> early = JpegWriter::start(kW, kH, 90);
  ASSERT_TRUE(early.ok() && early->write_row(rgb.data()).ok());
  EXPECT_FALSE(early->finish().ok());
  EXPECT_FALSE(JpegWriter::start(70000, 1, 90).ok());
}

TEST(PngWriter, GivesTheBytesOfOneCallInPieces) {
  constexpr int kWide = 300, kHigh = 400;  // more than one piece
  Samples noise(size_t{kWide} * kHigh * 4);
  uint32_t random = 1;
  for (uint8_t& sample : noise) sample = static_cast<uint8_t>((random = random * 69069 + 1) >> 24);
  std::vector<uint16_t> gray(size_t{kWide} * kHigh);
  for (size_t i = 0; i < gray.size(); ++i) gray[i] = static_cast<uint16_t>(noise[i] * 257 + i % 7);
  for (const bool rgba : {true, false}) {
    EncodedImage pieces;
    int count = 0;
    const auto sink = [&](std::span<const std::byte> part) {
      pieces.insert(pieces.end(), part.begin(), part.end());
      ++count;
      return Status();
    };
    Result<PngWriter> writer = rgba ? PngWriter::start_rgba(kWide, kHigh, sink)
                                    : PngWriter::start_gray16(kWide, kHigh, sink);
    ASSERT_TRUE(writer.ok());
    for (ptrdiff_t y = 0; y < kHigh; ++y) {
      ASSERT_TRUE((rgba ? writer->write_row(noise.data() + y * kWide * 4)
                        : writer->write_row(gray.data() + y * kWide))
                      .ok());
    }
    ASSERT_TRUE(writer->finish().ok());
    EXPECT_GT(count, 1);
    const auto at_once =
        rgba ? encode_png_rgba(kWide, kHigh, noise) : encode_png_gray16(kWide, kHigh, gray);
    ASSERT_TRUE(at_once.ok());
    EXPECT_EQ(pieces, *at_once);
  }
}

TEST(PngWriter, TheSinksErrorEndsIt) {
  const auto full = [](std::span<const std::byte>) { return io_error("the disk is full"); };
  Result<PngWriter> writer = PngWriter::start_rgba(2, 1, full);
  ASSERT_TRUE(writer.ok());
  const Samples row(8);
  ASSERT_TRUE(writer->write_row(row.data()).ok());
  EXPECT_EQ(writer->finish().message(), "the disk is full");
  EXPECT_FALSE(PngWriter::start_rgba(0, 1, full).ok());
}

}  // namespace
}  // namespace deeplab::imageio::testing
