// deeplab evaluate on parts of a real photo: scores, what they do not depend on, files that
// are wrong, and runs that are killed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "eval/predictor.h"
#include "imageio/reader.h"
#include "imageio/writer.h"
#include "tests/api/test_models.h"
#include "tests/apps/program.h"
#include "tests/html/markup.h"
#include "tests/test_data.h"
#include "vision/palette.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

bool full_tests() { return std::getenv("DEEPLAB_FULL_TESTS") != nullptr; }

void write_image(const std::string& path, const Result<imageio::EncodedImage>& image) {
  ASSERT_TRUE(image.ok()) << image.status().message();
  fs::create_directories(fs::path(path).parent_path());
  ASSERT_TRUE(write_file_atomically(path, *image).ok());
}

std::vector<uint8_t> label_pixels(const std::string& path) {
  const auto mask = imageio::read_label_png(path);
  EXPECT_TRUE(mask.ok()) << mask.status().message();
  return mask.ok() ? mask->pixels : std::vector<uint8_t>();
}

class Evaluate : public ::testing::Test {
 protected:
  /// Parts of a photo of a cat, with masks: a disc of cat where the cat is, unknown around it.
  void make_dataset(int32_t photos) {
    const auto cat = imageio::read_image(kCatPhoto);
    ASSERT_TRUE(cat.ok()) << cat.status().message();
    std::string ids;
    for (int32_t i = 0; i < photos; ++i) {
      ids_.push_back("cat_" + std::to_string(i));
      ids += ids_.back() + "\n";
      const int32_t left = 9 * i, top = 4 * i, width = cat->width - left,
                    height = cat->height - top;
      std::vector<uint8_t> pixels, labels;
      for (int32_t y = top; y < cat->height; ++y) {
        const auto row = cat->pixels.begin() + (ptrdiff_t{y} * cat->width + left) * 3;
        pixels.insert(pixels.end(), row, row + ptrdiff_t{width} * 3);
        for (int32_t x = left; x < cat->width; ++x) {
          const int32_t dx = x - 219, dy = y - 169;
          const int32_t distance = dx * dx + dy * dy;
          labels.push_back(distance < 80 * 80 ? 8 : distance < 95 * 95 ? 255 : 0);
        }
      }
      write_image(photo(ids_.back()), imageio::encode_jpeg(width, height, pixels, 90));
      write_image(mask(ids_.back()),
                  imageio::encode_png_indexed(width, height, labels, vision::kVocPalette));
    }
    set_list(ids);
  }
  void set_list(const std::string& ids) const {
    write_text(root_ + "/ImageSets/Segmentation/val.txt", ids);
  }
  std::string photo(const std::string& id) const { return root_ + "/JPEGImages/" + id + ".jpg"; }
  std::string mask(const std::string& id) const {
    return root_ + "/SegmentationClass/" + id + ".png";
  }

  /// evaluate ROOT -m MODEL --size 129 ...: small, so that it is quick.
  ProgramRun evaluate(const std::vector<std::string>& more, const RunOptions& options = {}) const {
    std::vector<std::string> arguments = {"evaluate", root_};
    const std::pair<std::string, std::string> defaults[] = {{"-m", model_}, {"--size", "129"}};
    for (const auto& [flag, value] : defaults) {
      if (std::ranges::find(more, flag) == more.end()) {
        arguments.insert(arguments.end(), {flag, value});
      }
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_deeplab(arguments, options);
  }
  json evaluate_json(std::vector<std::string> more) const {
    more.emplace_back("--json");
    const ProgramRun run = evaluate(more);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(run.err, IsEmpty());
    return json::parse(run.out, nullptr, false);
  }
  /// It fails with nothing on standard output, and one sentence.
  std::string error_of(const std::vector<std::string>& more) const {
    const ProgramRun run = evaluate(more);
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.out, IsEmpty());
    EXPECT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
    return run.err;
  }

  const TempDir dir_;
  const std::string root_ = dir_ / "voc";
  const std::string model_ = kUint8Labels;
  std::vector<std::string> ids_;
};

