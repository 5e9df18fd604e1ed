// Datasets as other tools export them, and what the command line may say of a model that its file
// does not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "imageio/writer.h"
#include "tests/apps/program.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int32_t kSide = 33;
constexpr int32_t kCat = 8;

void write_image(const std::string& path, const Result<imageio::EncodedImage>& image) {
  ASSERT_TRUE(image.ok()) << image.status().message();
  fs::create_directories(fs::path(path).parent_path());
  ASSERT_TRUE(write_file_atomically(path, *image).ok());
}

/// A photo of one colour per dataset, and masks with a square of an object in the middle.
class Dataset : public ::testing::Test {
 protected:
  void photo(const std::string& name) const {
    std::vector<uint8_t> rgb;
    for (int32_t i = 0; i < kSide * kSide; ++i) {
      rgb.insert(rgb.end(), {static_cast<uint8_t>(i % 251), static_cast<uint8_t>(i / 7 % 256), 90});
    }
    write_image(root_ + "/JPEGImages/" + name, name.ends_with(".jpg")
                                                   ? imageio::encode_jpeg(kSide, kSide, rgb, 90)
                                                   : imageio::encode_png_rgb(kSide, kSide, rgb));
  }
  static bool is_object(int32_t i) {
    const int32_t x = i % kSide, y = i / kSide;
    return x >= 10 && x < 20 && y >= 10 && y < 20;
  }
  void grey_mask(const std::string& name, uint8_t object) const {
    std::vector<uint8_t> ids;
    for (int32_t i = 0; i < kSide * kSide; ++i) ids.push_back(is_object(i) ? object : 0);
    write_image(root_ + "/SegmentationClass/" + name, imageio::encode_png_gray(kSide, kSide, ids));
  }
  void rgb_mask(const std::string& name, Rgb object) const {
    std::vector<uint8_t> rgb;
    for (int32_t i = 0; i < kSide * kSide; ++i) {
      const Rgb c = is_object(i) ? object : Rgb{0, 0, 0};
      rgb.insert(rgb.end(), {c.red, c.green, c.blue});
    }
    write_image(root_ + "/SegmentationClass/" + name, imageio::encode_png_rgb(kSide, kSide, rgb));
  }
  void list(const std::string& text, const std::string& split = "val") const {
    write_text(root_ + "/ImageSets/Segmentation/" + split + ".txt", text);
  }
  ProgramRun evaluate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"evaluate", root_, "-m", kUint8Labels, "--size", "65"});
    return run_deeplab(more);
  }
  /// Pixels of a class in the masks as `evaluate` counts them.
  int64_t truth_of(int32_t id, std::vector<std::string> more = {}) const {
    more.emplace_back("--json");
    const ProgramRun run = evaluate(more);
    EXPECT_EQ(run.status, 0) << run.err;
    const json object = json::parse(run.out, nullptr, false);
    return object.is_discarded()
               ? -1
               : object["classes"][static_cast<size_t>(id)]["pixels"].get<int64_t>();
  }

  /// A sample model with other metadata.
  std::string model_with(const std::vector<std::string>& labels, bool normalization) const {
    const auto bytes = read_file(kUint8Labels, int64_t{1} << 30);
    auto file = tflite::read_model(*bytes, kUint8Labels);
    EXPECT_TRUE(file.ok()) << file.status().message();
    file->metadata.labels = labels;
    if (!normalization) file->metadata.normalization.reset();
    const auto written = tflite::write_model(*file);
    EXPECT_TRUE(written.ok()) << written.status().message();
    std::string path = dir_ / "model.tflite";
    EXPECT_TRUE(write_file_atomically(path, *written).ok());
    return path;
  }

  const TempDir dir_;
  const std::string root_ = dir_ / "data";
};

// ---- What masks hold -------------------------------------------------------------------------

