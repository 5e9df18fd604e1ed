// What one photo costs in memory.
#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "imageio/writer.h"
#include "tests/apps/program.h"
#include "tests/sanitizers.h"

namespace deeplab::testing {
namespace {

/// A photo: discs over gradients with noise, about 0.2 bytes per pixel as a JPEG.
std::vector<std::byte> jpeg_of(int32_t width, int32_t height) {
  std::vector<uint8_t> pixels;
  pixels.reserve(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  uint32_t random = 1;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      random = random * 1664525 + 1013904223;
      const int32_t u = x % 300 - 150, v = y % 300 - 150;
      const bool disc = u * u + v * v < 90 * 90;
      const auto noise = static_cast<int32_t>(random >> 29);
      for (const int32_t base : {x * 190 / width, y * 190 / height, 190 - x * 190 / width}) {
        pixels.push_back(static_cast<uint8_t>((disc ? 220 - base : base) + noise));
      }
    }
  }
  const auto jpeg = imageio::encode_jpeg(width, height, pixels, 90);
  return jpeg.ok() ? *jpeg : std::vector<std::byte>();
}

/// The most memory that the program held to segment this photo.
int64_t peak_bytes(const std::string& photo, const std::string& to, const char* files) {
  const ProgramRun run =
      run_deeplab({"segment", photo, "-o", to, "--write", files, "--threads", "2"});
  EXPECT_EQ(run.status, 0) << run.err;
  return run.peak_bytes;
}

// What a megapixel takes more than a tiny photo, for which the program, its libraries and the
// network are the same: 1.2 MB when this was written. A buffer for the picture at one byte per
// channel would be 3.0 MB.
constexpr int64_t kMostMore = 2'000'000;

TEST(Memory, AMegapixelIsNeverWholeInMemory) {
#if !defined(NDEBUG)
  GTEST_SKIP() << "holds for optimized code";
#endif
  if (kSanitizer) GTEST_SKIP() << "holds for code without sanitizers";
  if (std::string(DEEPLAB_EMULATOR) != "") GTEST_SKIP() << "the emulator has memory of its own";
  const TempDir dir;
  const std::string small = dir / "small.jpg";
  const std::string large = dir / "large.jpg";
  ASSERT_TRUE(write_file_atomically(small, jpeg_of(64, 48)).ok());
  ASSERT_TRUE(write_file_atomically(large, jpeg_of(1152, 864)).ok());
  for (const char* files : {"mask", "mask,overlay"}) {
    const int64_t base = peak_bytes(small, dir.path().string(), files);
    const int64_t more = peak_bytes(large, dir.path().string(), files) - base;
    RecordProperty(files, std::to_string(more));
    EXPECT_GT(base, 5'000'000) << files;  // less cannot be right
    EXPECT_LE(more, kMostMore) << files;
  }
}

}  // namespace
}  // namespace deeplab::testing