TEST(EvaluateUsage, HelpAndWrongFlags) {
  const ProgramRun help = run_deeplab({"evaluate", "--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* word : {"--split", "--fit", "--size", "--scales", "--flip", "--report",
                           "--predictions", "--resume", "--json", "--threads", "255"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
  const std::vector<std::vector<std::string>> wrong = {
      {"evaluate"},
      {"evaluate", "d", "--fit", "crop"},
      {"evaluate", "d", "--size", "0"},
      {"evaluate", "d", "--scales", ""},
      {"evaluate", "d", "--scales", "1,"},
      {"evaluate", "d", "--scales", "1,x"},
      {"evaluate", "d", "--scales", "0.05"},
      {"evaluate", "d", "--scales", "nan"},
      {"evaluate", "d", "--scales", "1,0.5,1"},
      {"evaluate", "d", "--threads", "-1"},
      {"evaluate", "d", "e"},
  };
  for (const auto& arguments : wrong) {
    const ProgramRun run = run_deeplab(arguments);
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_THAT(run.out, IsEmpty());
    EXPECT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  }
}

// ---- What comes out --------------------------------------------------------------------------

TEST_F(Evaluate, JsonIsTheContract) {
  make_dataset(5);
  const ProgramRun run = evaluate({"--json", "--fit", "letterbox", "--scales", "1,1.5", "--flip"});
  ASSERT_EQ(run.status, 0) << run.err;
  ASSERT_THAT(lines_of(run.out), SizeIs(1));
  const auto object = nlohmann::ordered_json::parse(run.out);
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  keys.resize(7);
  EXPECT_THAT(
      keys, ElementsAre("dataset", "split", "images", "fit", "miou", "pixel_accuracy", "classes"));
  EXPECT_EQ(object["dataset"], root_);
  EXPECT_EQ(object["split"], "val");
  EXPECT_EQ(object["images"], 5);
  EXPECT_EQ(object["failed"], 0);
  EXPECT_EQ(object["fit"], "letterbox");
  EXPECT_EQ(object["size"], "129x129");
  EXPECT_EQ(object["scales"], json::parse("[1.0, 1.5]"));
  EXPECT_EQ(object["flip"], true);
  ASSERT_THAT(object["classes"], SizeIs(21));
  EXPECT_EQ(object["classes"][12]["name"], "dog");

  // The numbers belong together: all of them follow from the confusion matrix.
  double sum = 0;
  int counted = 0;
  int64_t right = 0, all = 0;
  for (size_t id = 0; id < 21; ++id) {
    int64_t truth = 0, found = 0;
    for (size_t k = 0; k < 21; ++k) {
      truth += object["confusion"][id][k].get<int64_t>();
      found += object["confusion"][k][id].get<int64_t>();
    }
    const auto both = object["confusion"][id][id].get<int64_t>();
    const auto& of = object["classes"][id];
    EXPECT_EQ(of["pixels"], truth);
    EXPECT_EQ(of["predicted_pixels"], found);
    all += truth;
    right += both;
    if (truth == 0) {
      EXPECT_TRUE(of["iou"].is_null());
      continue;
    }
    EXPECT_DOUBLE_EQ(of["iou"],
                     static_cast<double>(both) / static_cast<double>(truth + found - both));
    sum += of["iou"].get<double>();
    ++counted;
  }
  EXPECT_EQ(object["miou_classes"], counted);
  EXPECT_DOUBLE_EQ(object["miou"], sum / counted);
  EXPECT_DOUBLE_EQ(object["pixel_accuracy"], static_cast<double>(right) / static_cast<double>(all));
  int64_t pixels = all + object["ignored_pixels"].get<int64_t>();
  for (const std::string& id : ids_) pixels -= std::ssize(label_pixels(mask(id)));
  EXPECT_EQ(pixels, 0);
}

TEST_F(Evaluate, TheTextSaysWhatIsCounted) {
  make_dataset(3);
  const ProgramRun run = evaluate({});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err, IsEmpty());
  EXPECT_THAT(run.out, AllOf(HasSubstr("3 photos"), HasSubstr("pad on a 129x129 canvas"),
                             HasSubstr("one scale, no flip"), HasSubstr("own size"),
                             HasSubstr("classes, those that occur in the masks"),
                             HasSubstr("background (id 0) included"),
                             HasSubstr("labelled 255 count nowhere"), HasSubstr("mean IoU "),
                             HasSubstr("pixel accuracy"), HasSubstr("mean class accuracy"),
                             HasSubstr("frequency-weighted IoU"), HasSubstr("boundary F")));
  EXPECT_THAT(evaluate({"--quiet"}).out, IsEmpty());
}

TEST_F(Evaluate, LabelMapsAreThoseOfSegmentAndScoreOneAgainstThemselves) {
  make_dataset(4);
  const std::string maps = dir_ / "maps";
  ASSERT_EQ(evaluate({"--predictions", maps, "--size", "257"}).status, 0);
  std::vector<std::string> expected;
  for (const std::string& id : ids_) expected.push_back(id + ".png");
  std::ranges::sort(expected);
  EXPECT_EQ(files_below(maps), expected);
  const ProgramRun segment = run_deeplab({"segment", root_ + "/JPEGImages", "-m", model_, "-o",
                                          dir_ / "segment", "--write", "mask", "--size", "257"});
  ASSERT_EQ(segment.status, 0) << segment.err;
  for (const std::string& id : ids_) {
    EXPECT_EQ(label_pixels(maps + "/" + id + ".png"),
              label_pixels(dir_ / ("segment/" + id + ".mask.png")));
    fs::copy_file(maps + "/" + id + ".png", mask(id), fs::copy_options::overwrite_existing);
  }
  const json object = evaluate_json({"--size", "257"});
  EXPECT_EQ(object["miou"], 1.0);
  EXPECT_EQ(object["pixel_accuracy"], 1.0);
  EXPECT_EQ(object["boundary_f"], 1.0);
  EXPECT_EQ(object["frequency_weighted_iou"], 1.0);
}

TEST_F(Evaluate, ThePageIsOneFileWithTheNumbersAndThePhotos) {
  make_dataset(5);
  const ProgramRun run = evaluate({"--json", "--report", dir_ / "page.html"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(lines_of(run.out), SizeIs(1));
  const std::string page = file_text(dir_ / "page.html");
  EXPECT_TRUE(html::testing::is_well_formed(page));
  EXPECT_TRUE(html::testing::stands_alone(page));
  EXPECT_EQ(html::testing::count_of(page, "<img"), 15u);  // 3 worst and 2 best, in threes
  for (const std::string& id : ids_) EXPECT_THAT(page, HasSubstr(id + ": mean IoU 0."));
  EXPECT_THAT(page, HasSubstr(fmt::format("{:.4f}", json::parse(run.out)["miou"].get<double>())));
  EXPECT_EQ(evaluate({"--json", "--report", "/dev/stdout"}).out, run.out + page);
}

// ---- What it does not depend on --------------------------------------------------------------

TEST_F(Evaluate, ThreadsDoNotMatter) {
  make_dataset(7);
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--json"}, {"--json", "--scales", "0.75,1", "--flip"}}) {
    std::vector<std::string> outputs, pages;
    for (const char* threads : {"1", "3", "8"}) {
      auto arguments = how;
      arguments.insert(arguments.end(), {"--threads", threads, "--report", dir_ / "page.html"});
      const ProgramRun run = evaluate(arguments);
      ASSERT_EQ(run.status, 0) << run.err;
      outputs.push_back(run.out);
      pages.push_back(file_text(dir_ / "page.html"));
    }
    EXPECT_EQ(outputs[0], outputs[1]);
    EXPECT_EQ(outputs[0], outputs[2]);
    EXPECT_EQ(pages[0], pages[2]);
  }
}

TEST_F(Evaluate, ColouredMasksAreTheSameMasks) {
  make_dataset(4);
  const std::string indexed = evaluate({"--json"}).out;
  for (const std::string& id : ids_) {
    const auto ids = imageio::read_label_png(mask(id));
    ASSERT_TRUE(ids.ok());
    std::vector<uint8_t> rgb;
    for (const uint8_t label : ids->pixels) {
      const Rgb c = vision::kVocPalette[label];
      rgb.insert(rgb.end(), {c.red, c.green, c.blue});
    }
    write_image(mask(id), imageio::encode_png_rgb(ids->width, ids->height, rgb));
  }
  EXPECT_EQ(evaluate({"--json"}).out, indexed);
}

TEST_F(Evaluate, EveryFitIsAnotherProtocol) {
  make_dataset(3);
  const auto confusion = [&](const char* fit) {
    const json object = evaluate_json({"--fit", fit});
    EXPECT_EQ(object["fit"], fit);
    return object["confusion"];
  };
  EXPECT_NE(confusion("pad"), confusion("letterbox"));
  EXPECT_NE(confusion("letterbox"), confusion("stretch"));
}

// ---- Scales and mirroring --------------------------------------------------------------------

TEST(ScaledSide, IsOddOverSixteen) {
  EXPECT_EQ(eval::scaled_side(513, 1), 513);
  EXPECT_EQ(eval::scaled_side(513, 0.5), 257);
  EXPECT_EQ(eval::scaled_side(513, 0.75), 385);
  EXPECT_EQ(eval::scaled_side(513, 1.25), 641);
  EXPECT_EQ(eval::scaled_side(513, 2), 1025);
  EXPECT_EQ(eval::scaled_side(500, 1), 500);  // the model's own side stays
  EXPECT_EQ(eval::scaled_side(500, 0.5), 257);
  EXPECT_EQ(eval::scaled_side(33, 0.1), 17);
}

class Predicting : public ::testing::Test {
 protected:
  std::vector<uint8_t> predict(const eval::Protocol& protocol, const imageio::Image& photo,
                               const std::string& model_file = kInt8FloatIo) {
    const auto model = api::Model::load(model_file);
    EXPECT_TRUE(model.ok()) << model.status().message();
    if (!model.ok()) return {};
    auto predictor = eval::Predictor::create(*model, protocol);
    EXPECT_TRUE(predictor.ok()) << predictor.status().message();
    if (!predictor.ok()) return {};
    const auto labels = (*predictor)->predict(photo);
    EXPECT_TRUE(labels.ok()) << labels.status().message();
    return labels.ok() ? *labels : std::vector<uint8_t>();
  }

  static imageio::Image cat() {
    auto photo = imageio::read_image(kCatPhoto);
    EXPECT_TRUE(photo.ok());
    return photo.ok() ? *photo : imageio::Image();
  }
};

double agreement(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  EXPECT_EQ(a.size(), b.size());
  int64_t same = 0;
  for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i];
  return static_cast<double>(same) / static_cast<double>(a.size());
}

TEST_F(Predicting, AMirroredPhotoGivesTheMirroredLabelsToTheLastPixel) {
  const imageio::Image photo = cat();
  imageio::Image mirrored = photo;
  const auto width = static_cast<size_t>(photo.width);
  for (size_t i = 0; i < photo.pixels.size() / 3; ++i) {
    const size_t from = i / width * width + (width - 1 - i % width);
    std::copy_n(&photo.pixels[3 * from], 3, &mirrored.pixels[3 * i]);
  }
  eval::Protocol protocol{vision::Fit::kStretch, 193, 129, {1, 1.5}, true};
  const auto labels = predict(protocol, photo);
  auto back = predict(protocol, mirrored);
  for (size_t y = 0; y < back.size() / width; ++y) {
    std::reverse(back.begin() + static_cast<ptrdiff_t>(y * width),
                 back.begin() + static_cast<ptrdiff_t>((y + 1) * width));
  }
  EXPECT_EQ(labels, back);
  // Without it a convolution network does not see the two alike.
  protocol.flip = false;
  auto one_sided = predict(protocol, mirrored);
  for (size_t y = 0; y < one_sided.size() / width; ++y) {
    std::reverse(one_sided.begin() + static_cast<ptrdiff_t>(y * width),
                 one_sided.begin() + static_cast<ptrdiff_t>((y + 1) * width));
  }
  EXPECT_NE(predict(protocol, photo), one_sided);
}

TEST_F(Predicting, APaddedPhotoGrowsWithItsScale) {
  // 1000x668 fills both canvases of 513x513, so that the two place it alike.
  const imageio::Image photo = cat();
  imageio::Image large = photo;
  large.width = large.original_width = 2 * photo.width;
  large.height = large.original_height = 2 * photo.height;
  large.pixels.clear();
  for (int32_t y = 0; y < large.height; ++y) {
    for (int32_t x = 0; x < large.width; ++x) {
      const auto at = static_cast<size_t>((y / 2 * photo.width + x / 2) * 3);
      large.pixels.insert(large.pixels.end(), &photo.pixels[at], &photo.pixels[at] + 3);
    }
  }
  const eval::Protocol twice{vision::Fit::kPad, 257, 257, {2}, false};
  const eval::Protocol once{vision::Fit::kPad, 513, 513, {1}, false};
  EXPECT_GE(agreement(predict(twice, large), predict(once, large)), 0.9999);
  // A small photo grows by the scale and no further: 200x133 to 400x266 on 513x513, which a canvas
  // of 401x401 would have done by letterbox.
  imageio::Image small;
  small.width = small.original_width = 200;
  small.height = small.original_height = 133;
  small.channels = 3;
  for (int32_t y = 0; y < small.height; ++y) {
    for (int32_t x = 0; x < small.width; ++x) {
      const auto at = static_cast<size_t>((y * 5 * large.width + x * 5) * 3);
      small.pixels.insert(small.pixels.end(), &large.pixels[at], &large.pixels[at] + 3);
    }
  }
  const auto plain = predict(once, small);
  const auto grown = predict(twice, small);
  EXPECT_LT(agreement(plain, grown), 0.999);
  const eval::Protocol letterbox{vision::Fit::kLetterbox, 401, 401, {1}, false};
  EXPECT_GT(agreement(grown, predict(letterbox, small)), agreement(plain, grown));
}

TEST_F(Predicting, TheMeanOfOneScaleIsThatScale) {
  // Not byte for byte: an arg-max of probabilities may round a tie of scores the other way.
  eval::Protocol protocol{vision::Fit::kPad, 257, 257, {1}, false};
  const imageio::Image photo = cat();
  const auto plain = predict(protocol, photo);
  protocol.scales = {1.0000001};  // no plain protocol any more, but the same canvas
  ASSERT_EQ(eval::scaled_side(257, protocol.scales[0]), 257);
  EXPECT_GE(agreement(plain, predict(protocol, photo)), 0.9999);
}

// ---- What can be wrong -----------------------------------------------------------------------

TEST_F(Evaluate, DatasetErrorsNameTheFile) {
  make_dataset(2);
  EXPECT_THAT(error_of({"--split", "test"}), AllOf(HasSubstr("'test'"), HasSubstr("are: val")));
  set_list("");
  EXPECT_THAT(error_of({}), HasSubstr("val.txt lists no photo"));
  set_list(ids_[0] + "\nmissing\n");
  EXPECT_THAT(error_of({}), HasSubstr("JPEGImages/missing"));
  set_list(ids_[0] + "\n" + ids_[0] + "\n");
  EXPECT_THAT(error_of({}), AllOf(HasSubstr(ids_[0]), HasSubstr("twice")));
  set_list(ids_[0] + "\n" + ids_[1] + "\n");
  fs::remove(mask(ids_[1]));
  EXPECT_THAT(error_of({}), HasSubstr(mask(ids_[1])));
  const ProgramRun nowhere = run_deeplab({"evaluate", dir_ / "nowhere", "-m", model_});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere"));
}

TEST_F(Evaluate, APhotoThatFailsIsNamedAndTheOthersCount) {
  make_dataset(4);
  write_text(photo(ids_[1]), "no photo");
  const auto size = label_pixels(mask(ids_[2])).size();
  write_image(mask(ids_[2]),
              imageio::encode_png_gray(static_cast<int32_t>(size), 1, std::vector<uint8_t>(size)));
  std::vector<uint8_t> rgb(3 * size, 77);
  rgb[1] = 78;
  write_image(mask(ids_[3]), imageio::encode_png_rgb(static_cast<int32_t>(size), 1, rgb));
  const ProgramRun run = evaluate({"--json"});
  EXPECT_EQ(run.status, 1);
  const auto errors = lines_of(run.err);
  ASSERT_THAT(errors, SizeIs(3)) << run.err;
  EXPECT_THAT(errors[0], HasSubstr(photo(ids_[1])));
  EXPECT_THAT(errors[1], AllOf(HasSubstr(mask(ids_[2])), HasSubstr("its photo")));
  EXPECT_THAT(errors[2], AllOf(HasSubstr(mask(ids_[3])), HasSubstr("(77, 78, 77) at x 0, y 0")));
  json object = json::parse(run.out);
  EXPECT_EQ(object["images"], 1);
  EXPECT_EQ(object["failed"], 3);
  set_list(ids_[0] + "\n");
  json alone = evaluate_json({});
  for (const char* key : {"failed"}) object.erase(key), alone.erase(key);
  EXPECT_EQ(object, alone);

  // Nothing at all: no numbers, only errors.
  set_list(ids_[1] + "\n" + ids_[2] + "\n");
  const ProgramRun none = evaluate({"--json"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.out, IsEmpty());
  EXPECT_THAT(lines_of(none.err), SizeIs(2));
}

TEST_F(Evaluate, ClassesThatTheModelDoesNotHaveStopTheRun) {
  make_dataset(6);
  for (const size_t wrong : {size_t{2}, size_t{4}}) {
    auto ids = label_pixels(mask(ids_[wrong]));
    const auto image = imageio::read_label_png(mask(ids_[wrong]));
    ASSERT_TRUE(image.ok());
    ids[5] = static_cast<uint8_t>(30 + wrong);
    write_image(mask(ids_[wrong]), imageio::encode_png_gray(image->width, image->height, ids));
  }
  for (const char* threads : {"1", "4"}) {  // always the first one of the list
    EXPECT_THAT(error_of({"--threads", threads}),
                AllOf(HasSubstr(mask(ids_[2])), HasSubstr("class id 32 at x 5, y 0"),
                      HasSubstr("0 to 20"), HasSubstr(model_)));
  }
}

TEST_F(Evaluate, OutputsThatCannotBeAreRefusedBeforeTheWork) {
  make_dataset(2);
  EXPECT_THAT(error_of({"--predictions", root_ + "/SegmentationClass"}),
              HasSubstr("SegmentationClass"));
  EXPECT_THAT(error_of({"--report", dir_ / "no/such/page.html"}), HasSubstr("no/such"));
  EXPECT_THAT(error_of({"--resume", dir_ / "no/such/state"}), HasSubstr("no/such/state"));
  write_text(dir_ / "file", "x");
  EXPECT_THAT(error_of({"--predictions", dir_ / "file"}), HasSubstr(dir_ / "file"));
}

// ---- A run that is stopped -------------------------------------------------------------------

TEST_F(Evaluate, AKilledRunGoesOnAndGivesTheSame) {
  make_dataset(40);
  const std::vector<std::string> how = {"--json",   "--size",          "513",       "--scales",
                                        "1,1.25",   "--flip",          "--threads", "2",
                                        "--report", dir_ / "page.html"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), how.begin(), how.end());
    return more;
  };
  const ProgramRun whole = evaluate(how);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string page = file_text(dir_ / "page.html");

  const std::string state = dir_ / "state.json";
  const std::string maps = dir_ / "maps";
  const auto arguments = with({"--resume", state, "--predictions", maps});
  RunOptions options;
  options.kill_when = [&] { return file_text(state).find("\"cells\"") != std::string::npos; };
  const ProgramRun killed = evaluate(arguments, options);
  if (killed.signal != 0) {  // else the machine was faster than its second
    EXPECT_EQ(killed.signal, SIGKILL);
    EXPECT_THAT(killed.out, IsEmpty());
  }
  const json kept = json::parse(file_text(state));
  ASSERT_GE(kept["photos"].size(), 1u);
  std::map<std::string, fs::file_time_type> made;
  for (const json& one : kept["photos"]) {
    const std::string map = maps + "/" + one["id"].get<std::string>() + ".png";
    made[map] = fs::last_write_time(map);
  }

  const ProgramRun resumed = evaluate(arguments);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(resumed.out, whole.out);
  EXPECT_EQ(file_text(dir_ / "page.html"), page);
  for (const auto& [map, time] : made) {
    EXPECT_EQ(fs::last_write_time(map), time) << map << " was made twice";
  }
  EXPECT_EQ(json::parse(file_text(state))["photos"].size(), ids_.size());
  EXPECT_EQ(evaluate(arguments).out, whole.out);  // all from the state
}

