// deeplab segment on a real photo: files, lines, JSON, and photos that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "imageio/reader.h"
#include "imageio/writer.h"
#include "tests/apps/program.h"
#include "tests/samples/samples.h"
#include "vision/palette.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int32_t kCatWidth = 500;
constexpr int32_t kCatHeight = 334;
constexpr uint8_t kCatId = 8;

class Segment : public ::testing::Test {
 protected:
  /// segment ... -m MODEL -o OUT
  ProgramRun segment(std::vector<std::string> arguments, const RunOptions& options = {}) const {
    arguments.insert(arguments.begin(), "segment");
    arguments.insert(arguments.end(), {"-m", model_, "-o", out()});
    return run_deeplab(arguments, options);
  }
  std::string out(const std::string& name = "") const {
    return name.empty() ? dir_ / "out" : dir_ / ("out/" + name);
  }
  /// A copy of the cat under another name.
  std::string cat_as(const std::string& name) const {
    const std::string path = dir_ / name;
    fs::create_directories(fs::path(path).parent_path());
    fs::copy_file(cat_, path);
    return path;
  }

  const TempDir dir_;
  const std::string model_ = kUint8Labels;
  const std::string cat_ = kCatPhoto;
};

imageio::Image read_photo(const std::string& path, bool keep_alpha = false) {
  imageio::ReadOptions options;
  options.keep_alpha = keep_alpha;
  auto image = imageio::read_image(path, options);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return image.ok() ? *image : imageio::Image();
}

imageio::Image read_mask(const std::string& path) {
  auto mask = imageio::read_label_png(path);
  EXPECT_TRUE(mask.ok()) << mask.status().message();
  return mask.ok() ? *mask : imageio::Image();
}

int64_t count_of(const imageio::Image& mask, uint8_t id) {
  return std::ranges::count(mask.pixels, id);
}

TEST_F(Segment, WritesMaskAndOverlayAndALineByDefault) {
  const ProgramRun run = segment({cat_});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, IsEmpty());
  EXPECT_THAT(run.out, MatchesRegex(".*cat\\.jpg: background [0-9.]+%, cat [0-9.]+%\n"));
  EXPECT_THAT(files_below(out()), ElementsAre("cat.mask.png", "cat.overlay.jpg"));

  const imageio::Image mask = read_mask(out("cat.mask.png"));
  ASSERT_EQ(mask.width, kCatWidth);
  ASSERT_EQ(mask.height, kCatHeight);
  // The cat covers about a fifth of the photo and sits in the middle of it.
  EXPECT_NEAR(static_cast<double>(count_of(mask, kCatId)) / (kCatWidth * kCatHeight), 0.2, 0.03);
  EXPECT_EQ(mask.pixels[169 * kCatWidth + 219], kCatId);
  EXPECT_EQ(mask.pixels[12 * kCatWidth + 12], 0);

  // As a picture the mask has VOC's colours.
  const imageio::Image colours = read_photo(out("cat.mask.png"));
  ASSERT_EQ(colours.pixels.size(), mask.pixels.size() * 3);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const Rgb expected = vision::kVocPalette[mask.pixels[i]];
    const uint8_t* rgb = &colours.pixels[i * 3];
    ASSERT_EQ((Rgb{rgb[0], rgb[1], rgb[2]}), expected) << i;
  }
  const imageio::Image overlay = read_photo(out("cat.overlay.jpg"));
  EXPECT_EQ(overlay.width, kCatWidth);
  EXPECT_EQ(overlay.height, kCatHeight);
}

