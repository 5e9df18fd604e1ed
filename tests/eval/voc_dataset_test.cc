// Datasets on disk: what is found, which masks are understood, and every error once.
#include "eval/voc_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "imageio/writer.h"
#include "tests/imageio/sample_files.h"
#include "vision/palette.h"

namespace deeplab::eval {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class VocDatasetTest : public ::testing::Test {
 protected:
  VocDatasetTest() {
    std::string name = (fs::temp_directory_path() / "deeplab-eval-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~VocDatasetTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  std::string path(const std::string& relative) const { return (root_ / relative).string(); }
  void write(const std::string& relative, const std::string& text) const {
    fs::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary) << text;
  }
  void write(const std::string& relative, const Result<imageio::EncodedImage>& image) const {
    ASSERT_TRUE(image.ok()) << image.status().message();
    fs::create_directories((root_ / relative).parent_path());
    ASSERT_TRUE(write_file_atomically(path(relative), *image).ok());
  }
  void list(const std::string& text) const { write("ImageSets/Segmentation/val.txt", text); }
  Result<VocDataset> open(MaskRequirement masks = MaskRequirement::kRequired) const {
    return open_voc_dataset(root_.string(), "val", masks);
  }
  std::string open_error(MaskRequirement masks = MaskRequirement::kRequired) const {
    const auto dataset = open(masks);
    EXPECT_FALSE(dataset.ok());
    return dataset.status().message();
  }
  Result<imageio::Image> mask(const Result<imageio::EncodedImage>& image) const {
    write("mask.png", image);
    return read_mask(path("mask.png"));
  }

  fs::path root_;
};

std::vector<uint8_t> in_voc_colours(const std::vector<uint8_t>& ids) {
  std::vector<uint8_t> rgb;
  for (const uint8_t id : ids) {
    const Rgb c = vision::kVocPalette[id];
    rgb.insert(rgb.end(), {c.red, c.green, c.blue});
  }
  return rgb;
}

// ---- Listing ---------------------------------------------------------------------------------

TEST_F(VocDatasetTest, FindsPhotosOfEveryKindInTheListsOrder) {
  list(
      "\xEF\xBB\xBF"
      "d\r\n\n  b 1\nc\t-1\na\nsub/e");  // a byte order mark, columns, no last newline
  for (const char* photo : {"a.jpg", "b.jpeg", "c.png", "d.webp", "sub/e.jpg", "a.png", "z.jpg"}) {
    write(std::string("JPEGImages/") + photo, "x");
  }
  for (const char* id : {"a", "b", "c", "d", "sub/e"}) {
    write(std::string("SegmentationClass/") + id + ".png", "x");
  }
  const auto dataset = open();
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  std::vector<std::string> ids, photos;
  for (const VocItem& item : dataset->items) {
    ids.push_back(item.id);
    photos.push_back(fs::path(item.image_path).filename());
    EXPECT_EQ(item.mask_path, path("SegmentationClass/" + item.id + ".png"));
  }
  EXPECT_THAT(ids, ElementsAre("d", "b", "c", "a", "sub/e"));
  EXPECT_THAT(photos, ElementsAre("d.webp", "b.jpeg", "c.png", "a.jpg", "e.jpg"));
  EXPECT_EQ(dataset->root, root_.string());
  EXPECT_EQ(dataset->split, "val");
}

TEST_F(VocDatasetTest, AMaskMayBeMissingWhereItIsOptional) {
  list("a\nb\n");
  for (const char* photo : {"a.jpg", "b.jpg"}) write(std::string("JPEGImages/") + photo, "x");
  write("SegmentationClass/b.png", "x");
  EXPECT_THAT(open_error(), AllOf(HasSubstr(path("SegmentationClass/a.png")),
                                  HasSubstr(path("JPEGImages/a.jpg"))));
  const auto dataset = open(MaskRequirement::kOptional);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(dataset->items[0].mask_path, "");
  EXPECT_EQ(dataset->items[1].mask_path, path("SegmentationClass/b.png"));
}

TEST_F(VocDatasetTest, ErrorsNameTheFile) {
  EXPECT_THAT(
      open_voc_dataset(path("nowhere"), "val", MaskRequirement::kRequired).status().message(),
      HasSubstr(path("nowhere")));
  EXPECT_THAT(open_error(), HasSubstr(path("ImageSets/Segmentation/val.txt")));
  write("ImageSets/Segmentation/train.txt", "a\n");
  write("ImageSets/Segmentation/all.txt", "a\n");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("'val'"), EndsWith("there are: all, train")));
  list(" \n\r\n");
  EXPECT_THAT(open_error(), HasSubstr("val.txt lists no photo"));
  list("lost\n");
  EXPECT_THAT(open_error(), AllOf(HasSubstr(path("JPEGImages/lost")), HasSubstr("val.txt")));
}