TEST_F(Evaluate, AStateMayHaveAnyPartOfThePhotos) {
  make_dataset(6);
  const std::string state = dir_ / "state.json";
  const std::string maps = dir_ / "maps";
  const std::vector<std::string> arguments = {"--json", "--resume", state, "--predictions", maps};
  const ProgramRun whole = evaluate(arguments);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const json full = json::parse(file_text(state));
  for (const size_t kept : {0, 1, 3, 5}) {
    json part = full;
    while (part["photos"].size() > kept) part["photos"].erase(part["photos"].size() / 2);
    write_text(state, part.dump());
    EXPECT_EQ(evaluate(arguments).out, whole.out) << kept;
  }
  // A label map that was taken away comes back.
  fs::remove(maps + "/" + ids_[3] + ".png");
  EXPECT_EQ(evaluate(arguments).out, whole.out);
  EXPECT_TRUE(fs::exists(maps + "/" + ids_[3] + ".png"));
}

TEST_F(Evaluate, APhotoThatFailedIsTriedAgain) {
  make_dataset(3);
  const std::string state = dir_ / "state.json";
  const std::string good = file_text(photo(ids_[1]));
  const std::string whole = evaluate({"--json"}).out;
  write_text(photo(ids_[1]), "no photo");
  EXPECT_EQ(evaluate({"--json", "--resume", state}).status, 1);
  EXPECT_EQ(json::parse(file_text(state))["photos"].size(), 2u);
  write_text(photo(ids_[1]), good);
  EXPECT_EQ(evaluate({"--json", "--resume", state}).out, whole);
}