TEST_F(Segment, ColoursByNameOrFromAFile) {
  const auto colour_of_the_cat = [&](const std::string& palette) {
    const ProgramRun run = segment({cat_, "--palette", palette, "--write", "mask,overlay"});
    EXPECT_EQ(run.status, 0) << run.err;
    const imageio::Image mask = read_mask(out("cat.mask.png"));
    const imageio::Image colours = read_photo(out("cat.mask.png"));
    const auto at =
        static_cast<size_t>(std::ranges::find(mask.pixels, kCatId) - mask.pixels.begin());
    return std::vector<int>(colours.pixels.begin() + static_cast<ptrdiff_t>(3 * at),
                            colours.pixels.begin() + static_cast<ptrdiff_t>(3 * at) + 3);
  };
  EXPECT_THAT(colour_of_the_cat("voc"), ElementsAre(64, 0, 0));
  const std::string voc = file_text(out("cat.overlay.jpg"));
  EXPECT_THAT(colour_of_the_cat("cityscapes"), ElementsAre(107, 142, 35));
  EXPECT_THAT(colour_of_the_cat("ade20k"), ElementsAre(230, 230, 230));
  EXPECT_NE(file_text(out("cat.overlay.jpg")), voc);

  const std::string file = dir_ / "colours.txt";
  write_text(file, "0,0,0\n#010203\r\n 1, 2,3\n3,3,3\n4,4,4\n5,5,5\n6,6,6\n7,7,7\n#FE0a10");
  EXPECT_THAT(colour_of_the_cat(file), ElementsAre(254, 10, 16));
  write_text(file, "1,2,3\n");
  EXPECT_THAT(colour_of_the_cat(file), ElementsAre(64, 0, 0)) << "the rest as VOC's";

  const auto error_of = [&](const std::string& text) {
    write_text(file, text);
    const ProgramRun run = segment({cat_, "--palette", file});
    EXPECT_EQ(run.status, 1);
    return run.err;
  };
  for (const char* line : {"1,2", "1,2,256", "1,2,3,4", "#12345g", "#1234567", "red", ""}) {
    EXPECT_THAT(error_of("0,0,0\n" + std::string(line) + "\n"), HasSubstr("colours.txt: line 2"))
        << line;
  }
  EXPECT_THAT(error_of(""), HasSubstr("no colours"));
  std::string many;
  for (int i = 0; i < 257; ++i) many += "1,2,3\n";
  EXPECT_THAT(error_of(many), HasSubstr("more than 256"));
  const ProgramRun unknown = segment({cat_, "--palette", "pink"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("pink"), HasSubstr("voc, cityscapes, ade20k")));
}

