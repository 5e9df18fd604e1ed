#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/test_data.h"
#include "tests/train/data_folder.h"
#include "train/data/check.h"

namespace deeplab::train {
namespace {

using deeplab::testing::DataFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Four photos of 20x10 in two classes, a quarter of class 1 each; all right as it stands.
class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    for (const char* id : {"a", "b", "c", "d"}) {
      folder_.photo(id, 20, 10, [](int, int) { return Rgb{5, 6, 7}; });
      folder_.mask(id, 20, 10, [](int x, int) { return x < 15 ? 0 : 1; });
    }
    folder_.list("train", {"a", "b", "c", "d"});
    options_.training = {folder_.source()};
    options_.class_count = 2;
    options_.threads = 2;
  }

  DatasetReport check() {
    Result<DatasetReport> report = check_datasets(options_);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? std::move(report).value() : DatasetReport();
  }
  std::string train_name() const { return folder_.root() + " (train)"; }

  DataFolder folder_;
  CheckOptions options_;
};

TEST_F(CheckTest, AHealthyDatasetHasNumbersOnly) {
  const DatasetReport report = check();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_THAT(report.class_pixels, ElementsAre(600, 200));
  EXPECT_THAT(report.class_photos, ElementsAre(4, 4));
  EXPECT_EQ(report.ignored_pixels, 0);
  // f = 0.75 and 0.25, their median 0.5.
  EXPECT_THAT(report.class_weights,
              ElementsAre(::testing::DoubleEq(2.0 / 3), ::testing::DoubleEq(2)));
  EXPECT_EQ(report.facts[0], train_name() +
                                 ": 4 photos for training, 4 with masks, 20 to 20 pixels wide and "
                                 "10 to 10 high");
}

TEST_F(CheckTest, MissingFiles) {
  std::filesystem::remove(folder_.mask_path("b"));
  std::filesystem::remove(folder_.mask_path("c"));
  EXPECT_THAT(check().errors, ElementsAre("no mask " + folder_.mask_path("b") + " of the photo " +
                                              folder_.photo_path("b"),
                                          "no mask " + folder_.mask_path("c") + " of the photo " +
                                              folder_.photo_path("c")));
  std::filesystem::remove(folder_.photo_path("a"));
  EXPECT_THAT(check().errors, ElementsAre(HasSubstr("no photo " + folder_.root())));
}

TEST_F(CheckTest, UnreadableFiles) {
  DataFolder::write_text(folder_.photo_path("b"), "this is not a picture");
  std::filesystem::resize_file(folder_.mask_path("c"), 60);
  EXPECT_THAT(check().errors, ElementsAre(HasSubstr(folder_.photo_path("b") + " is of no known"),
                                          HasSubstr(folder_.mask_path("c"))));
  DataFolder::write_text(folder_.photo_path("b"), "");
  EXPECT_THAT(check().errors[0], HasSubstr(folder_.photo_path("b") + " is empty"));
}

TEST_F(CheckTest, ManyOfAKindAreCounted) {
  std::vector<std::string> ids;
  for (int i = 0; i < 9; ++i) {
    ids.push_back("n" + std::to_string(i));
    folder_.photo(ids.back(), 20, 10, [](int, int) { return Rgb{5, 6, 7}; });
  }
  ids.push_back("a");
  folder_.list("train", ids);
  const DatasetReport report = check();
  ASSERT_EQ(report.errors.size(), 6u);
  EXPECT_EQ(report.errors[5], "... and 4 more photos without a mask in " + train_name());
}

TEST_F(CheckTest, AnotherSize) {
  folder_.mask("b", 10, 20, [](int x, int) { return x < 5 ? 0 : 1; });
  EXPECT_THAT(check().errors, ElementsAre(folder_.mask_path("b") + " has 10x20 pixels; its photo " +
                                          folder_.photo_path("b") + " has 20x10"));
}

TEST_F(CheckTest, ValuesOutOfRange) {
  for (const char* id : {"b", "c"}) {
    folder_.mask(id, 20, 10, [](int x, int) { return x < 5 ? 0 : x < 8 ? 7 : 255; });
  }
  EXPECT_THAT(check().errors,
              ElementsAre("2 masks of " + train_name() + " have the value 7 (60 pixels; first " +
                          folder_.mask_path("b") +
                          "); expected 0 to 1, or 255 for pixels that do not count"));
  EXPECT_EQ(check().ignored_pixels, 240);
}

TEST_F(CheckTest, ColoursThatMeanNothing) {
  folder_.colour_mask("b", 20, 10, [](int, int) { return Rgb{12, 34, 56}; });
  EXPECT_THAT(check().errors,
              ElementsAre(HasSubstr(folder_.mask_path("b") + ": colour (12, 34, 56) at x 0, y 0")));
  // VOC's own colours are ids: (128, 0, 0) is 1.
  folder_.colour_mask("b", 20, 10, [](int, int) { return Rgb{128, 0, 0}; });
  EXPECT_TRUE(check().ok());
}

TEST_F(CheckTest, ValuesWithoutALineInTheClassMap) {
  options_.training[0].class_map = std::make_shared<const ClassMap>(
      ClassMap::parse("0 = ground\n1 = thing\n", "classes.txt").value());
  EXPECT_TRUE(check().ok());
  EXPECT_THAT(check().facts, ::testing::Contains(HasSubstr("1 (thing)")));
  folder_.mask("b", 20, 10, [](int, int) { return 3; });
  EXPECT_THAT(check().errors, ElementsAre(folder_.mask_path("b") +
                                          ": value 3 at x 0, y 0 has no line in classes.txt"));
}

