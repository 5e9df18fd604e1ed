// The page of an evaluation, and which photos it shows.
#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/thumbnail.h"
#include "imageio/reader.h"
#include "tests/html/markup.h"

namespace deeplab::eval {
namespace {

using html::testing::count_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A photo with `right` of 100 pixels of class 1 right, and background that is all right.
std::optional<PhotoScore> photo_of(int64_t right) {
  PhotoScore photo;
  photo.counts.cells = {{0, 0, 500}};
  if (right < 100) photo.counts.cells.push_back({1, 0, 100 - right});
  if (right > 0) photo.counts.cells.push_back({1, 1, right});
  return photo;
}

TEST(ChoosePhotos, WorstAndBestByTheirOwnMean) {
  const std::vector<std::optional<PhotoScore>> photos = {photo_of(50), photo_of(90), std::nullopt,
                                                         photo_of(10), photo_of(70), photo_of(95),
                                                         photo_of(5)};
  const PhotoChoice choice = choose_photos(photos, 2, 2);
  EXPECT_THAT(choice.worst, ElementsAre(6, 3));
  EXPECT_THAT(choice.best, ElementsAre(5, 1));
}

TEST(ChoosePhotos, APhotoOfOneClassIsNoFeat) {
  std::vector<std::optional<PhotoScore>> photos = {photo_of(50), photo_of(90), photo_of(10),
                                                   photo_of(70)};
  photos.push_back(PhotoScore{{{{0, 0, 600}}, 0}, {}});  // all background, all right
  photos.push_back(PhotoScore{{{}, 600}, {}});           // all ignored: no score at all
  EXPECT_THAT(choose_photos(photos, 2, 2).best, ElementsAre(1, 3));
  photos.erase(photos.begin() + 1, photos.begin() + 4);
  EXPECT_THAT(choose_photos(photos, 2, 2).best, ElementsAre(1));
}

TEST(ChoosePhotos, FewPhotosAreInOneListOnly) {
  const std::vector<std::optional<PhotoScore>> photos = {photo_of(50), photo_of(90), photo_of(10)};
  const PhotoChoice choice = choose_photos(photos, 2, 6);
  EXPECT_THAT(choice.worst, ElementsAre(2, 0));
  EXPECT_THAT(choice.best, ElementsAre(1));
  EXPECT_THAT(choose_photos({}, 2, 6).worst, IsEmpty());
}

imageio::Image image_of(int32_t width, int32_t height, int32_t channels, uint8_t value) {
  const auto size = static_cast<size_t>(width * height * channels);
  return {width, height, channels, width, height, std::vector<uint8_t>(size, value), {}};
}

std::vector<std::byte> bytes_of(const std::string& uri) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : uri.substr(uri.find(',') + 1)) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(kDigits.find(c));
    if ((count += 6) >= 8) bytes.push_back(static_cast<std::byte>(bits >> (count -= 8) & 0xFF));
  }
  return bytes;
}

TEST(Thumbnail, AMaskShrinksToPixelsOfItsOwn) {
  imageio::Image mask = image_of(300, 100, 1, 4);
  for (size_t i = 0; i < mask.pixels.size(); ++i) mask.pixels[i] = i % 300 < 150 ? 4 : 9;
  const auto uri = mask_thumbnail(mask, 30);
  ASSERT_TRUE(uri.ok()) << uri.status().message();
  EXPECT_THAT(*uri, StartsWith("data:image/png;base64,"));
  const auto small = imageio::decode_label_png(bytes_of(*uri), "thumbnail");
  ASSERT_TRUE(small.ok()) << small.status().message();
  ASSERT_EQ(small->width, 30);
  ASSERT_EQ(small->height, 10);
  for (size_t i = 0; i < small->pixels.size(); ++i) {
    EXPECT_EQ(small->pixels[i], i % 30 < 15 ? 4 : 9) << i;
  }
}

