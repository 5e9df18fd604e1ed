// Photos for the network and for people.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "photos/photos.h"
#include "tests/imageio/sample_files.h"

namespace deeplab::photos {
namespace {

using imageio::testing::File;
using imageio::testing::gradient;
using imageio::testing::Samples;

PhotoFile photo_file(File bytes) {
  PhotoFile file;
  file.name = "photo";
  file.bytes = std::move(bytes);
  const auto info = imageio::probe_image(file.bytes, file.name);
  EXPECT_TRUE(info.ok()) << info.status().message();
  if (info.ok()) file.info = *info;
  return file;
}

Samples rows_of(const PhotoFile& file, const DecodedPhoto& decoded, const DecodeOptions& options) {
  Samples pixels;
  const Status status = for_each_row(file, decoded, options, [&](const uint8_t* rgb) {
    pixels.insert(pixels.end(), rgb, rgb + ptrdiff_t{file.info.width} * 3);
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return pixels;
}

TEST(DecodePhoto, RowsAreOfThePhotosOwnSizeWhateverTheCanvas) {
  const File jpeg =
      imageio::testing::jpeg_file({.width = 400, .height = 300, .samples = gradient(400, 300, 3)});
  const PhotoFile file = photo_file(jpeg);
  const auto large = decode_photo(file, vision::Fit::kPad, 400, 400);
  auto small = decode_photo(file, vision::Fit::kPad, 65, 65);
  ASSERT_TRUE(large.ok() && small.ok());
  EXPECT_TRUE(large->is_complete);
  EXPECT_FALSE(small->is_complete);
  EXPECT_LT(small->small.width, 400);
  const Samples rows = rows_of(file, *large, {});
  EXPECT_EQ(rows, large->small.pixels);
  small->keep_complete();
  EXPECT_TRUE(small->small.pixels.empty());
  EXPECT_EQ(rows_of(file, *small, {}), rows);
}

TEST(DecodePhoto, DamageIsAWarningOrRefused) {
  File jpeg =
      imageio::testing::jpeg_file({.width = 64, .height = 64, .samples = gradient(64, 64, 3)});
  jpeg.resize(jpeg.size() * 3 / 4);
  const PhotoFile file = photo_file(jpeg);
  const auto decoded = decode_photo(file, vision::Fit::kPad, 64, 64);
  ASSERT_TRUE(decoded.ok());
  EXPECT_NE(decoded->small.warning, "");
  EXPECT_FALSE(decode_photo(file, vision::Fit::kPad, 64, 64, {.strict = true}).ok());
}

}  // namespace
}  // namespace deeplab::photos