TEST_F(VocDatasetTest, ExtensionsAreFoundInAnyCase) {
  list("a\nb\nc\nd\nsub/e\nf.v2\n");
  for (const char* photo :
       {"a.JPG", "b.Jpeg", "c.BMP", "d.WebP", "sub/e.PNG", "f.v2.jpg", "f.png"}) {
    write(std::string("JPEGImages/") + photo, "x");
  }
  for (const char* mask : {"a.PNG", "b.png", "c.Png", "d.png", "sub/e.PNG", "f.v2.png"}) {
    write(std::string("SegmentationClass/") + mask, "x");
  }
  const auto dataset = open();
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  std::vector<std::string> photos, masks;
  for (const VocItem& item : dataset->items) {
    photos.push_back(fs::path(item.image_path).filename());
    masks.push_back(fs::path(item.mask_path).filename());
  }
  EXPECT_THAT(photos, ElementsAre("a.JPG", "b.Jpeg", "c.BMP", "d.WebP", "e.PNG", "f.v2.jpg"));
  EXPECT_THAT(masks, ElementsAre("a.PNG", "b.png", "c.Png", "d.png", "e.PNG", "f.v2.png"));
}

TEST_F(VocDatasetTest, ListsMayHoldFileNames) {
  list("a.jpg\nb.JPG\nsub/c.png 1\nd e\n/JPEGImages/f.jpg /SegmentationClass/f.png\ng.jpg\n");
  for (const char* photo :
       {"a.jpg", "b.jpg", "sub/c.png", "d e.jpg", "f.jpg", "g.jpg.png", "h.jpg"}) {
    write(std::string("JPEGImages/") + photo, "x");
  }
  for (const char* id : {"a", "b", "sub/c", "d e", "f", "g.jpg"}) {
    write(std::string("SegmentationClass/") + id + ".png", "x");
  }
  const auto dataset = open();
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  std::vector<std::string> ids;
  for (const VocItem& item : dataset->items) {
    ids.push_back(item.id);
    EXPECT_TRUE(fs::exists(item.image_path)) << item.image_path;
    EXPECT_EQ(item.mask_path, path("SegmentationClass/" + item.id + ".png"));
  }
  EXPECT_THAT(ids, ElementsAre("a", "b", "sub/c", "d e", "f", "g.jpg"));
}

TEST_F(VocDatasetTest, WithoutAListItSaysWhatThereIs) {
  write("JPEGImages/a.jpg", "x");
  write("JPEGImages/b.JPG", "x");
  write("SegmentationClass/a.png", "x");
  EXPECT_THAT(open_error(),
              AllOf(HasSubstr(path("ImageSets/Segmentation/val.txt") + " does not exist"),
                    HasSubstr("2 photos in JPEGImages"), HasSubstr("1 mask in SegmentationClass"),
                    HasSubstr("one per line"), HasSubstr("'all'")));
  fs::rename(root_ / "JPEGImages", root_ / "images");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("no folder JPEGImages"),
                                  HasSubstr("there is SegmentationClass, images;"),
                                  HasSubstr("JPEGImages/ID.jpg")));
  EXPECT_THAT(
      open_voc_dataset(root_.string(), "all", MaskRequirement::kRequired).status().message(),
      HasSubstr("no folder JPEGImages"));
}

TEST_F(VocDatasetTest, AllTakesEveryPair) {
  const auto all = [this] {
    return open_voc_dataset(root_.string(), kEverySplit, MaskRequirement::kRequired);
  };
  for (const char* photo : {"b.JPG", "a.png", "sub/c.jpg", "lonely.jpg", ".hidden.jpg", "b.txt"}) {
    write(std::string("JPEGImages/") + photo, "x");
  }
  EXPECT_THAT(all().status().message(), AllOf(HasSubstr("no photo with a mask"),
                                              HasSubstr("4 photos"), HasSubstr("0 masks")));
  for (const char* id : {"a", "b", "sub/c", "x", "y"}) {
    write(std::string("SegmentationClass/") + id + ".png", "x");
  }
  const auto dataset = all();
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  std::vector<std::string> ids;
  for (const VocItem& item : dataset->items) ids.push_back(item.id);
  EXPECT_THAT(ids, ElementsAre("a", "b", "sub/c"));
  EXPECT_EQ(dataset->items[1].image_path, path("JPEGImages/b.JPG"));
  EXPECT_EQ(dataset->photos_without_mask, 1);
  EXPECT_EQ(dataset->masks_without_photo, 2);
  // A list of that name goes first.
  write("ImageSets/Segmentation/all.txt", "b\n");
  EXPECT_EQ(all()->items.size(), 1);
}