TEST_F(Segment, JsonIsTheContract) {
  const ProgramRun run = segment({cat_, "--json", "--fit", "stretch"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, IsEmpty());
  const std::vector<std::string> lines = lines_of(run.out);
  ASSERT_THAT(lines, SizeIs(1));
  const auto object = nlohmann::ordered_json::parse(lines[0]);
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  EXPECT_THAT(keys,
              ElementsAre("image", "width", "height", "model", "fit", "classes", "timing_ms"));
  EXPECT_EQ(object["image"], cat_);
  EXPECT_EQ(object["width"], kCatWidth);
  EXPECT_EQ(object["height"], kCatHeight);
  EXPECT_EQ(object["model"], model_);
  EXPECT_EQ(object["fit"], "stretch");
  for (const char* stage : {"decode", "prepare", "infer", "labels", "write"}) {
    EXPECT_GT(object["timing_ms"][stage].get<double>(), 0) << stage;
  }
  EXPECT_THAT(object["timing_ms"], SizeIs(5));

  const imageio::Image mask = read_mask(out("cat.mask.png"));
  int64_t pixels = 0;
  double last = 1;
  for (const auto& c : object["classes"]) {
    EXPECT_THAT(c, SizeIs(4));
    EXPECT_EQ(c["pixels"], count_of(mask, c["id"].get<uint8_t>()));
    EXPECT_DOUBLE_EQ(c["fraction"], c["pixels"].get<double>() / (kCatWidth * kCatHeight));
    EXPECT_EQ(c["name"], vision::kVocClassNames[c["id"].get<size_t>()]);
    EXPECT_LE(c["fraction"], last);
    last = c["fraction"];
    pixels += c["pixels"].get<int64_t>();
  }
  EXPECT_EQ(pixels, int64_t{kCatWidth} * kCatHeight);
}

TEST_F(Segment, FileNamesThatAreNotUtf8StillGiveJson) {
  const std::string photo = cat_as("c\xe4t.jpg");
  const ProgramRun run = segment({photo, "--json", "--write", "mask,polygons"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(json::parse(run.out)["image"].get<std::string>(), EndsWith("c\xef\xbf\xbdt.jpg"));
  EXPECT_THAT(files_below(out()), ElementsAre("c\xe4t.mask.png", "c\xe4t.polygons.json"));
}

TEST_F(Segment, CutoutKeepsTheChosenClasses) {
  ASSERT_EQ(segment({cat_, "--write", "cutout,mask", "--class", "cat"}).status, 0);
  const imageio::Image cutout = read_photo(out("cat.cutout.png"), /*keep_alpha=*/true);
  const imageio::Image mask = read_mask(out("cat.mask.png"));
  const imageio::Image photo = read_photo(cat_);
  ASSERT_EQ(cutout.channels, 4);
  ASSERT_EQ(cutout.pixels.size(), mask.pixels.size() * 4);
  size_t opaque_cat = 0, clear_rest = 0, soft = 0;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const uint8_t alpha = cutout.pixels[i * 4 + 3];
    opaque_cat += mask.pixels[i] == kCatId && alpha == 255;
    clear_rest += mask.pixels[i] == 0 && alpha == 0;
    soft += alpha > 0 && alpha < 255;
    for (size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(cutout.pixels[i * 4 + c], photo.pixels[i * 3 + c]);
    }
  }
  EXPECT_GT(opaque_cat, static_cast<size_t>(count_of(mask, kCatId)) * 8 / 10);
  EXPECT_GT(clear_rest, static_cast<size_t>(count_of(mask, 0)) * 9 / 10);
  EXPECT_GT(soft, 0u);

  // Nothing of a class that is not in the photo.
  ASSERT_EQ(segment({cat_, "--write", "cutout", "--class", "train,bus"}).status, 0);
  const imageio::Image empty = read_photo(out("cat.cutout.png"), /*keep_alpha=*/true);
  size_t visible = 0;
  for (size_t i = 3; i < empty.pixels.size(); i += 4) visible += empty.pixels[i] > 128;
  EXPECT_EQ(visible, 0u);
}

TEST_F(Segment, ScoresAre16BitProbabilitiesOfTheClassesFound) {
  ASSERT_EQ(segment({cat_, "--write", "scores"}).status, 0);
  EXPECT_THAT(files_below(out()),
              ElementsAre("cat.background.confidence.png", "cat.cat.confidence.png"));
  const std::string png = file_text(out("cat.cat.confidence.png"));
  ASSERT_GT(png.size(), 26u);
  EXPECT_EQ(png[24], 16);  // IHDR: bit depth
  EXPECT_EQ(png[25], 0);   // and colour type, grey
  const imageio::Image confidence = read_photo(out("cat.cat.confidence.png"));
  EXPECT_GT(confidence.pixels[3 * (169 * kCatWidth + 219)], 230);
  EXPECT_LT(confidence.pixels[3 * (12 * kCatWidth + 12)], 25);
}

TEST_F(Segment, ClassesByNameOrId) {
  ASSERT_EQ(segment({cat_, "--write", "scores", "--class", "8,dog"}).status, 0);
  EXPECT_THAT(files_below(out()), ElementsAre("cat.cat.confidence.png", "cat.dog.confidence.png"));

  for (const char* wrong : {"unicorn", "21", "-1", "cat,", "Cat"}) {
    const ProgramRun run = segment({cat_, "--write", "scores", "--class=" + std::string(wrong)});
    EXPECT_EQ(run.status, 2) << wrong;
    ASSERT_THAT(lines_of(run.err), SizeIs(1));
    EXPECT_THAT(run.err, AllOf(HasSubstr("--class"), HasSubstr("tvmonitor")));
  }
}

TEST_F(Segment, LabelsFromAFile) {
  std::string labels;
  for (int id = 0; id < 21; ++id)
    labels += id == 8 ? "tom/cat\r\n" : "label " + std::to_string(id) + "\r\n";
  write_text(dir_ / "labels.txt", labels);
  const ProgramRun run =
      segment({cat_, "--labels", dir_ / "labels.txt", "--write", "scores", "--class", "tom/cat"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("label 0 "), HasSubstr("tom/cat ")));
  EXPECT_THAT(files_below(out()), ElementsAre("cat.tom_cat.confidence.png"));

  write_text(dir_ / "labels.txt", "one\ntwo\n");
  const ProgramRun wrong = segment({cat_, "--labels", dir_ / "labels.txt"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("labels.txt"), HasSubstr("2"), HasSubstr("21")));
}

/// The pixels whose centre lies within a COCO polygon, by the even-odd rule.
void fill_polygon(const json& line, int32_t width, int32_t height, uint8_t value,
                  std::vector<uint8_t>& mask) {
  const size_t count = line.size() / 2;
  for (int32_t y = 0; y < height; ++y) {
    std::vector<double> crossings;
    for (size_t i = 0; i < count; ++i) {
      const size_t j = (i + 1) % count;
      const double x0 = line[2 * i], y0 = line[2 * i + 1], x1 = line[2 * j], y1 = line[2 * j + 1];
      const double centre = y + 0.5;
      if ((y0 <= centre) != (y1 <= centre)) {
        crossings.push_back(x0 + (centre - y0) / (y1 - y0) * (x1 - x0));
      }
    }
    std::ranges::sort(crossings);
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      for (int32_t x = 0; x < width; ++x) {
        if (x + 0.5 > crossings[i] && x + 0.5 < crossings[i + 1]) {
          mask[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] =
              value;
        }
      }
    }
  }
}

TEST_F(Segment, PolygonsFillToTheMask) {
  const ProgramRun run = segment({cat_, "--write", "mask,polygons", "--tolerance", "0"});
  ASSERT_EQ(run.status, 0) << run.err;
  const imageio::Image mask = read_mask(out("cat.mask.png"));
  const json coco = json::parse(file_text(out("cat.polygons.json")));
  ASSERT_THAT(coco["images"], SizeIs(1));
  EXPECT_EQ(coco["images"][0]["file_name"], "cat.jpg");
  EXPECT_EQ(coco["images"][0]["width"], mask.width);
  EXPECT_EQ(coco["images"][0]["height"], mask.height);
  EXPECT_THAT(coco["categories"], SizeIs(20));
  EXPECT_EQ(coco["categories"][0], (json{{"id", 1}, {"name", "aeroplane"}}));

  std::vector<uint8_t> filled(mask.pixels.size(), 0);
  std::map<int, int64_t> areas;
  int last_id = 0;
  for (const json& a : coco["annotations"]) {
    EXPECT_EQ(a["id"], ++last_id);
    EXPECT_EQ(a["image_id"], coco["images"][0]["id"]);
    EXPECT_EQ(a["iscrowd"], 0);
    ASSERT_THAT(a["bbox"], SizeIs(4));
    EXPECT_LE(a["area"].get<int64_t>(), a["bbox"][2].get<int64_t>() * a["bbox"][3].get<int64_t>());
    ASSERT_THAT(a["segmentation"], SizeIs(1));
    ASSERT_GE(a["segmentation"][0].size(), 6u);
    areas[a["category_id"].get<int>()] += a["area"].get<int64_t>();
    fill_polygon(a["segmentation"][0], mask.width, mask.height, a["category_id"].get<uint8_t>(),
                 filled);
  }
  EXPECT_EQ(filled, mask.pixels);
  for (const auto& [id, area] : areas) {
    EXPECT_EQ(area, count_of(mask, static_cast<uint8_t>(id))) << id;
  }

  // Fewer with a class chosen and a least area.
  ASSERT_EQ(segment({cat_, "--write", "polygons", "--class", "cat", "--min-area", "1000"}).status,
            0);
  const json cats = json::parse(file_text(out("cat.polygons.json")));
  ASSERT_THAT(cats["annotations"], SizeIs(1));
  EXPECT_EQ(cats["annotations"][0]["category_id"], kCatId);
  EXPECT_THAT(cats["categories"], SizeIs(1));
}

TEST_F(Segment, TheMaskDependsOnNoOtherOutputAndNoThreadCount) {
  // A photo large enough for the JPEG decoder's own scaling.
  const imageio::Image cat = read_photo(cat_);
  constexpr int32_t kScale = 3;
  const int32_t width = cat.width * kScale, height = cat.height * kScale;
  std::vector<uint8_t> pixels;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const uint8_t* from =
          &cat.pixels[static_cast<size_t>((y / kScale * cat.width + x / kScale) * 3)];
      pixels.insert(pixels.end(), from, from + 3);
    }
  }
  const auto jpeg = imageio::encode_jpeg(width, height, pixels, 90);
  ASSERT_TRUE(jpeg.ok());
  const std::string photo = dir_ / "large.jpg";
  ASSERT_TRUE(write_file_atomically(photo, *jpeg).ok());

  ASSERT_EQ(segment({photo, "--write", "mask", "--threads", "1"}).status, 0);
  const std::string mask = file_text(out("large.mask.png"));
  ASSERT_EQ(segment({photo, "--write", "mask,overlay,cutout", "--threads", "3"}).status, 0);
  EXPECT_EQ(file_text(out("large.mask.png")), mask);
  const imageio::Image overlay = read_photo(out("large.overlay.jpg"));
  EXPECT_EQ(overlay.width, width);
  EXPECT_EQ(overlay.height, height);
  EXPECT_NEAR(static_cast<double>(count_of(read_mask(out("large.mask.png")), kCatId)) /
                  (static_cast<double>(width) * height),
              0.2, 0.03);
}

