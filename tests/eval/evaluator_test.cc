// Models at work on a small dataset: what scores depend on, and what ends a run.
#include "eval/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <numeric>

#include "api/builtin_model.h"
#include "api/segmenter.h"
#include "base/file.h"
#include "imageio/writer.h"
#include "photos/photos.h"

namespace deeplab::eval {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int32_t kCanvas = 65;

class EvaluatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "deeplab-evaluator-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "JPEGImages");
    fs::create_directories(root_ / "SegmentationClass");
    dataset_ = {root_.string(), "val", {}};
    for (int32_t i = 0; i < 5; ++i) add_photo(40 + 30 * (i * 3 % 5), 30 + 11 * i);
    auto model = api::Model::parse_static(api::builtin_model(), "built-in");
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = *model;
  }
  void TearDown() override { fs::remove_all(root_); }

  /// Coloured rectangles, and a mask of classes 0 to 20 and 255.
  void add_photo(int32_t width, int32_t height) {
    const std::string id = std::to_string(dataset_.items.size());
    std::vector<uint8_t> rgb, ids;
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        const int32_t cell = 3 * (x * 4 / width) + y * 3 / height;
        for (int32_t c = 0; c < 3; ++c) rgb.push_back(static_cast<uint8_t>(cell * (31 + 20 * c)));
        ids.push_back(static_cast<uint8_t>(cell == 7 ? 255 : cell % 3 == 0 ? 0 : cell));
      }
    }
    const std::string photo = (root_ / "JPEGImages" / (id + ".jpg")).string();
    const auto jpeg = imageio::encode_jpeg(width, height, rgb, 90);
    ASSERT_TRUE(jpeg.ok() && write_file_atomically(photo, *jpeg).ok());
    dataset_.items.push_back({id, photo, mask_path(id)});
    write_mask(id, width, height, ids);
  }
  std::string mask_path(const std::string& id) const {
    return (root_ / "SegmentationClass" / (id + ".png")).string();
  }
  void write_mask(const std::string& id, int32_t width, int32_t height,
                  const std::vector<uint8_t>& ids) const {
    const auto png = imageio::encode_png_gray(width, height, ids);
    ASSERT_TRUE(png.ok() && write_file_atomically(mask_path(id), *png).ok());
  }

  Candidate candidate() const {
    Candidate candidate{model_, {}};
    candidate.protocol.width = candidate.protocol.height = kCanvas;
    return candidate;
  }
  std::unique_ptr<Evaluator> make(std::vector<Candidate> candidates, EvaluatorOptions options) {
    auto made = Evaluator::create(std::move(candidates), dataset_.items.size(), std::move(options));
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.ok() ? std::move(*made) : nullptr;
  }
  Result<std::vector<Scores>> scores(EvaluatorOptions options) {
    return make({candidate()}, std::move(options))->scores(dataset_);
  }

  fs::path root_;
  VocDataset dataset_;
  std::shared_ptr<const api::Model> model_;
};

TEST_F(EvaluatorTest, PhotosComeInOrderWithTheSameCountsWhateverTheThreads) {
  std::vector<size_t> which(dataset_.items.size());
  std::iota(which.begin(), which.end(), size_t{0});
  std::vector<std::vector<ConfusionCell>> first;
  for (const int threads : {1, 3}) {
    std::vector<std::vector<ConfusionCell>> cells;
    EvaluatorOptions options;
    options.threads = threads;
    const auto evaluator = make({candidate()}, options);
    const OrderedWorkEnd end =
        evaluator->run(dataset_, which, nullptr, [&](size_t photo, EvaluatedPhoto result) {
          EXPECT_EQ(photo, cells.size());
          EXPECT_TRUE(result.error.ok()) << result.error.message();
          cells.push_back(result.scores.at(0).counts.cells);
          return true;
        });
    EXPECT_EQ(end.handed_out, which.size());
    if (first.empty()) first = cells;
    EXPECT_EQ(cells, first);
  }
}

