// Photos and masks as they come.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "imageio/file_kind.h"
#include "tests/imageio/check.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"

namespace deeplab::imageio::testing {
namespace {

using ::deeplab::testing::test_data;

std::vector<std::string> lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

File bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return text_file(text);
}

TEST(RealPhoto, HasThePixelsOfTheJpegLibrary) {
  const Result<Image> cat = read_image(deeplab::testing::kCatPhoto);
  ASSERT_TRUE(cat.ok()) << cat.status().message();
  EXPECT_GT(cat->width, cat->height);
  EXPECT_EQ(cat->pixels, default_jpeg_pixels(bytes_of(deeplab::testing::kCatPhoto)));
}

TEST(RealData, FilesThatWereRefusedOrLay) {
  DEEPLAB_NEEDS_TEST_DATA();
  const Result<Image> rle = read_image(test_data("faults/images/pal4rle.bmp"));
  ASSERT_TRUE(rle.ok()) << rle.status().message();
  EXPECT_EQ(rle->width, 127);
  EXPECT_EQ(rle->height, 64);
  const Result<Image> turned = read_image(test_data("faults/images/raw_profile_orientation6.png"));
  ASSERT_TRUE(turned.ok()) << turned.status().message();
  EXPECT_EQ(turned->width, 20);
  EXPECT_EQ(turned->height, 40);
  for (const char* name : {"faults/heic_dir/phone.avif", "faults/heic_dir/scan.tif"}) {
    const Result<Image> image = read_image(test_data(name));
    const bool is_tiff = std::string(name).ends_with("tif");
    EXPECT_EQ(image.ok(), missing_formats().find(is_tiff ? "TIFF" : "AVIF") == std::string::npos);
    EXPECT_TRUE(!image.ok() || image->width == 128) << name;
  }
}

TEST(RealData, PhotosMatchTheirMasks) {
  DEEPLAB_NEEDS_TEST_DATA();
  const Result<Image> bird = read_image(test_data("images/bird.bmp"));
  ASSERT_TRUE(bird.ok()) << bird.status().message();
  EXPECT_EQ(bird->width, 513);
  EXPECT_EQ(bird->height, 513);
  EXPECT_TRUE(read_image(test_data("images/bird_mask_edgetpu.bmp")).ok());

  const auto ids = lines(test_data("voc2012/ImageSets/Segmentation/val.txt"));
  ASSERT_EQ(ids.size(), 400u);
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string photo = test_data("voc2012/JPEGImages/" + ids[i] + ".jpg");
    const Result<ImageInfo> info = probe_image(bytes_of(photo), photo);
    ASSERT_TRUE(info.ok()) << info.status().message();
    EXPECT_EQ(info->format, ImageFormat::kJpeg);
    if (i % 8 != 0) continue;
    const Result<Image> image = read_image(photo);
    const Result<Image> mask =
        read_label_png(test_data("voc2012/SegmentationClass/" + ids[i] + ".png"));
    ASSERT_TRUE(image.ok()) << image.status().message();
    ASSERT_TRUE(mask.ok()) << mask.status().message();
    EXPECT_EQ(image->width, info->width);
    EXPECT_EQ(image->width, mask->width) << photo;
    EXPECT_EQ(image->height, mask->height) << photo;
    for (const uint8_t label : mask->pixels) ASSERT_TRUE(label <= 20 || label == 255) << photo;
  }
}

TEST(RealData, WebpTrainPhotos) {
  DEEPLAB_NEEDS_TEST_DATA();
  const auto ids = lines(test_data("voc2012/ImageSets/Segmentation/train_aug.txt"));
  ASSERT_GT(ids.size(), 3000u);
  int seen = 0;
  for (size_t i = 0; i < ids.size(); i += 100) {
    const std::string photo = test_data("voc2012/JPEGImages/" + ids[i] + ".webp");
    if (!std::filesystem::exists(photo)) continue;
    ++seen;
    const Result<Image> image = read_image(photo);
    const Result<Image> mask =
        read_label_png(test_data("voc2012/SegmentationClass/" + ids[i] + ".png"));
    ASSERT_TRUE(image.ok()) << image.status().message();
    ASSERT_TRUE(mask.ok()) << mask.status().message();
    EXPECT_EQ(image->width, mask->width) << photo;
    EXPECT_EQ(image->height, mask->height) << photo;
  }
  EXPECT_GT(seen, 20);
}

}  // namespace
}  // namespace deeplab::imageio::testing