TEST_F(Segment, APipeUnderAFilesNameGetsTheFile) {
  ASSERT_EQ(segment({cat_, "--write", "mask"}).status, 0);
  const std::string mask = file_text(out("cat.mask.png"));
  fs::remove(out("cat.mask.png"));
  const NamedPipe pipe(out("cat.mask.png"));
  for (const char* how : {"--quiet", "--resume"}) {  // what went through is not there to be read
    EXPECT_EQ(segment({cat_, "--write", "mask", how}).status, 0);
    EXPECT_TRUE(pipe.text() == mask) << how;
  }
}

TEST_F(Segment, AnyCanvasGivesAMaskOfThePhotosSize) {
  for (const char* size : {"257", "640x360", "97x513"}) {
    for (const char* fit : {"pad", "letterbox", "stretch"}) {
      const ProgramRun run = segment({cat_, "--size", size, "--fit", fit, "--write", "mask"});
      ASSERT_EQ(run.status, 0) << size << run.err;
      const imageio::Image mask = read_mask(out("cat.mask.png"));
      EXPECT_EQ(mask.width, kCatWidth);
      EXPECT_EQ(mask.height, kCatHeight);
      if (std::string(size) != "97x513") {
        EXPECT_EQ(mask.pixels[169 * kCatWidth + 219], kCatId) << size << " " << fit;
      }
    }
  }
}

