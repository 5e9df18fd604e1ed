// Files named by what they are.
#include "imageio/file_kind.h"

#include "tests/imageio/check.h"

namespace deeplab::imageio::testing {
namespace {

std::string kind(const std::string& first) { return std::string(kind_of(text_file(first)).name); }
std::string brand(const std::string& brands) {
  return kind(std::string("\0\0\0\x18", 4) + "ftyp" + brands);
}

TEST(FileKind, NamesWhatPeopleHaveInTheirFolders) {
  EXPECT_EQ(kind(""), "empty file");
  EXPECT_EQ(kind("Dear reader"), "text file");
  EXPECT_EQ(kind("BMX racing is fun, says the reader"), "text file");
  EXPECT_EQ(kind("P5 is a course"), "text file");
  EXPECT_EQ(kind("P5 3 4 255\n"), "PNM picture");
  EXPECT_EQ(kind("GIF89a"), "GIF picture");
  EXPECT_EQ(kind(std::string("II*\0", 4)), "TIFF picture");
  EXPECT_EQ(kind("%PDF-1.7"), "PDF document");
  EXPECT_EQ(kind("\x7F"
                 "ELF"),
            "ELF program");
  EXPECT_EQ(kind("  <!DOCTYPE HTML>"), "HTML page");
  EXPECT_EQ(kind("<?xml version='1.0'?><svg/>"), "SVG drawing");
  EXPECT_EQ(kind("{\"a\": 1}"), "JSON file");
  EXPECT_EQ(kind("version https://git-lfs.github.com/spec/v1"), "Git LFS pointer");
  EXPECT_EQ(kind(std::string("\x00\x01\x02\x03", 4)), "unknown file");
  EXPECT_EQ(brand("heic"), "HEIC picture");
  EXPECT_EQ(brand(std::string("mif1\0\0\0\0mif1avif", 16)), "AVIF picture");
  EXPECT_EQ(brand("avif"), "AVIF picture");
  EXPECT_EQ(brand("isom"), "MP4 video");
}

TEST(FileKind, AgreesWithTheReaders) {
  for (const auto& [name, bytes] : every_flavour()) {
    EXPECT_TRUE(kind_of(bytes).readable) << name;
    EXPECT_EQ(kind_of(bytes).missing_codec, "") << name;
  }
}

TEST(FileKind, ErrorsNameItAndSayWhatToDo) {
  const Status text = decode_image(text_file("Dear reader"), "a.jpg").status();
  expect_error(text, "a.jpg", "(text file); expected JPEG", StatusCode::kInvalidImage);
  for (const auto& [codec, first] : {std::pair<std::string, std::string>{"GIF", "GIF89a"},
                                     {"TIFF", std::string("II*\0", 4)},
                                     {"HEIC", std::string("\0\0\0\x18", 4) + "ftypheic"},
                                     {"AVIF", std::string("\0\0\0\x18", 4) + "ftypavif"}}) {
    const Status status = decode_image(text_file(first), "photo").status();
    EXPECT_FALSE(status.ok());
    if (missing_formats().find(codec) == std::string::npos) continue;
    expect_error(status, "photo", codec + " picture; this deeplab was built without " + codec,
                 StatusCode::kUnsupported);
    expect_error(status, "photo", "./build.sh --with codecs", StatusCode::kUnsupported);
  }
}

}  // namespace
}  // namespace deeplab::imageio::testing
