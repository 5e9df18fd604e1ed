#include "eval/class_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "eval/voc_dataset.h"
#include "imageio/writer.h"
#include "tests/train/data_folder.h"

namespace deeplab::eval {
namespace {

using deeplab::testing::DataFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  const Result<ClassMap> map = ClassMap::parse(text, "classes.txt");
  EXPECT_FALSE(map.ok()) << text;
  return map.status().message();
}

TEST(ClassMap, NamesGetIdsInTheirOrder) {
  const auto map = ClassMap::parse(
      "# from the tool\n"
      "0 = background\r\n"
      "\n"
      "  38 = leaf   # two values, one class\n"
      "75=leaf\n"
      "113 = dark spots\n"
      "* = ignore",
      "classes.txt");
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_THAT(map->class_names(), ElementsAre("background", "leaf", "dark spots"));
  EXPECT_EQ(map->class_count(), 3);
}

TEST(ClassMap, ClassesMayHaveIdsOfTheirOwn) {
  const auto map = ClassMap::parse("#000000 = 1\n#FF0000 = 0 road\n#00ff00 = 0\n", "classes.txt");
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_THAT(map->class_names(), ElementsAre("road", ""));
}

TEST(ClassMap, ErrorsNameFileAndLine) {
  EXPECT_EQ(error_of("0 = a\n1 b\n"),
            "classes.txt:2: '1 b' has no '='; expected 'ID = CLASS' or '#RRGGBB = CLASS'");
  EXPECT_EQ(error_of("0 =\n"),
            "classes.txt:1: nothing follows the '='; expected a class or 'ignore'");
  EXPECT_EQ(error_of("\n65536 = a\n"),
            "classes.txt:2: '65536' is not a mask value; expected 0 to 65535, a range such as "
            "20-29, #RRGGBB or '*'");
  for (const char* range : {"9-8", "1-65536", "1-", "1-2-3"}) {
    EXPECT_THAT(error_of(range + std::string(" = a\n")), HasSubstr("' is not a mask value"));
  }
  EXPECT_EQ(error_of("3-5 = a\n4 = b\n"), "classes.txt:2: '4' has a line already");
  EXPECT_EQ(error_of("4 = a\n3-5 = b\n"), "classes.txt:2: '4' has a line already");
  EXPECT_THAT(error_of("cat = a\n"), HasSubstr("classes.txt:1: 'cat' is not a mask value"));
  EXPECT_THAT(error_of("-1 = a\n"), HasSubstr("'-1' is not a mask value"));
  EXPECT_THAT(error_of(" = a\n"), HasSubstr("'' is not a mask value"));
  EXPECT_THAT(error_of("#1234567 = a\n"), HasSubstr("is not a mask value"));
  EXPECT_EQ(error_of("3 = a\n3 = b\n"), "classes.txt:2: '3' has a line already");
  EXPECT_EQ(error_of("#102030 = a\n#102030 = a\n"), "classes.txt:2: '#102030' has a line already");
  EXPECT_EQ(error_of("* = a\n* = a\n"), "classes.txt:2: '*' has a line already");
  EXPECT_EQ(error_of("3 = a\n#000000 = b\n"),
            "classes.txt:2: '#000000' mixes ids and colours; expected one kind in all lines");
  EXPECT_EQ(error_of("3 = 0 a\n4 = b\n"),
            "classes.txt:2: 'b' has no id and the classes of the lines before have one; expected "
            "ids in all lines or in none");
  EXPECT_THAT(error_of("3 = a\n4 = 1 b\n"), HasSubstr("'1 b' has an id and the classes"));
  EXPECT_EQ(error_of("3 = 255\n"),
            "classes.txt:1: class id 255 is out of range; expected 0 to 254, or 'ignore'");
  EXPECT_EQ(error_of("3 = 0 a\n4 = 0 b\n"),
            "classes.txt:2: class 0 is called 'b' here and 'a' before");
  const auto gap = ClassMap::parse("3 = 0\n4 = 2\n", "classes.txt");
  ASSERT_TRUE(gap.ok());
  EXPECT_EQ(
      gap->expect_no_gap().message(),
      "classes.txt: no line gives class 1, though class 2 exists; expected ids without a gap");
  EXPECT_EQ(error_of("# nothing\n"), "classes.txt maps no mask value; expected lines 'ID = CLASS'");
  EXPECT_EQ(error_of("1 = ignore\n"), "classes.txt names no class; every line says 'ignore'");
  EXPECT_THAT(ClassMap::read("/no/such/classes.txt").status().message(),
              HasSubstr("/no/such/classes.txt"));
}

TEST(ClassMap, MapsIds) {
  const DataFolder folder;
  folder.mask("a", 4, 1, [](int x, int) { return std::array{10, 20, 255, 77}[size_t(x)]; });
  const auto strict = ClassMap::parse("10 = a\n20 = b\n", "classes.txt");
  EXPECT_EQ(strict->read_mask(folder.mask_path("a")).status().message(),
            folder.mask_path("a") + ": value 77 at x 3, y 0 has no line in classes.txt");
  const auto lenient = ClassMap::parse("10 = a\n20 = b\n* = a\n", "classes.txt");
  EXPECT_THAT(lenient->read_mask(folder.mask_path("a"))->pixels, ElementsAre(0, 1, 255, 0));
  // Black-and-white masks: 255 is the object.
  const auto object = ClassMap::parse("255 = a\n* = ignore\n", "classes.txt");
  EXPECT_THAT(object->read_mask(folder.mask_path("a"))->pixels, ElementsAre(255, 255, 0, 255));
}

// As Cityscapes writes its instances: the class id, or a thousand times it plus a number.
TEST(ClassMap, MapsIdsOfSixteenBits) {
  const DataFolder folder;
  const std::vector<uint16_t> ids = {7, 24003, 24999, 25000, 26001, 255};
  const auto png = imageio::encode_png_gray16(3, 2, ids);
  ASSERT_TRUE(png.ok() && write_file_atomically(folder.mask_path("a"), *png).ok());
  const auto map =
      ClassMap::parse("7 = road\n24000-24999 = person\n25000 = rider\n* = ignore\n", "c.txt");
  ASSERT_TRUE(map.ok()) << map.status().message();
  const auto mask = map->read_mask(folder.mask_path("a"));
  ASSERT_TRUE(mask.ok()) << mask.status().message();
  EXPECT_THAT(mask->pixels, ElementsAre(0, 1, 1, 2, 255, 255));
  EXPECT_EQ(mask->width, 3);
  EXPECT_EQ(mask->channels, 1);
  const auto strict = ClassMap::parse("7 = road\n24000 - 24999 = person\n25000 = rider\n", "c.txt");
  ASSERT_TRUE(strict.ok()) << strict.status().message();
  EXPECT_EQ(strict->read_mask(folder.mask_path("a")).status().message(),
            folder.mask_path("a") + ": value 26001 at x 1, y 1 has no line in c.txt");
  EXPECT_EQ(read_mask(folder.mask_path("a")).status().message(),
            folder.mask_path("a") +
                ": the 16-bit value 24003 at x 1, y 0 is out of range; expected labels from 0 to "
                "255; --mask-map FILE says what other values mean");
}

TEST(ClassMap, MapsColours) {
  const DataFolder folder;
  folder.colour_mask("a", 3, 2, [](int x, int y) {
    return Rgb{static_cast<uint8_t>(100 * x), static_cast<uint8_t>(y), 0};
  });
  const auto lenient = ClassMap::parse("#000000 = a\n#640000 = b\n#C80100 = c\n*=ignore", "c.txt");
  EXPECT_THAT(lenient->read_mask(folder.mask_path("a"))->pixels,
              ElementsAre(0, 1, 255, 255, 255, 2));
  const auto strict = ClassMap::parse("#000000 = a\n#640000 = b\n#c80000 = c\n", "c.txt");
  EXPECT_EQ(strict->read_mask(folder.mask_path("a")).status().message(),
            folder.mask_path("a") + ": colour #000100 at x 0, y 1 has no line in c.txt");
  // An indexed PNG is read by its palette.
  folder.mask("b", 2, 1, [](int, int) { return 9; });
  const auto palette = ClassMap::parse("#010203 = a\n", "c.txt");
  EXPECT_THAT(palette->read_mask(folder.mask_path("b"))->pixels, ElementsAre(0, 0));
}

TEST(ClassMap, ReadsCvatsLabelMap) {
  const char* const kText =
      "\xEF\xBB\xBF# label:color_rgb:parts:actions\r\n"
      "background:0,0,0::\r\n"
      "big cat:250, 50,83:head,tail:sit\r\n"
      "\r\n"
      "ignored:224,224,192::\r\n"
      "dog=hund:1,2,3\r\n";
  const auto map = ClassMap::parse(kText, "labelmap.txt");
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_THAT(map->class_names(), ElementsAre("background", "big cat", "dog=hund"));
  EXPECT_TRUE(map->explains_255());
  const DataFolder folder;
  folder.colour_mask("a", 4, 1, [](int x, int) {
    return std::array{Rgb{0, 0, 0}, Rgb{250, 50, 83}, Rgb{224, 224, 192}, Rgb{1, 2, 3}}[size_t(x)];
  });
  EXPECT_THAT(map->read_mask(folder.mask_path("a"))->pixels, ElementsAre(0, 1, 255, 2));
  // Without the line of column names.
  EXPECT_THAT(ClassMap::parse("a:0,0,0::\nb:1,1,1::\n", "m")->class_names(), ElementsAre("a", "b"));
}

TEST(ClassMap, ErrorsOfCvatsLabelMapNameFileAndLine) {
  const std::string head = "# label:color_rgb:parts:actions\n";
  EXPECT_EQ(error_of(head + "cat:::\n"),
            "classes.txt:2: 'cat:::' is not a label with its colour; expected "
            "'LABEL:R,G,B:PARTS:ACTIONS'");
  EXPECT_THAT(error_of(head + "cat:1,2,256::\n"), HasSubstr("classes.txt:2: 'cat:1,2,256::'"));
  EXPECT_THAT(error_of(head + "cat:1,2::\n"), HasSubstr("classes.txt:2: "));
  EXPECT_THAT(error_of(head + ":1,2,3::\n"), HasSubstr("classes.txt:2: "));
  EXPECT_THAT(error_of(head + "cat\n"), HasSubstr("classes.txt:2: "));
  EXPECT_EQ(error_of(head + "cat:1,2,3::\ndog:1,2,3::\n"),
            "classes.txt:3: '#010203' has a line already");
  EXPECT_THAT(error_of(head), HasSubstr("maps no mask value"));
}

TEST(ClassMap, TakesAByteOrderMark) {
  const auto map = ClassMap::parse(
      "\xEF\xBB\xBF"
      "0 = a\n1 = b\n",
      "classes.txt");
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_THAT(map->class_names(), ElementsAre("a", "b"));
}

TEST(ClassMap, NamesAreThoseOfTheModel) {
  const std::vector<std::string> labels = {"background", "dog", "cat"};
  const DataFolder folder;
  folder.mask("a", 4, 1, [](int x, int) { return std::array{0, 7, 9, 255}[size_t(x)]; });
  const auto named = ClassMap::parse("0 = Background\n7 = cat\n9 = leash\n", "classes.txt");
  const auto map = named->for_model(labels);
  ASSERT_TRUE(map.ok()) << map.status().message();
  // A class that the model does not have is an error only if a mask shows it.
  EXPECT_EQ(map->read_mask(folder.mask_path("a")).status().message(),
            folder.mask_path("a") +
                ": value 9 at x 2, y 0 is 'leash' in classes.txt, a class that the model does not "
                "have; expected one of the model's classes, or 'ignore'");
  folder.mask("b", 3, 1, [](int x, int) { return std::array{0, 7, 255}[size_t(x)]; });
  EXPECT_THAT(map->read_mask(folder.mask_path("b"))->pixels, ElementsAre(0, 2, 255));
  EXPECT_THAT(named->read_mask(folder.mask_path("b"))->pixels, ElementsAre(0, 1, 255));

  EXPECT_THAT(
      ClassMap::parse("0 = leaf\n1 = spots\n", "c.txt")->for_model(labels).status().message(),
      HasSubstr("c.txt: the model has none of the classes leaf, spots"));
  // An id is an id.
  const auto numbered = ClassMap::parse("0 = 0\n7 = 1 cat\n* = ignore\n", "c.txt");
  EXPECT_THAT(numbered->for_model(labels)->read_mask(folder.mask_path("a"))->pixels,
              ElementsAre(0, 1, 255, 255));
  // Colours and '*' likewise.
  folder.colour_mask("c", 2, 1, [](int x, int) { return Rgb{static_cast<uint8_t>(x), 0, 0}; });
  EXPECT_THAT(ClassMap::parse("#000000 = cat\n* = dog\n", "c.txt")
                  ->for_model(labels)
                  ->read_mask(folder.mask_path("c"))
                  ->pixels,
              ElementsAre(2, 1));
}

TEST(ClassMap, SaysWhetherItExplains255) {
  EXPECT_FALSE(ClassMap::parse("0 = a\n1 = b\n", "c")->explains_255());
  EXPECT_FALSE(ClassMap::parse("0 = a\n* = b\n", "c")->explains_255());
  EXPECT_TRUE(ClassMap::parse("0 = a\n255 = b\n", "c")->explains_255());
  EXPECT_TRUE(ClassMap::parse("0 = a\n255 = ignore\n", "c")->explains_255());
  EXPECT_TRUE(ClassMap::parse("#000000 = a\n", "c")->explains_255());
}

}  // namespace
}  // namespace deeplab::eval