TEST_F(Evaluate, APhotoWhoseFilesHaveChangedIsMeasuredAgain) {
  make_dataset(3);
  const std::string state = dir_ / "state.json";
  ASSERT_EQ(evaluate({"--resume", state}).status, 0);
  const auto image = imageio::read_label_png(mask(ids_[1]));
  ASSERT_TRUE(image.ok());
  const std::vector<uint8_t> other(image->pixels.size(), 7);
  write_image(mask(ids_[1]), imageio::encode_png_gray(image->width, image->height, other));
  EXPECT_EQ(evaluate({"--json", "--resume", state}).out, evaluate({"--json"}).out);
  // And the list may change: what it still holds is not measured again.
  set_list(ids_[2] + "\n" + ids_[0] + "\n");
  EXPECT_EQ(evaluate({"--json", "--resume", state}).out, evaluate({"--json"}).out);
}

TEST_F(Evaluate, AStateOfAnotherRunIsRefusedByName) {
  make_dataset(2);
  const std::string state = dir_ / "state.json";
  ASSERT_EQ(evaluate({"--resume", state}).status, 0);
  const std::string good = file_text(state);
  const auto refused = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--resume", state});
    const std::string error = error_of(more);
    EXPECT_THAT(error, AllOf(HasSubstr(state), HasSubstr("delete it or name another file")));
    EXPECT_EQ(file_text(state), good);  // it may be worth something
    return error;
  };
  EXPECT_THAT(refused({"--fit", "stretch"}), HasSubstr("--fit: pad then, stretch now"));
  EXPECT_THAT(refused({"--size", "161"}), HasSubstr("--size: 129x129 then, 161x161 now"));
  EXPECT_THAT(refused({"--scales", "1,1.5"}), HasSubstr("--scales: 1 then, 1,1.5 now"));
  EXPECT_THAT(refused({"--flip"}), HasSubstr("--flip: off then, on now"));
  EXPECT_THAT(refused({"--predictions", dir_ / "maps"}), HasSubstr("--predictions: none then"));
  EXPECT_THAT(refused({"-m", kInt8Labels}), HasSubstr("model"));
  fs::copy_file(root_ + "/ImageSets/Segmentation/val.txt",
                root_ + "/ImageSets/Segmentation/other.txt");
  EXPECT_THAT(refused({"--split", "other"}), HasSubstr("split: val then, other now"));
}