TEST(Thumbnail, APhotoShrinksAndIsNeverEnlarged) {
  imageio::Image photo = image_of(200, 400, 3, 30);
  for (size_t i = 0; i < photo.pixels.size(); ++i) {
    if (i / 3 % 200 >= 100) photo.pixels[i] = 220;
  }
  const auto uri = photo_thumbnail(photo, 40);
  ASSERT_TRUE(uri.ok()) << uri.status().message();
  const auto small = imageio::decode_image(bytes_of(*uri), "thumbnail");
  ASSERT_TRUE(small.ok()) << small.status().message();
  EXPECT_EQ(small->width, 20);
  EXPECT_EQ(small->height, 40);
  EXPECT_NEAR(small->pixels[3 * (20 * 5 + 4)], 30, 4);
  EXPECT_NEAR(small->pixels[3 * (20 * 5 + 15)], 220, 4);
  const auto whole = photo_thumbnail(image_of(7, 5, 3, 90), 40);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(imageio::decode_image(bytes_of(*whole), "thumbnail")->width, 7);
}

Evaluation small_evaluation() {
  Evaluation evaluation;
  evaluation.dataset = "data/<voc>";
  evaluation.split = "val";
  evaluation.model = "models/tiny & small.tflite";
  evaluation.labels = {"background", "cat", "unseen"};
  evaluation.protocol.width = evaluation.protocol.height = 129;
  std::vector<std::optional<PhotoScore>> photos = {photo_of(50), photo_of(90), std::nullopt};
  photos[0]->boundary = {{0, 0.5}, {1, 0.25}};
  summarize(photos, evaluation);
  return evaluation;
}

TEST(EvaluationPage, HoldsEverythingAndStandsAlone) {
  const Evaluation evaluation = small_evaluation();
  const ReportPhoto worst{"2007_000042", 0.25, image_of(40, 30, 3, 99), image_of(40, 30, 1, 1),
                          image_of(40, 30, 1, 0)};
  ReportPhoto best = worst;
  best.name = "best<one>";
  best.truth.pixels[3] = 255;
  const auto page = evaluation_page(evaluation, std::span(&worst, 1), std::span(&best, 1),
                                    "deeplab evaluate 1.2");
  ASSERT_TRUE(page.ok()) << page.status().message();
  EXPECT_TRUE(html::testing::is_well_formed(*page));
  EXPECT_TRUE(html::testing::stands_alone(*page));
  EXPECT_EQ(count_of(*page, "<img"), 6u);
  EXPECT_EQ(count_of(*page, "<svg"), 2u);
  EXPECT_EQ(count_of(*page, "not counted"), 1u);  // 255 in one legend
  EXPECT_THAT(*page, AllOf(HasSubstr("tiny &amp; small.tflite"), HasSubstr("data/&lt;voc&gt;"),
                           HasSubstr("best&lt;one&gt;"), HasSubstr("2007_000042: mean IoU 0.250"),
                           HasSubstr("Worst photos"), HasSubstr("Best photos"),
                           HasSubstr("deeplab evaluate 1.2"), HasSubstr("1 photos that failed")));
  // 1140 of 1200 right; IoU of the cat 140 / 200.
  EXPECT_THAT(*page, AllOf(HasSubstr("<b>0.9500</b>"), HasSubstr("0.7000"), HasSubstr("0.3750")));
  EXPECT_THAT(*page, HasSubstr(">70<"));  // of the cat's pixels, in the confusion matrix
}

TEST(EvaluationPage, WithoutPhotosOrMistakes) {
  Evaluation evaluation;
  evaluation.labels = {"background"};
  summarize(std::vector<std::optional<PhotoScore>>{PhotoScore{{{{0, 0, 5}}, 0}, {}}}, evaluation);
  const auto page = evaluation_page(evaluation, {}, {}, "deeplab");
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(html::testing::is_well_formed(*page));
  EXPECT_THAT(*page, AllOf(Not(HasSubstr("Worst photos")), Not(HasSubstr("mistakes"))));
}

}  // namespace
}  // namespace deeplab::eval
