// Counts and scores against numbers worked out by hand.
#include "eval/scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/evaluation.h"
#include "tests/eval/masks.h"

namespace deeplab::eval {
namespace {

using testing::Drawn;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CountPixels, CountsPairsAndLeavesTheIgnoredOut) {
  const Drawn truth({"..aa", "#.ab", "##bb"});
  const Drawn found({".aaa", "b..b", "..bb"});
  const auto counts = count_pixels(truth.view(), found.view(), 3);
  ASSERT_TRUE(counts.ok()) << counts.status().message();
  EXPECT_EQ(counts->ignored, 3);
  EXPECT_THAT(counts->cells,
              ElementsAre(ConfusionCell{0, 0, 2}, ConfusionCell{0, 1, 1}, ConfusionCell{1, 0, 1},
                          ConfusionCell{1, 1, 2}, ConfusionCell{2, 2, 3}));
}

TEST(CountPixels, ReadsRowsByTheirStride) {
  const std::vector<uint8_t> truth = {0, 1, 77, 1, 0, 77};
  const std::vector<uint8_t> found = {0, 1, 1, 1};
  const auto counts = count_pixels({truth.data(), 2, 2, 3}, {found.data(), 2, 2, 2}, 2);
  ASSERT_TRUE(counts.ok());
  EXPECT_THAT(counts->cells,
              ElementsAre(ConfusionCell{0, 0, 1}, ConfusionCell{0, 1, 1}, ConfusionCell{1, 1, 2}));
}

TEST(CountPixels, RefusesWhatIsNoClass) {
  const Drawn three({"abc"});
  const Drawn one({"aaa"});
  const Drawn ignored({"a##"});
  EXPECT_TRUE(count_pixels(three.view(), one.view(), 4).ok());
  EXPECT_THAT(count_pixels(three.view(), one.view(), 3).status().message(), HasSubstr("truth 3"));
  EXPECT_THAT(count_pixels(one.view(), three.view(), 3).status().message(),
              HasSubstr("prediction 3"));
  // 255 is a truth and no prediction.
  EXPECT_TRUE(count_pixels(ignored.view(), one.view(), 2).ok());
  EXPECT_FALSE(count_pixels(one.view(), ignored.view(), 2).ok());
  const Drawn narrow({"aa"});
  EXPECT_THAT(count_pixels(one.view(), narrow.view(), 2).status().message(), HasSubstr("3x1"));
}

TEST(Scores, AreTheTextbooks) {
  // Rows are truth: 50 10 5 / 8 30 2 / 1 4 20; 130 in all.
  Confusion confusion(3);
  confusion.add(PhotoCounts{{{0, 0, 50}, {0, 1, 10}, {0, 2, 5}, {1, 0, 8}, {1, 1, 30}}, 7});
  confusion.add(PhotoCounts{{{1, 2, 2}, {2, 0, 1}, {2, 1, 4}, {2, 2, 20}}, 5});
  EXPECT_EQ(confusion.ignored(), 12);
  const Scores scores = score(confusion);
  ASSERT_EQ(scores.classes.size(), 3u);
  EXPECT_EQ(scores.pixels, 130);
  EXPECT_EQ(scores.counted_classes, 3);
  // Truth + predicted - both: 65 + 59 - 50, 40 + 44 - 30, 25 + 27 - 20.
  EXPECT_DOUBLE_EQ(scores.classes[0].iou.value(), 50.0 / 74);
  EXPECT_DOUBLE_EQ(scores.classes[1].iou.value(), 30.0 / 54);
  EXPECT_DOUBLE_EQ(scores.classes[2].iou.value(), 20.0 / 32);
  EXPECT_DOUBLE_EQ(scores.classes[1].accuracy.value(), 30.0 / 40);
  EXPECT_EQ(scores.classes[2].predicted, 27);
  EXPECT_DOUBLE_EQ(scores.miou, (50.0 / 74 + 30.0 / 54 + 20.0 / 32) / 3);
  EXPECT_DOUBLE_EQ(scores.pixel_accuracy, 100.0 / 130);
  EXPECT_DOUBLE_EQ(scores.mean_accuracy, (50.0 / 65 + 30.0 / 40 + 20.0 / 25) / 3);
  EXPECT_NEAR(scores.frequency_weighted_iou,
              (65 * 50.0 / 74 + 40 * 30.0 / 54 + 25 * 20.0 / 32) / 130, 1e-15);
}

TEST(Scores, AClassThatDoesNotOccurHasNoSayButItsFalsePixelsCount) {
  Confusion confusion(4);  // class 2 is only predicted, class 3 nowhere
  confusion.add(PhotoCounts{{{0, 0, 6}, {0, 2, 2}, {1, 1, 4}}, 0});
  const Scores scores = score(confusion);
  EXPECT_EQ(scores.counted_classes, 2);
  EXPECT_FALSE(scores.classes[2].iou.has_value());
  EXPECT_EQ(scores.classes[2].predicted, 2);
  EXPECT_FALSE(scores.classes[3].iou.has_value());
  EXPECT_DOUBLE_EQ(scores.miou, (6.0 / 8 + 1.0) / 2);
}

TEST(Scores, OfNothingAreZero) {
  const Scores scores = score(Confusion(2));
  EXPECT_EQ(scores.counted_classes, 0);
  EXPECT_EQ(scores.miou, 0);
  EXPECT_EQ(scores.pixel_accuracy, 0);
}

TEST(Confusion, PhotosAndTheirSumsAreTheSame) {
  const Drawn truth({"..ab", "##ab"});
  const Drawn found({".aab", "abbb"});
  Confusion by_masks(3), by_counts(3), twice(3);
  ASSERT_TRUE(by_masks.add(truth.view(), found.view()).ok());
  by_counts.add(*count_pixels(truth.view(), found.view(), 3));
  EXPECT_TRUE(std::ranges::equal(by_masks.counts(), by_counts.counts()));
  twice.add(by_masks);
  twice.add(by_masks);
  EXPECT_EQ(twice.at(1, 1), 2 * by_masks.at(1, 1));
  EXPECT_EQ(twice.ignored(), 4);
  EXPECT_FALSE(by_masks.add(truth.view(), Drawn({"d..."}).view()).ok());
}

TEST(Summary, CountsPhotosAndSaysWhatTheMeanIsOver) {
  Evaluation evaluation;
  evaluation.labels = {"ground", "tree", "roof"};
  std::vector<std::optional<PhotoScore>> photos(3);
  photos[0] = PhotoScore{{{{0, 0, 9}, {1, 1, 1}}, 1500}, {{0, 0.5}, {1, 1.0}}};
  photos[2] = PhotoScore{{{{0, 1, 10}}, 0}, {{0, 0.25}}};
  summarize(photos, evaluation);
  EXPECT_EQ(evaluation.images, 2);
  EXPECT_EQ(evaluation.failed, 1);
  EXPECT_DOUBLE_EQ(evaluation.scores.pixel_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.boundary_f.value(), (0.75 + 0.25) / 2);
  EXPECT_DOUBLE_EQ(evaluation.class_boundary_f[0].value(), 0.375);
  EXPECT_FALSE(evaluation.class_boundary_f[2].has_value());
  EXPECT_EQ(counting_text(evaluation),
            "2 of 3 classes, those that occur in the masks; ground (id 0) included; 1,500 pixels "
            "labelled 255 count nowhere");
  EXPECT_DOUBLE_EQ(photo_miou(*photos[0], 3).value(), 1);
  EXPECT_FALSE(photo_miou(PhotoScore{{{}, 5}, {}}, 3).has_value());
}

TEST(Summary, TheProtocolIsSaidInFull) {
  Protocol protocol;
  protocol.width = protocol.height = 513;
  EXPECT_EQ(protocol_text(protocol),
            "pad on a 513x513 canvas, one scale, no flip; scored at each photo's own size");
  protocol.fit = vision::Fit::kLetterbox;
  protocol.scales = {0.5, 1, 1.25};
  protocol.flip = true;
  EXPECT_EQ(protocol_text(protocol),
            "letterbox on a 513x513 canvas, scales 0.5 1 1.25, mirrored as well (mean of the "
            "probabilities); scored at each photo's own size");
}

}  // namespace
}  // namespace deeplab::eval