TEST_F(Dataset, BlackAndWhiteMasksAreNeverScored) {
  photo("1.png");
  grey_mask("1.png", 255);
  list("1\n");
  ProgramRun run = evaluate({});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.out, IsEmpty());
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err,
              AllOf(HasSubstr(root_), HasSubstr("0 and 255 only"), HasSubstr("--mask-map")));
  // White pixels in colour are the same.
  rgb_mask("1.png", {255, 255, 255});
  EXPECT_THAT(evaluate({}).err, HasSubstr("0 and 255 only"));
  // quantize reads masks, too.
  run = run_deeplab({"quantize", kFloat257, "--calibration", root_ + "/JPEGImages", "-o",
                     dir_ / "q.tflite", "--validate", root_, "--photos", "1"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("0 and 255 only"), HasSubstr("--mask-map")));
  // A map that does not say what 255 is does not help.
  write_text(dir_ / "map.txt", "0 = background\n1 = cat\n");
  run = evaluate({"--mask-map", dir_ / "map.txt"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("map.txt"), HasSubstr("255 = NAME")));
  write_text(dir_ / "map.txt", "0 = background\n255 = cat\n");
  EXPECT_EQ(truth_of(kCat, {"--mask-map", dir_ / "map.txt"}), 100);
}

TEST_F(Dataset, AMaskMapGivesValuesTheModelsClasses) {
  photo("1.png");
  list("1\n");
  grey_mask("1.png", 113);
  EXPECT_THAT(evaluate({}).err, AllOf(HasSubstr("class id 113"), HasSubstr("--mask-map FILE")));
  write_text(dir_ / "map.txt", "0 = background\n113 = Cat\n");
  EXPECT_EQ(truth_of(kCat, {"--mask-map", dir_ / "map.txt"}), 100);
  write_text(dir_ / "map.txt", "0 = 0\n113 = 12\n");
  EXPECT_EQ(truth_of(12, {"--mask-map", dir_ / "map.txt"}), 100);
  write_text(dir_ / "map.txt", "0 = soil\n113 = leaf\n");
  const ProgramRun none = evaluate({"--mask-map", dir_ / "map.txt"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("map.txt"), HasSubstr("soil, leaf")));
  EXPECT_THAT(evaluate({"--mask-map", dir_ / "none.txt"}).err, HasSubstr("none.txt"));
}

TEST_F(Dataset, CvatsLabelMapExplainsColours) {
  photo("1.png");
  list("1\n", "default");
  rgb_mask("1.png", {250, 50, 83});
  const std::string map = root_ + "/labelmap.txt";
  write_text(map, "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:250,50,83::\n");
  EXPECT_THAT(evaluate({}).err, AllOf(HasSubstr("there are: default"), HasSubstr("'all'")));
  const ProgramRun run = evaluate({"--split", "default"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("(250, 50, 83)"), HasSubstr("add --mask-map " + map)));
  EXPECT_EQ(truth_of(kCat, {"--split", "default", "--mask-map", map}), 100);
  EXPECT_EQ(evaluate({"--split", "default", "--mask-map", map, "--report", dir_ / "r.html"}).status,
            0);
}

