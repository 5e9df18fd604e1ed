// Which files a directory stands for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "photos/photos.h"
#include "tests/apps/program.h"
#include "tests/imageio/sample_files.h"

namespace deeplab::photos {
namespace {

namespace fs = std::filesystem;
using deeplab::testing::TempDir;
using deeplab::testing::write_text;
using imageio::testing::File;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FindPhotos : public ::testing::Test {
 protected:
  void write(const std::string& name, const File& bytes) const {
    const fs::path path = dir_ / name;
    fs::create_directories(path.parent_path());
    write_text(path.string(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void write(const std::string& name, const std::string& text) const {
    write(name, imageio::testing::text_file(text));
  }
  std::vector<std::string> found(const PhotoList& list) const {
    std::vector<std::string> names;
    for (const Photo& photo : list.photos) {
      names.push_back(fs::relative(photo.path, dir_.path()).string());
    }
    return names;
  }

  const TempDir dir_;
  const File png_ = imageio::testing::png_file(
      {.width = 2, .height = 2, .rows = imageio::testing::gradient(2, 2, 3)});
};

TEST_F(FindPhotos, ByNameAndByContent) {
  write("a.png", png_);
  write("b.jfif", png_);
  write("c", png_);
  write("d.tmp", png_);
  write("e.jpg", "a web page that somebody saved");
  write("notes.txt", "no photo");
  write("x.mask.png", png_);
  write("x.polygons.json", "{}");
  write(".hidden.png", png_);
  const PhotoList list = find_photos({dir_.path().string()});
  EXPECT_THAT(found(list), ElementsAre("a.png", "b.jfif", "c", "d.tmp", "e.jpg"));
  ASSERT_THAT(list.passed_over, SizeIs(1));
  EXPECT_EQ(list.passed_over[0].kind, "text file");
  EXPECT_THAT(list.errors, IsEmpty());
}

TEST_F(FindPhotos, FoldersBelowTheNamedOneAreKept) {
  write("a/0001.png", png_);
  write("b/c/0001.png", png_);
  write("0001.png", png_);
  const PhotoList list = find_photos({dir_.path().string(), dir_ / "a/0001.png"});
  ASSERT_THAT(list.photos, SizeIs(4));
  EXPECT_EQ(list.photos[0].folder, "");
  EXPECT_EQ(list.photos[1].folder, "a");
  EXPECT_EQ(list.photos[2].folder, "b/c");
  EXPECT_EQ(list.photos[3].folder, "") << "named as a file";
}

TEST_F(FindPhotos, APipeIsNeverOpened) {
  write("a.png", png_);
  ASSERT_EQ(::mkfifo((dir_ / "pipe.jpg").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("nowhere", dir_.path() / "lost.jpg");
  const PhotoList list = find_photos({dir_.path().string()});
  EXPECT_THAT(found(list), ElementsAre("a.png", "lost.jpg"));
  ASSERT_THAT(list.passed_over, SizeIs(2));
  EXPECT_EQ(list.passed_over[0].kind, "special file");
}

TEST(PassedOverLine, CountsByKindAndNamesAFew) {
  EXPECT_EQ(passed_over_line({}), "");
  EXPECT_EQ(passed_over_line({{"d/x.tif", "TIFF picture"}}),
            "passed over 1 file: 1 TIFF picture (x.tif)");
  std::vector<PassedOver> files = {{"n.txt", "text file"}};
  for (const char* name : {"1", "2", "3", "4", "5"}) files.push_back({name, "HEIC picture"});
  EXPECT_EQ(passed_over_line(files),
            "passed over 6 files: 5 HEIC pictures (1, 2, 3 and 2 more), 1 text file (n.txt)");
}

}  // namespace
}  // namespace deeplab::photos