TEST_F(Segment, MeanAndStdReachTheNetwork) {
  ASSERT_EQ(segment({cat_, "--write", "mask"}).status, 0);
  const std::string mask = file_text(out("cat.mask.png"));
  ASSERT_EQ(
      segment({cat_, "--write", "mask", "--mean", "127.5", "--std", "127.5,127.5,127.5"}).status,
      0);
  EXPECT_EQ(file_text(out("cat.mask.png")), mask);
  ASSERT_EQ(segment({cat_, "--write", "mask", "--mean", "200,60,10"}).status, 0);
  EXPECT_NE(file_text(out("cat.mask.png")), mask);
  for (const char* wrong : {"--std=0", "--std=1,2", "--mean=nan"}) {
    const ProgramRun run = segment({cat_, wrong});
    EXPECT_EQ(run.status, 2) << wrong;
    EXPECT_THAT(lines_of(run.err), SizeIs(1));
  }
}

TEST_F(Segment, DirectoriesAreSearchedInOrder) {
  for (const char* name :
       {"in/b.jpg", "in/a/z.JPG", "in/c/d/e.jpeg", "in/.hidden.jpg", "in/.git/f.jpg"}) {
    cat_as(name);
  }
  write_text(dir_ / "in/notes.txt", "no photo");
  fs::create_directory_symlink(dir_ / "in", dir_ / "in/circle");
  const auto run_and_list = [&] {
    const ProgramRun run =
        segment({dir_ / "in", "--json", "--write", "mask,overlay,scores,cutout"});
    EXPECT_EQ(run.status, 0) << run.err;
    std::vector<std::string> names;
    for (const std::string& line : lines_of(run.out)) {
      names.push_back(
          fs::relative(json::parse(line)["image"].get<std::string>(), dir_ / "in").string());
    }
    return names;
  };
  EXPECT_THAT(run_and_list(), ElementsAre("a/z.JPG", "b.jpg", "c/d/e.jpeg"));
  // What an earlier run wrote among the photos is not taken for photos.
  fs::copy(out(), dir_ / "in", fs::copy_options::recursive);
  EXPECT_THAT(run_and_list(), ElementsAre("a/z.JPG", "b.jpg", "c/d/e.jpeg"));
}