TEST_F(Evaluate, AFileThatIsNoStateIsRefused) {
  make_dataset(2);
  const std::string state = dir_ / "state.json";
  ASSERT_EQ(evaluate({"--resume", state}).status, 0);
  const std::string good = file_text(state);
  std::vector<std::string> bad = {"", "[]", "{}", "null", "text", good.substr(0, good.size() / 2)};
  const auto with = [&good](auto change) {
    json object = json::parse(good);
    change(object);
    return object.dump();
  };
  bad.push_back(with([](json& o) { o["format"] = "deeplab evaluate 0"; }));
  bad.push_back(with([](json& o) { o["photos"][0]["id"] = 2; }));
  bad.push_back(with([](json& o) { o["photos"][0]["cells"][0][0] = -1; }));
  bad.push_back(with([](json& o) { o["photos"][0]["cells"][0][2] = 0.5; }));
  bad.push_back(with([](json& o) { o["photos"][0]["cells"][0][1] = 21; }));
  bad.push_back(with([](json& o) { o["photos"][0]["cells"][0] = json::array(); }));
  bad.push_back(with([](json& o) { o["photos"][0]["ignored"] = "12"; }));
  bad.push_back(with([](json& o) { o["photos"][0].erase("boundary"); }));
  bad.push_back(with([](json& o) { o["made_with"].erase("model"); }));
  for (const std::string& text : bad) {
    write_text(state, text);
    EXPECT_THAT(error_of({"--resume", state}), HasSubstr(state)) << text;
    EXPECT_EQ(file_text(state), text);
  }
  EXPECT_THAT(error_of({"--resume", dir_.path().string()}), HasSubstr(dir_.path().string()));
}