TEST_F(Dataset, AStateBelongsToItsMaskMap) {
  photo("1.png");
  list("1\n");
  grey_mask("1.png", 8);
  const std::string state = dir_ / "state.json";
  ASSERT_EQ(evaluate({"--resume", state}).status, 0);
  write_text(dir_ / "map.txt", "0 = background\n8 = dog\n");
  const ProgramRun other = evaluate({"--resume", state, "--mask-map", dir_ / "map.txt"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("another --mask-map"));
  // One of a version without maps is still good.
  json old = json::parse(file_text(state));
  old["made_with"].erase("--mask-map");
  old["made_with"].erase("--strict");
  write_text(state, old.dump());
  EXPECT_EQ(evaluate({"--resume", state}).status, 0);
}

TEST_F(Dataset, ADamagedPhotoIsCountedWithAWarningOrRefused) {
  photo("1.png");
  grey_mask("1.png", kCat);
  photo("2.jpg");
  grey_mask("2.png", kCat);
  list("1\n2\n");
  const std::string cut = root_ + "/JPEGImages/2.jpg";
  fs::resize_file(cut, fs::file_size(cut) - 60);  // well after the header
  const std::string state = dir_ / "state.json";
  const ProgramRun run = evaluate({"--resume", state});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, AllOf(HasSubstr("warning: " + cut), HasSubstr("--strict refuses it")));
  const ProgramRun strict = evaluate({"--strict"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_THAT(strict.err, HasSubstr(cut));
  const ProgramRun resumed = evaluate({"--resume", state, "--strict"});
  EXPECT_EQ(resumed.status, 1);
  EXPECT_THAT(resumed.err, HasSubstr("another --strict"));
}

TEST_F(Dataset, GreyInColourAndSixteenBitsHoldIds) {
  photo("1.png");
  list("1\n");
  rgb_mask("1.png", {kCat, kCat, kCat});
  EXPECT_EQ(truth_of(kCat), 100);
  std::vector<uint16_t> deep;
  for (int32_t i = 0; i < kSide * kSide; ++i) deep.push_back(is_object(i) ? kCat : 0);
  write_image(root_ + "/SegmentationClass/1.png", imageio::encode_png_gray16(kSide, kSide, deep));
  EXPECT_EQ(truth_of(kCat), 100);
}

// ---- Which photos ----------------------------------------------------------------------------

TEST_F(Dataset, FilesAreFoundHoweverTheyAreCalled) {
  photo("1.JPG");  // what it is, its content says
  photo("2.Png");
  photo("3.BMP");
  for (const char* mask : {"1.PNG", "2.png", "3.png"}) grey_mask(mask, kCat);
  list("1.jpg\n2\n3.bmp\n");
  EXPECT_EQ(truth_of(kCat), 300);
}

TEST_F(Dataset, AllTakesEveryPairAndSaysWhatItLeftOut) {
  photo("1.png");
  photo("2.png");
  grey_mask("1.png", kCat);
  const ProgramRun none = evaluate({});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("2 photos in JPEGImages"), HasSubstr("1 mask in "),
                              HasSubstr("val.txt"), HasSubstr("'all'")));
  const ProgramRun run = evaluate({"--split", "all"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err,
              HasSubstr("1 pairs; left out: photos without a mask 1, masks without a photo 0"));
  EXPECT_THAT(evaluate({"--split", "all", "--quiet"}).err, IsEmpty());
}

// ---- What the model's file does not say -------------------------------------------------------

TEST_F(Dataset, EveryCommandHasTheSameModelFlags) {
  const auto flag_lines = [](const char* command) {
    std::vector<std::string> found;
    for (const std::string& line : lines_of(run_deeplab({command, "--help"}).out)) {
      for (const char* flag : {"  --mean ", "  --std ", "  --input-range ", "  --labels "}) {
        if (line.starts_with(flag)) found.push_back(line);
      }
    }
    return found;
  };
  const std::vector<std::string> expected = flag_lines("segment");
  EXPECT_THAT(expected, SizeIs(4));
  for (const char* command : {"run", "compare", "bench", "evaluate", "quantize"}) {
    EXPECT_EQ(flag_lines(command), expected) << command;
  }
}

TEST_F(Dataset, WrongModelFlagsAreUsage) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--mean", "1,2"},
                                             {"--mean", "x"},
                                             {"--mean", "nan"},
                                             {"--std", "0"},
                                             {"--std", "-1"},
                                             {"--std", "1,2,inf"},
                                             {"--input-range", "1"},
                                             {"--input-range", "1,0"},
                                             {"--input-range", "0,0"},
                                             {"--input-range", "0,1,2"},
                                             {"--input-range", "a,b"}}) {
    const ProgramRun run = evaluate(wrong);
    EXPECT_EQ(run.status, 2) << wrong[1];
    EXPECT_THAT(run.out, IsEmpty());
    EXPECT_THAT(run.err, HasSubstr(wrong[0]));
  }
}

TEST_F(Dataset, AnInputRangeIsAMeanAndADeviation) {
  photo("1.png");
  const auto mask = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"segment",    kCatPhoto, "-m",   kFloat257, "-o",
                                          dir_ / "out", "--write", "mask", "--size",  "129"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProgramRun run = run_deeplab(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    return file_text(dir_ / "out/cat.mask.png");
  };
  const std::string own = mask({});
  EXPECT_EQ(mask({"--input-range", "-1,1"}), own);
  const std::string unit = mask({"--input-range", "0,1"});
  EXPECT_NE(unit, own);
  EXPECT_EQ(mask({"--mean", "0", "--std", "255"}), unit);
  EXPECT_EQ(mask({"--input-range", "0,1", "--mean", "0.5", "--std", "0.5"}), own);
  EXPECT_EQ(mask({"--input-range", "0,255", "--mean", "127.5", "--std", "127.5"}), own);
}