TEST_F(VocDatasetTest, IdsStayInTheirFolders) {
  write("secret.jpg", "x");
  for (const char* id : {"../secret", "a/../../secret", "/etc/secret"}) {
    list(std::string(id) + "\n");
    EXPECT_THAT(open_error(), AllOf(HasSubstr(id), HasSubstr("leaves")));
  }
}

// ---- Masks -----------------------------------------------------------------------------------

TEST_F(VocDatasetTest, IndexGreyAndColouredMasksAreTheSame) {
  const std::vector<uint8_t> ids = {0, 1, 7, 15, 20, 255, 254, 128, 0};
  // An index is the id whatever colour it has.
  std::vector<Rgb> reds(256);
  for (size_t i = 0; i < reds.size(); ++i) reds[i] = {static_cast<uint8_t>(i), 0, 0};
  for (const auto& file :
       {imageio::encode_png_indexed(3, 3, ids, vision::kVocPalette),
        imageio::encode_png_indexed(3, 3, ids, reds), imageio::encode_png_gray(3, 3, ids),
        imageio::encode_png_rgb(3, 3, in_voc_colours(ids))}) {
    const auto read = mask(file);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read->pixels, ids);
    EXPECT_EQ(read->channels, 1);
    EXPECT_EQ(read->width, 3);
  }
}

TEST_F(VocDatasetTest, EveryIdHasItsColour) {
  std::vector<uint8_t> ids(256);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint8_t>(i);
  const auto read = mask(imageio::encode_png_rgb(16, 16, in_voc_colours(ids)));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->pixels, ids);
}

TEST_F(VocDatasetTest, OpaqueColoursWithAlphaAreColours) {
  const std::vector<uint8_t> rgba = {128, 0, 0, 255, 224, 224, 192, 255};
  const auto read = mask(imageio::encode_png_rgba(2, 1, rgba));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->pixels, ElementsAre(1, 255));
}

TEST_F(VocDatasetTest, SixteenBitsHoldIds) {
  const std::vector<uint16_t> ids = {0, 1, 20, 255};
  const auto read = mask(imageio::encode_png_gray16(2, 2, ids));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->pixels, ElementsAre(0, 1, 20, 255));
  EXPECT_EQ(read->channels, 1);
}

// Scaled to 8 bits, every id would be 0.
TEST_F(VocDatasetTest, ColourPngsOfSixteenBitsHoldIdsOrColours) {
  const auto read = [&](const std::vector<uint8_t>& rows) {
    const auto png =
        imageio::testing::png_file({.width = 2, .height = 1, .bit_depth = 16, .rows = rows});
    return decode_mask(png, "mask.png");
  };
  const auto ids = read({0, 7, 0, 7, 0, 7, 0, 255, 0, 255, 0, 255});
  ASSERT_TRUE(ids.ok()) << ids.status().message();
  EXPECT_THAT(ids->pixels, ElementsAre(7, 255));
  const auto colours = read({128, 128, 0, 0, 0, 0, 224, 224, 224, 224, 192, 192});
  ASSERT_TRUE(colours.ok()) << colours.status().message();
  EXPECT_THAT(colours->pixels, ElementsAre(1, 255));
  EXPECT_THAT(read({1, 7, 1, 7, 1, 7, 0, 0, 0, 0, 0, 0}).status().message(),
              HasSubstr("mask.png: the 16-bit value 263 at x 0, y 0 is out of range"));
}

TEST_F(VocDatasetTest, EqualChannelsAreTheId) {
  const auto rgb_of = [](const std::vector<uint8_t>& ids) {
    std::vector<uint8_t> rgb;
    for (const uint8_t id : ids) rgb.insert(rgb.end(), 3, id);
    return rgb;
  };
  const auto read = mask(imageio::encode_png_rgb(2, 2, rgb_of({0, 1, 20, 255})));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->pixels, ElementsAre(0, 1, 20, 255));
  // Black and VOC's grey alone are VOC's colours, as they always were.
  EXPECT_THAT(mask(imageio::encode_png_rgb(2, 1, rgb_of({0, 128})))->pixels, ElementsAre(0, 7));
}

TEST_F(VocDatasetTest, ATransparentPixelHasNoClass) {
  const std::vector<uint8_t> rgba = {0, 0, 0, 255, 1, 1, 1, 0};
  EXPECT_THAT(mask(imageio::encode_png_rgba(2, 1, rgba)).status().message(),
              AllOf(HasSubstr("mask.png"), HasSubstr("x 1, y 0 is transparent")));
}

