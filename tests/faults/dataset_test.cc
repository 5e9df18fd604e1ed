// Memory that runs out while a dataset is opened, its masks are read and a model is scored on it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"
#include "eval/evaluation.h"
#include "eval/report.h"
#include "eval/voc_dataset.h"
#include "imageio/writer.h"
#include "tests/faults/campaign.h"
#include "tests/faults/folder.h"
#include "tests/imageio/sample_files.h"
#include "vision/palette.h"

namespace deeplab::testing {
namespace {

using namespace deeplab::eval;
using Throws = RoomCall::Throws;

constexpr int32_t kWidth = 37;
constexpr int32_t kHeight = 29;
constexpr int32_t kClasses = 3;

class Datasets : public ::testing::Test {
 protected:
  Datasets() {
    namespace fs = std::filesystem;
    for (const char* sub : {"ImageSets/Segmentation", "JPEGImages", "SegmentationClass"}) {
      fs::create_directories(folder_.file(sub));
    }
    std::ofstream(folder_.file("ImageSets/Segmentation/val.txt")) << "a 1\nb -1\na_long_photo_id\n";
    std::vector<uint8_t> ids(size_t{kWidth} * kHeight);
    for (size_t i = 0; i < ids.size(); ++i)
      ids[i] = i % 7 == 6 ? 255 : static_cast<uint8_t>(i / 400);
    std::vector<uint8_t> colours;
    for (const uint8_t id : ids) {
      const Rgb c = vision::kVocPalette[id];
      colours.insert(colours.end(), {c.red, c.green, c.blue});
    }
    const auto gray = imageio::encode_png_gray(kWidth, kHeight, ids);
    const auto rgb = imageio::encode_png_rgb(kWidth, kHeight, colours);
    EXPECT_TRUE(gray.ok() && rgb.ok());
    for (const char* id : {"a", "b", "a_long_photo_id"}) {
      std::ofstream(folder_.file(std::string("JPEGImages/") + id + ".jpg")) << "photo";
      const std::string mask = folder_.file(std::string("SegmentationClass/") + id + ".png");
      EXPECT_TRUE(write_file_atomically(mask, *id == 'b' ? *rgb : *gray).ok());
    }
  }

  Folder folder_;
};

TEST_F(Datasets, Open) {
  campaign("open a dataset", Throws::kBadAlloc, [&]() -> Result<uint64_t> {
    const auto dataset = open_voc_dataset(folder_.path(), "val", MaskRequirement::kRequired);
    if (!dataset.ok()) return dataset.status();
    Digest digest;
    for (const VocItem& item : dataset->items) {
      for (const std::string* text : {&item.id, &item.image_path, &item.mask_path}) {
        digest.add(text->data(), text->size());
      }
    }
    return digest.value();
  });
}

TEST_F(Datasets, ReadMasks) {
  for (const char* id : {"a", "b"}) {
    const VocItem item = {id, id, folder_.file(std::string("SegmentationClass/") + id + ".png")};
    campaign(*id == 'a' ? "read a grey mask" : "read a colour mask", Throws::kBadAlloc,
             [&]() -> Result<uint64_t> {
               const auto mask = read_mask_of(item, nullptr, kWidth, kHeight);
               if (!mask.ok()) return mask.status();
               const Status ids = check_class_ids(*mask, item.mask_path, kClasses);
               if (!ids.ok()) return ids;
               return Digest().add(mask->pixels.data(), mask->pixels.size()).value();
             });
  }
}

Evaluation nothing_yet() {
  Evaluation evaluation;
  evaluation.labels = {"background", "aeroplane", "bicycle"};
  evaluation.protocol.width = evaluation.protocol.height = 33;
  return evaluation;
}

TEST_F(Datasets, ScoreAndReport) {
  const auto mask = read_mask(folder_.file("SegmentationClass/a.png"));
  ASSERT_TRUE(mask.ok());
  imageio::Image guess = *mask;
  for (uint8_t& id : guess.pixels) id = id == 1 ? 2 : id == 255 ? 0 : id;
  imageio::Image photo = *mask;
  photo.channels = 3;
  photo.pixels = imageio::testing::gradient(kWidth, kHeight, 3);
  const vision::MaskView truth{mask->pixels.data(), kWidth, kHeight, kWidth};
  const vision::MaskView predicted{guess.pixels.data(), kWidth, kHeight, kWidth};

  campaign("score and report", Throws::kBadAlloc, [&]() -> Result<uint64_t> {
    auto counts = count_pixels(truth, predicted, kClasses);
    if (!counts.ok()) return counts.status();
    auto boundary = boundary_scores(truth, predicted);
    if (!boundary.ok()) return boundary.status();
    const std::vector<std::optional<PhotoScore>> photos = {
        PhotoScore{std::move(*counts), std::move(*boundary)}, std::nullopt};
    Evaluation evaluation = nothing_yet();
    summarize(photos, evaluation);
    const std::vector<ReportPhoto> shown = {{"a", 0.5, photo, *mask, guess}};
    const auto page = evaluation_page(evaluation, shown, {}, "deeplab");
    if (!page.ok()) return page.status();
    return Digest().add(page->data(), page->size()).value();
  });
}

}  // namespace
}  // namespace deeplab::testing