TEST_F(EvaluatorTest, CandidatesAreMeasuredSideBySide) {
  Candidate coarse = candidate();
  coarse.protocol.width = coarse.protocol.height = 33;
  size_t advanced = 0;
  const auto both =
      make({candidate(), coarse}, {})
          ->scores(dataset_, [&advanced](const VocItem&, const std::string&) { ++advanced; });
  const auto alone = scores({});
  ASSERT_TRUE(both.ok() && alone.ok());
  EXPECT_EQ(advanced, dataset_.items.size());
  ASSERT_EQ(both->size(), 2u);
  EXPECT_EQ((*both)[0].miou, (*alone)[0].miou);
  EXPECT_EQ((*both)[0].pixels, (*both)[1].pixels);
}

TEST_F(EvaluatorTest, ALargePhotoIsDecodedAsEveryProgramDecodesIt) {
  add_photo(900, 700);
  std::mutex mutex;
  std::vector<uint8_t> kept;
  EvaluatorOptions options;
  options.boundaries = false;
  options.keep_mask = [&](const VocItem& item, size_t, const vision::MaskView& mask) -> Status {
    const std::lock_guard lock(mutex);
    if (item.id == dataset_.items.back().id) kept.assign(mask.data, mask.data + 900 * 700);
    return {};
  };
  ASSERT_TRUE(scores(options).ok());

  const auto photo = photos::decode_photo({dataset_.items.back().image_path, "large"},
                                          vision::Fit::kPad, kCanvas, kCanvas);
  ASSERT_TRUE(photo.ok());
  EXPECT_LT(photo->small.width, 900);
  api::SegmenterOptions plain;
  plain.width = plain.height = kCanvas;
  plain.isa = *selected_isa();
  const auto segmenter = api::Segmenter::create(model_, plain);
  ASSERT_TRUE(segmenter.ok());
  ASSERT_TRUE((*segmenter)->run(photos::view_of(photo->small)).ok());
  std::vector<uint8_t> expected(900 * 700);
  ASSERT_TRUE((*segmenter)->category_mask(900, 700, expected.data(), 900).ok());
  EXPECT_EQ(kept, expected);
}

TEST_F(EvaluatorTest, MasksMayBeReadInAnotherWay) {
  EvaluatorOptions options;
  options.read_mask = [](const VocItem& item) -> Result<imageio::Image> {
    DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask, read_mask(item.mask_path));
    mask.pixels.assign(mask.pixels.size(), 255);
    return mask;
  };
  const auto none = scores(options);
  ASSERT_TRUE(none.ok()) << none.status().message();
  EXPECT_EQ((*none)[0].pixels, 0);
}

TEST_F(EvaluatorTest, TheFirstPhotoThatFailsIsTheError) {
  write_mask("3", 4, 4, std::vector<uint8_t>(16));
  write_mask("1", 5, 5, std::vector<uint8_t>(25));
  EvaluatorOptions options;
  options.threads = 4;
  const auto failed = scores(options);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.status().message(), HasSubstr("1.png has 5x5 pixels; its photo"));
}

TEST_F(EvaluatorTest, AMaskOfOtherClassesIsFatal) {
  const auto photo = imageio::read_image(dataset_.items[0].image_path);
  ASSERT_TRUE(photo.ok());
  write_mask("0", photo->width, photo->height, std::vector<uint8_t>(photo->pixels.size() / 3, 77));
  const size_t which[] = {0};
  bool was_told = false;
  make({candidate()}, {})->run(dataset_, which, nullptr, [&](size_t, EvaluatedPhoto result) {
    was_told = true;
    EXPECT_TRUE(result.is_fatal);
    EXPECT_THAT(result.error.message(), HasSubstr("the masks do not go with built-in"));
    EXPECT_THAT(result.error.message(), HasSubstr("class id 77"));
    return true;
  });
  EXPECT_TRUE(was_told);
}

}  // namespace
}  // namespace deeplab::eval