TEST_F(VocDatasetTest, BlackAndWhiteMasksAreRefused) {
  list("a\nb\n");
  const auto masks = [this](const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    for (const auto& [id, ids] : {std::pair("a", a), std::pair("b", b)}) {
      write(std::string("JPEGImages/") + id + ".jpg", "x");
      write(std::string("SegmentationClass/") + id + ".png", imageio::encode_png_gray(2, 1, ids));
    }
    return *open();
  };
  EXPECT_THAT(check_not_black_and_white(masks({0, 0}, {0, 255}), nullptr).message(),
              AllOf(HasSubstr(root_.string() + " (val): all 2 masks hold 0 and 255 only"),
                    HasSubstr("--mask-map FILE"), HasSubstr("'255 = NAME'")));
  EXPECT_TRUE(check_not_black_and_white(masks({0, 0}, {1, 255}), nullptr).ok());
  EXPECT_TRUE(check_not_black_and_white(masks({0, 0}, {0, 0}), nullptr).ok());
  const VocDataset dataset = masks({0, 255}, {0, 255});
  EXPECT_FALSE(check_not_black_and_white(dataset, nullptr).ok());
  const ClassMap silent = *ClassMap::parse("0 = a\n1 = b\n", "c.txt");
  EXPECT_THAT(check_not_black_and_white(dataset, &silent).message(), HasSubstr("say in c.txt"));
  const ClassMap map = *ClassMap::parse("0 = a\n255 = b\n", "c.txt");
  EXPECT_TRUE(check_not_black_and_white(dataset, &map).ok());
  EXPECT_THAT(read_mask_of(dataset.items[0], &map, 2, 1)->pixels, ElementsAre(0, 1));
}

TEST_F(VocDatasetTest, AnUnknownColourIsNamedWithItsPlace) {
  std::vector<uint8_t> rgb = in_voc_colours({0, 1, 2, 3, 4, 5});
  rgb[4 * 3 + 1] = 77;
  const auto read = mask(imageio::encode_png_rgb(3, 2, rgb));
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.status().message(), AllOf(HasSubstr(path("mask.png")), HasSubstr("(0, 77, 128)"),
                                             HasSubstr("x 1, y 1"), HasSubstr("VOC palette")));
}

TEST_F(VocDatasetTest, WhatIsNoMaskIsRefused) {
  const std::vector<uint16_t> deep = {1, 1001};
  EXPECT_THAT(mask(imageio::encode_png_gray16(2, 1, deep)).status().message(),
              AllOf(HasSubstr("mask.png"), HasSubstr("16-bit value 1001 at x 1, y 0")));
  const std::vector<uint8_t> rgb(6);
  EXPECT_THAT(mask(imageio::encode_jpeg(2, 1, rgb, 90)).status().message(), HasSubstr("mask.png"));
  write("text.png", "no picture");
  EXPECT_THAT(read_mask(path("text.png")).status().message(), HasSubstr("text.png"));
  write("empty.png", "");
  EXPECT_FALSE(read_mask(path("empty.png")).ok());
  EXPECT_THAT(read_mask(path("missing.png")).status().message(), HasSubstr("missing.png"));
}

TEST_F(VocDatasetTest, ACutOffMaskIsRefused) {
  const std::vector<uint8_t> ids = {0, 1, 2, 3};
  for (const bool coloured : {false, true}) {
    const auto whole = coloured ? imageio::encode_png_rgb(2, 2, in_voc_colours(ids))
                                : imageio::encode_png_indexed(2, 2, ids, vision::kVocPalette);
    ASSERT_TRUE(whole.ok());
    for (size_t size = 0; size < whole->size(); size += 5) {
      write("cut.png", std::string(reinterpret_cast<const char*>(whole->data()), size));
      const auto read = read_mask(path("cut.png"));
      ASSERT_FALSE(read.ok()) << size;
      EXPECT_THAT(read.status().message(), HasSubstr("cut.png"));
    }
  }
}

TEST_F(VocDatasetTest, AMaskHasThePhotosSize) {
  write("SegmentationClass/a.png", imageio::encode_png_gray(3, 2, std::vector<uint8_t>(6)));
  const VocItem item{"a", "a.jpg", path("SegmentationClass/a.png")};
  EXPECT_TRUE(read_mask_of(item, nullptr, 3, 2).ok());
  EXPECT_THAT(
      read_mask_of(item, nullptr, 2, 3).status().message(),
      AllOf(HasSubstr(item.mask_path), HasSubstr("3x2"), HasSubstr("a.jpg"), HasSubstr("2x3")));
}

TEST_F(VocDatasetTest, ClassIdsAreHeldAgainstTheModel) {
  const auto read = mask(imageio::encode_png_gray(3, 2, std::vector<uint8_t>{0, 1, 255, 2, 21, 1}));
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(check_class_ids(*read, "m.png", 22).ok());
  EXPECT_THAT(check_class_ids(*read, "m.png", 21).message(),
              AllOf(HasSubstr("m.png"), HasSubstr("class id 21"), HasSubstr("x 1, y 1"),
                    HasSubstr("0 to 20")));
  EXPECT_THAT(check_class_ids(*read, "m.png", 2).message(), HasSubstr("class id 2 at x 0, y 1"));
}

}  // namespace
}  // namespace deeplab::eval