TEST_F(Segment, FoldersOfADirectoryAreKept) {
  cat_as("in/a/0001.jpg");
  cat_as("in/b/0001.jpg");
  const std::vector<std::string> line = {dir_ / "in", "--write",
                                         "mask,overlay,cutout,polygons,scores", "--class", "cat"};
  const ProgramRun run = segment(line);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(files_below(out()),
              ElementsAre("a/0001.cat.confidence.png", "a/0001.cutout.png", "a/0001.mask.png",
                          "a/0001.overlay.jpg", "a/0001.polygons.json", "b/0001.cat.confidence.png",
                          "b/0001.cutout.png", "b/0001.mask.png", "b/0001.overlay.jpg",
                          "b/0001.polygons.json"));
  EXPECT_EQ(json::parse(file_text(out("b/0001.polygons.json")))["images"][0]["file_name"],
            "b/0001.jpg");
  std::vector<std::string> again = line;
  again.push_back("--resume");
  EXPECT_THAT(segment(again).err, HasSubstr("2 of 2 photos had their files already"));
}

TEST_F(Segment, ADirectoryRunCountsWhatItPassesOver) {
  cat_as("in/photo");  // found by its content
  write_text(dir_ / "in/notes.txt", "no photo");
  write_text(dir_ / "in/film.mp4", std::string("\0\0\0\x18", 4) + "ftypisom");
  const ProgramRun run = segment({dir_ / "in"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.err,
            "deeplab: passed over 2 files: 1 MP4 video (film.mp4), 1 text file (notes.txt)\n");
  EXPECT_THAT(files_below(out()), ElementsAre("photo.mask.png", "photo.overlay.jpg"));
  EXPECT_EQ(segment({dir_ / "in", "--quiet"}).err, "");
  const ProgramRun strict = segment({dir_ / "in", "--strict", "--quiet"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.err, run.err);
}

TEST_F(Segment, ADamagedJpegIsReadWithAWarning) {
  const std::string cut = dir_ / "cut.jpg";
  write_text(cut, file_text(cat_).substr(0, 20000));
  const ProgramRun run = segment({cut});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.err, "deeplab: warning: " + cut +
                         ": damaged JPEG: the data ends early (truncated file); --strict refuses "
                         "it\n");
  EXPECT_TRUE(fs::exists(out("cut.mask.png")));
  const ProgramRun strict = segment({cut, "--strict"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_THAT(strict.err, AllOf(HasSubstr(cut), HasSubstr("truncated")));
}

TEST_F(Segment, ADirectoryWithoutPhotosIsAnError) {
  fs::create_directory(dir_ / "nothing");
  const ProgramRun run = segment({dir_ / "nothing", cat_});
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr(dir_ / "nothing"));
  EXPECT_TRUE(fs::exists(out("cat.mask.png")));
}

TEST_F(Segment, StandardInput) {
  RunOptions options;
  options.input = cat_;
  const ProgramRun run = segment({"-"}, options);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, StartsWith("-: background"));
  EXPECT_THAT(files_below(out()), ElementsAre("stdin.mask.png", "stdin.overlay.jpg"));

  const ProgramRun empty = segment({"-"});
  EXPECT_EQ(empty.status, 1);
  EXPECT_THAT(empty.err, HasSubstr("standard input"));
}

TEST_F(Segment, OutputGoesToTheCurrentDirectoryByDefault) {
  fs::create_directory(dir_ / "work");
  RunOptions options;
  options.directory = dir_ / "work";
  const ProgramRun run = run_deeplab(
      {"segment", fs::absolute(cat_).string(), "-m", fs::absolute(model_).string()}, options);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(files_below(dir_ / "work"), ElementsAre("cat.mask.png", "cat.overlay.jpg"));
}

TEST_F(Segment, ABrokenPhotoFailsAloneAndByName) {
  const std::string good = cat_as("good.jpg");
  const std::string text = dir_ / "text.jpg", empty = dir_ / "empty.png", cut = dir_ / "cut.jpg";
  write_text(text, "no image");
  write_text(empty, "");
  write_text(cut, file_text(cat_).substr(0, 20000));
  const std::string missing = dir_ / "missing.jpg";
  const ProgramRun run = segment({text, empty, cut, missing, good, "--json", "--strict"});
  EXPECT_EQ(run.status, 1);
  const std::vector<std::string> errors = lines_of(run.err);
  ASSERT_THAT(errors, SizeIs(4)) << run.err;
  EXPECT_THAT(errors, Each(StartsWith("deeplab: ")));
  const std::string broken[] = {text, empty, cut, missing};
  for (size_t i = 0; i < 4; ++i) EXPECT_THAT(errors[i], HasSubstr(broken[i]));
  ASSERT_THAT(lines_of(run.out), SizeIs(1));
  EXPECT_EQ(json::parse(run.out)["image"], good);
  EXPECT_THAT(files_below(out()), ElementsAre("good.mask.png", "good.overlay.jpg"));
}

TEST_F(Segment, TheSecondPhotoOfANameFails) {
  const std::string first = cat_as("a/x.jpg");
  const std::string second = dir_ / "b/x.bmp";
  fs::create_directory(dir_ / "b");
  fs::copy_file(cat_, second);
  const ProgramRun run = segment({first, second});
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, AllOf(HasSubstr(first), HasSubstr(second)));
  EXPECT_EQ(read_mask(out("x.mask.png")).width, kCatWidth);  // the first one's
}

