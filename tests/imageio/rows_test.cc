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
  expect_error(rows_of(cut, kW).status, "sample", "truncated", StatusCode::kInvalidImage);
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

}  // namespace
}  // namespace deeplab::imageio::testing