TEST_F(CheckTest, OneIdUnderTwoNames) {
  options_.class_names = {"ground", "thing"};
  options_.training[0].class_map = std::make_shared<const ClassMap>(
      ClassMap::parse("0 = ground\n1 = animal\n", "classes.txt").value());
  EXPECT_THAT(
      check().errors,
      ElementsAre("classes.txt calls class 1 'animal' and the list of class names 'thing'"));
}

TEST_F(CheckTest, AClassWithoutAPixel) {
  options_.class_count = 4;
  options_.class_names = {"ground", "thing", "cat"};
  EXPECT_THAT(check().errors, ElementsAre("no training mask has a pixel of class 2 (cat), 3"));
  options_.allow_missing_classes = true;
  const DatasetReport report = check();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("class 2 (cat), 3")));
  EXPECT_EQ(report.class_weights[2], 1);
}

TEST_F(CheckTest, BlackAndWhiteMasks) {
  for (const char* id : {"a", "b", "c", "d"}) {
    folder_.mask(id, 20, 10, [](int x, int) { return x < 15 ? 0 : 255; });
  }
  EXPECT_THAT(check().errors,
              ElementsAre(AllOf(HasSubstr(train_name() + ": all 4 masks hold 0 and 255 only"),
                                HasSubstr("--mask-map FILE")),
                          HasSubstr("pixel of class 1")));
  // Not a warning either if classes may be missing.
  options_.allow_missing_classes = true;
  EXPECT_THAT(check().errors, ElementsAre(HasSubstr("hold 0 and 255 only")));
  options_.allow_missing_classes = false;
  const auto map = [](const char* text) {
    return std::make_shared<const ClassMap>(ClassMap::parse(text, "classes.txt").value());
  };
  options_.training[0].class_map = map("0 = ground\n1 = thing\n");
  EXPECT_THAT(check().errors[0], HasSubstr("say in classes.txt which class 255 is: '255 = NAME'"));
  options_.training[0].class_map = map("0 = ground\n255 = thing\n");
  EXPECT_TRUE(check().ok());
}

TEST_F(CheckTest, PhotosListedTwice) {
  folder_.list("train", {"a", "b", "b", "c", "d"});
  EXPECT_THAT(check().warnings,
              ElementsAre(train_name() + " lists twice 1 photo, first " + folder_.photo_path("b")));
  folder_.list("train", {"a", "b"});
  folder_.list("more", {"b", "c"});
  options_.training.push_back(folder_.source("more"));
  EXPECT_THAT(check().warnings,
              ElementsAre("1 photo of " + folder_.root() + " (more) is in " + train_name() +
                          ", too, first " + folder_.photo_path("b")));
}

TEST_F(CheckTest, PhotosForTrainingAndValidation) {
  folder_.list("val", {"c", "x"});
  folder_.photo("x", 20, 10, [](int, int) { return Rgb{5, 6, 7}; });
  folder_.mask("x", 20, 10, [](int, int) { return 0; });
  options_.validation = {folder_.source("val")};
  const DatasetReport report = check();
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_THAT(report.warnings[0],
              HasSubstr("1 photo of " + folder_.root() + " (val) for validation"));
  EXPECT_THAT(report.warnings[0], HasSubstr(folder_.photo_path("c")));
  EXPECT_THAT(report.class_pixels, ElementsAre(600, 200));  // validation does not count

  // The same file under another id, through a folder of photos.
  options_.validation.clear();
  folder_.list("val", {"c"});
  options_.training = {folder_.source("val")};
  options_.training[0].split = "train";
  options_.validation = {{.root = folder_.root() + "/JPEGImages", .split = "none", .masks = false}};
  EXPECT_THAT(check().warnings, ElementsAre(HasSubstr("4 photos of ")));
}

TEST_F(CheckTest, SourcesThatCannotBeOpenedAreAllNamed) {
  folder_.list("empty", {});
  options_.training = {folder_.source("empty"), folder_.source("nothing")};
  options_.training.push_back({.root = folder_.root() + "/ImageSets", .masks = false});
  options_.training.push_back({.root = folder_.root() + "/no", .masks = false});
  EXPECT_THAT(check().errors,
              ElementsAre(HasSubstr("empty.txt"), HasSubstr("nothing"), HasSubstr("has no photo"),
                          HasSubstr("/no is not a folder")));
}

TEST_F(CheckTest, NothingToCheck) {
  options_.training.clear();
  EXPECT_THAT(check_datasets(options_).status().message(), HasSubstr("no source"));
  options_.training = {folder_.source()};
  options_.class_count = 0;
  EXPECT_THAT(check_datasets(options_).status().message(), HasSubstr("0 classes"));
}

TEST(ClassWeights, MedianFrequencyBalancing) {
  // f = 0.6, 0.1 (on a smaller set of photos), absent, 0.4: median 0.4.
  EXPECT_THAT(median_frequency_weights({600, 20, 0, 400}, {1000, 200, 0, 1000}),
              ElementsAre(::testing::DoubleEq(0.4 / 0.6), ::testing::DoubleEq(4), 1, 1));
}

TEST(CheckRealData, TheSharedSetsAreSound) {
  DEEPLAB_NEEDS_TEST_DATA();
  CheckOptions options;
  const std::string voc = deeplab::testing::test_data("voc2012");
  const std::string coco = deeplab::testing::test_data("coco_voc21");
  options.training = {{.root = voc, .split = "train"}, {.root = coco, .split = "train"}};
  options.validation = {{.root = voc, .split = "val"}, {.root = coco, .split = "val"}};
  const auto report = check_datasets(options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_THAT(report->errors, IsEmpty());
  EXPECT_THAT(report->warnings, IsEmpty());
  for (const int64_t pixels : report->class_pixels) EXPECT_GT(pixels, 0);
}

}  // namespace
}  // namespace deeplab::train
