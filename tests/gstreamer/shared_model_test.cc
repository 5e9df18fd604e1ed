// Elements of one process that name the same model file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/gstreamer/element_harness.h"
#include "tests/samples/samples.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;

class SharedModel : public ::testing::Test {
 protected:
  SharedModel() { fs::create_directory(folder_), fs::copy_file(kInt8Labels, path_); }
  ~SharedModel() override { fs::remove_all(folder_); }

  /// As nobody changes a model in earnest: the same size and time, other bytes.
  void damage_unnoticed() {
    const fs::file_time_type time = fs::last_write_time(path_);
    const auto size = static_cast<size_t>(fs::file_size(path_));
    std::ofstream(path_, std::ios::binary) << std::string(size, 'x');
    fs::last_write_time(path_, time);
  }
  std::string element() const { return "deeplabsegment threads=1 canvas=129 model=" + path_; }
  std::vector<uint8_t> mask_of(Harness& harness) const {
    const auto found = attached(harness.run(picture_, "RGB").get());
    return found ? found->mask : std::vector<uint8_t>();
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("deeplab-gst-shared-" + std::to_string(::getpid()));
  const std::string path_ = folder_ / "model.tflite";
  const Picture picture_ = cat(200, 130);
};

TEST_F(SharedModel, IsReadOnceAndFreedByTheLast) {
  const auto expected = library_mask(picture_, "RGB", "129", kInt8Labels);
  {
    Harness first(element());
    damage_unnoticed();
    // Under another name, too; nothing is read any more.
    fs::create_directory_symlink(folder_, folder_ / "link");
    Harness second("deeplabsegment threads=1 canvas=129 model=" +
                   (folder_ / "link" / "model.tflite").string());
    EXPECT_EQ(mask_of(second), expected);
    EXPECT_EQ(mask_of(first), expected);
  }
  const ElementPtr made = pipeline("videotestsrc ! videoconvert ! " + element() + " ! fakesink");
  EXPECT_THAT(play(made.get()), ::testing::HasSubstr(path_));
}

TEST_F(SharedModel, AChangedFileIsAnotherModel) {
  Harness before(element());
  fs::copy_file(kInt8FloatIo, path_, fs::copy_options::overwrite_existing);
  Harness after(element());
  const auto old_mask = library_mask(picture_, "RGB", "129", kInt8Labels);
  const auto new_mask = library_mask(picture_, "RGB", "129", kInt8FloatIo);
  ASSERT_NE(old_mask, new_mask);
  EXPECT_EQ(mask_of(after), new_mask);
  EXPECT_EQ(mask_of(before), old_mask);
}

// As a new image of a disk has it, whose files all have one time.
TEST_F(SharedModel, AReplacedFileIsAnotherModelWhateverItsTimeAndSize) {
  Harness before(element());
  const fs::path other = folder_ / "other.tflite";
  fs::copy_file(path_, other);
  const fs::file_time_type time = fs::last_write_time(path_);
  fs::rename(path_, folder_ / "old.tflite");
  fs::rename(other, path_);
  damage_unnoticed();
  fs::last_write_time(path_, time);
  const ElementPtr made =
      pipeline("videotestsrc num-buffers=1 ! videoconvert ! " + element() + " ! fakesink");
  EXPECT_THAT(play(made.get()), ::testing::HasSubstr(path_));
  EXPECT_EQ(mask_of(before), library_mask(picture_, "RGB", "129", kInt8Labels));
}

}  // namespace
}  // namespace deeplab::testing