TEST_F(Dataset, EvaluateRunsWithTheGivenInputRange) {
  photo("1.png");
  list("1\n");
  grey_mask("1.png", kCat);
  const auto predicted = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"evaluate", root_, "-m",    kFloat257,
                                          "--size",   "65",  "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProgramRun run = run_deeplab(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    return json::parse(run.out, nullptr, false)["confusion"];
  };
  EXPECT_EQ(predicted({"--input-range", "-1,1"}), predicted({}));
  EXPECT_EQ(predicted({"--input-range", "0,1"}), predicted({"--mean", "0", "--std", "255"}));
}

TEST_F(Dataset, MetadataWithTheWrongNumberOfLabelsIsNamed) {
  const std::string model = model_with({"background", "cat"}, true);
  ProgramRun run = run_deeplab({"segment", kCatPhoto, "-m", model, "-o", dir_ / "out"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr(model), HasSubstr("names 2 classes"), HasSubstr("has 21"),
                             HasSubstr("the option 'labels'")));
  std::string labels = "\xEF\xBB\xBF";
  for (int id = 0; id < 21; ++id) labels += fmt::format("label{}\n", id);
  write_text(dir_ / "labels.txt", labels);
  photo("1.png");
  list("1\n");
  grey_mask("1.png", kCat);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"segment", kCatPhoto, "-o", dir_ / "out", "--json"}, {"evaluate", root_, "--json"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(),
                     {"-m", model, "--size", "65", "--labels", dir_ / "labels.txt"});
    run = run_deeplab(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("\"label0\""));
  }
  write_text(dir_ / "labels.txt", "one\ntwo\n");
  run = run_deeplab({"evaluate", root_, "-m", kUint8Labels, "--labels", dir_ / "labels.txt"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("labels.txt: expected 21 labels, one per line, found 2")));
}

TEST_F(Dataset, AMaskOfOneClassWithoutNormalizationIsAWarning) {
  std::vector<uint8_t> grey(3 * kSide * kSide, 127);
  write_image(root_ + "/JPEGImages/1.png", imageio::encode_png_rgb(kSide, kSide, grey));
  grey_mask("1.png", kCat);
  list("1\n");
  const std::string silent = model_with({}, false);
  const auto run_with = [&](const std::string& model, std::vector<std::string> command) {
    command.insert(command.end(), {"-m", model, "--size", "65"});
    const ProgramRun run = run_deeplab(command);
    EXPECT_EQ(run.status, 0) << run.err;
    return run.err;
  };
  const auto warns = AllOf(HasSubstr("warning: every photo is"), HasSubstr("--input-range"),
                           HasSubstr("--mean"), HasSubstr("--std"));
  const std::vector<std::string> evaluate = {"evaluate", root_};
  const std::vector<std::string> segment = {"segment", root_ + "/JPEGImages", "-o", dir_ / "out"};
  for (std::vector<std::string> command : {evaluate, segment}) {
    EXPECT_THAT(run_with(silent, command), warns);
    EXPECT_THAT(run_with(kUint8Labels, command), IsEmpty());  // its file says
    command.insert(command.end(), {"--mean", "127.5", "--std", "127.5"});
    EXPECT_THAT(run_with(silent, command), IsEmpty());
    command.resize(command.size() - 4);
    command.emplace_back("--quiet");
    EXPECT_THAT(run_with(silent, command), IsEmpty());
  }
}

// ---- What people brought ---------------------------------------------------------------------

TEST(DatasetFaults, EachIsReadOrRefusedByName) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::string folder = test_data("faults/datasets/");
  const auto evaluate = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), {"evaluate", folder + name, "--json"});
    return run_deeplab(more);
  };
  if (!fs::exists(folder)) GTEST_SKIP() << "skipped: no test data at " << folder;
  const ProgramRun binary = evaluate("binary_0_255", {});
  EXPECT_EQ(binary.status, 1);
  EXPECT_THAT(binary.err, HasSubstr("--mask-map"));
  EXPECT_EQ(evaluate("mask16", {}).status, 0);
  EXPECT_EQ(evaluate("upper_case_JPG", {}).status, 0);
  const std::string cvat = "cvat_segmentation_mask_1_1";
  EXPECT_EQ(evaluate(cvat, {}).status, 1);
  const ProgramRun mapped =
      evaluate(cvat, {"--split", "default", "--mask-map", folder + cvat + "/labelmap.txt"});
  EXPECT_EQ(mapped.status, 0) << mapped.err;
}

}  // namespace
}  // namespace deeplab::testing
