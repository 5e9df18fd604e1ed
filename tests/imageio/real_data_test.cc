// Photos and masks as they come, if the test data is on this machine.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/imageio/check.h"
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

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

File bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return text_file(text);
}

TEST(RealData, CatAndBird) {
  DEEPLAB_NEEDS_TEST_DATA();
  const Result<Image> cat = read_image(test_data("images/cat.jpg"));
  ASSERT_TRUE(cat.ok()) << cat.status().message();
  EXPECT_EQ(cat->width, 800);
  EXPECT_EQ(cat->height, 533);
  EXPECT_EQ(cat->pixels, default_jpeg_pixels(bytes_of(test_data("images/cat.jpg"))));
  const Result<Image> bird = read_image(test_data("images/bird.bmp"));
  ASSERT_TRUE(bird.ok()) << bird.status().message();
  EXPECT_EQ(bird->width, 513);
  EXPECT_EQ(bird->height, 513);
  EXPECT_TRUE(read_image(test_data("images/bird_mask_edgetpu.bmp")).ok());
}

TEST(RealData, ValPhotosMatchTheirMasks) {
  DEEPLAB_NEEDS_TEST_DATA();
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

TEST(RealData, GoldenLabelMaps) {
  DEEPLAB_NEEDS_TEST_DATA();
  const auto paths = files_in(test_data("golden/labels_pad513"));
  ASSERT_EQ(paths.size(), 80u);
  for (const std::string& path : paths) {
    const Result<Image> labels = read_label_png(path);
    ASSERT_TRUE(labels.ok()) << labels.status().message();
    EXPECT_EQ(labels->width, 513);
    EXPECT_EQ(labels->height, 513);
    EXPECT_LE(*std::max_element(labels->pixels.begin(), labels->pixels.end()), 20);
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