TEST_F(Segment, NeverWritesOverAPhotoOfTheCall) {
  const std::string cat = cat_as("out/x.jpg");
  const std::string mask_named = cat_as("out/x.mask.png");
  const std::string before = file_text(mask_named);
  const ProgramRun run = segment({cat, mask_named});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr(cat), HasSubstr("x.mask.png")));
  EXPECT_EQ(file_text(mask_named), before);
}

TEST_F(Segment, AFullDiskLeavesNothingHalfWritten) {
  RunOptions options;
  options.max_file_bytes = 1000;  // less than a mask
  const ProgramRun run = segment({cat_, "--write", "overlay,mask"}, options);
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.signal, 0);
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr("cat.mask.png"));
  EXPECT_THAT(files_below(out()), IsEmpty());
}

TEST_F(Segment, ADirectoryThatCannotBeMadeEndsTheRunAtOnce) {
  write_text(dir_ / "file", "in the way");
  for (const std::string& directory : {dir_ / "file", dir_ / "file/below", std::string()}) {
    const ProgramRun run = run_deeplab({"segment", cat_, cat_, "-m", model_, "-o", directory});
    EXPECT_EQ(run.status, 1);
    ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
    EXPECT_THAT(run.err, HasSubstr(directory));
    EXPECT_THAT(run.out, IsEmpty());
  }
  EXPECT_EQ(file_text(dir_ / "file"), "in the way");
}

TEST_F(Segment, StandardOutputThatIsFullOrClosed) {
  RunOptions full;
  full.output = "/dev/full";
  const ProgramRun run = segment({cat_}, full);
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr("standard output"));

  RunOptions closed;
  closed.closed_output = true;
  const ProgramRun piped = segment({cat_}, closed);
  EXPECT_EQ(piped.signal, SIGPIPE);  // as head ends any program
  EXPECT_THAT(files_below(out()), ElementsAre("cat.mask.png", "cat.overlay.jpg"));
}

TEST_F(Segment, QuietAndProgress) {
  const std::string one = cat_as("one.jpg"), two = cat_as("two.jpg");
  RunOptions terminal;
  terminal.terminal_error = true;
  const ProgramRun loud = segment({one, two, "--size", "129"}, terminal);
  EXPECT_THAT(loud.err, AllOf(HasSubstr("0/2"), HasSubstr("2/2"), HasSubstr("photos/s")));
  EXPECT_THAT(loud.err, EndsWith("\r\x1b[K"));  // and it cleans up after itself
  EXPECT_THAT(loud.err, Not(HasSubstr("\n")));

  const ProgramRun quiet = segment({one, two, "--size", "129", "--quiet"}, terminal);
  EXPECT_EQ(quiet.status, 0);
  EXPECT_THAT(quiet.err, IsEmpty());
  EXPECT_THAT(quiet.out, IsEmpty());

  const ProgramRun json_lines = segment({one, two, "--size", "129", "--quiet", "--json"});
  EXPECT_THAT(lines_of(json_lines.out), SizeIs(2));
  EXPECT_THAT(json_lines.err, IsEmpty());
}

}  // namespace
}  // namespace deeplab::testing