// ---- The peers' numbers ----------------------------------------------------------------------

struct Peer {
  const char* model;
  const char* dataset;
  size_t images;
  double miou;  ///< TensorFlow Lite's with XNNPACK; see the test data's README.
  double pixel_accuracy;
};

const Peer kPeers[] = {
    {"models/deeplabv3_mnv2_dm05_pascal_quant.tflite", "voc2012", 400, 0.6845, 0.9300},
    {"models/deeplabv3_mnv2_dm05_pascal_quant.tflite", "coco_voc21", 100, 0.4479, 0.8769},
    {"models/deeplabv3_mnv2_dm05_int8_f32io.tflite", "voc2012", 400, 0.6883, 0.9298},
    {"models/deeplabv3_mnv2_dm05_int8_f32io.tflite", "coco_voc21", 100, 0.4429, 0.8778},
    {"models/deeplabv3_mnv2_pascal_quant.tflite", "voc2012", 400, 0.7332, 0.9420},
    {"models/deeplabv3_mnv2_pascal_quant.tflite", "coco_voc21", 100, 0.5480, 0.9054}};

void expect_reproduced(const Peer& peer) {
  const ProgramRun run =
      run_deeplab({"evaluate", test_data(peer.dataset), "-m", test_data(peer.model), "--split",
                   "val", "--fit", "pad", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json object = json::parse(run.out);
  std::printf("%s on %s: mIoU %.4f (peer %.4f), pixel accuracy %.4f (peer %.4f), boundary F %.4f\n",
              peer.model, peer.dataset, object["miou"].get<double>(), peer.miou,
              object["pixel_accuracy"].get<double>(), peer.pixel_accuracy,
              object["boundary_f"].get<double>());
  EXPECT_EQ(object["images"], peer.images);
  EXPECT_NEAR(object["miou"], peer.miou, 0.003);
  EXPECT_NEAR(object["pixel_accuracy"], peer.pixel_accuracy, 0.003);
}

// All of them with DEEPLAB_FULL_TESTS=1, else the first.
TEST(PeersNumbers, AreReproduced) {
  DEEPLAB_NEEDS_TEST_DATA();
  for (const Peer& peer : kPeers) {
    expect_reproduced(peer);
    if (!full_tests()) break;
  }
}

}  // namespace
}  // namespace deeplab::testing
