// A corpus of broken files, made here: each gives an image or one clear sentence, never a crash.
#include <png.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "tests/imageio/check.h"
#include "tests/sanitizers.h"

namespace deeplab::imageio::testing {
namespace {

constexpr int kW = 37;
constexpr int kH = 29;

int64_t peak_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  ADD_FAILURE() << "no VmHWM in /proc/self/status";
  return 0;
}

/// Runs `body` and gives the most memory that it held at a time beyond what was held before.
template <typename Body>
int64_t memory_taken_kib(const Body& body) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again from here
  const int64_t before = peak_memory_kib();
  body();
  return peak_memory_kib() - before;
}

void expect_image_or_sentence(const Result<Image>& image, const std::string& name) {
  if (image.ok()) {
    EXPECT_EQ(image->pixels.size(), static_cast<size_t>(image->width) *
                                        static_cast<size_t>(image->height) *
                                        static_cast<size_t>(image->channels));
    return;
  }
  expect_error(image.status(), name, "", image.status().code());
}

TEST(Broken, EveryFlavourIsGoodToBeginWith) {
  for (const auto& [name, bytes] : every_flavour()) {
    const Result<Image> image = decode_image(bytes, name);
    ASSERT_TRUE(image.ok()) << image.status().message();
    const Result<ImageInfo> info = probe_image(bytes, name);
    ASSERT_TRUE(info.ok()) << info.status().message();
    EXPECT_EQ(info->width, image->width) << name;
    EXPECT_EQ(info->height, image->height) << name;
    EXPECT_EQ(std::max(image->width, image->height), kW) << name;
    EXPECT_EQ(std::min(image->width, image->height), kH) << name;
  }
}

TEST(Broken, TruncatedAtEverySixteenth) {
  for (const auto& [name, bytes] : every_flavour()) {
    for (size_t part = 0; part < 16; ++part) {
      const auto cut = std::span(bytes).first(bytes.size() * part / 16);
      const Result<Image> image = decode_image(cut, name, {.strict = true});
      EXPECT_FALSE(image.ok()) << name << " with " << part << "/16 of its bytes";
      expect_error(image.status(), name, "", StatusCode::kInvalidImage);
      const Result<Image> tolerated = decode_image(cut, name);
      expect_image_or_sentence(tolerated, name);
      EXPECT_TRUE(!tolerated.ok() || !tolerated->warning.empty()) << name;
      const Result<ImageInfo> info = probe_image(cut, name);
      if (!info.ok()) expect_error(info.status(), name, "", StatusCode::kInvalidImage);
      expect_image_or_sentence(decode_label_png(cut, name), name);
    }
  }
}

TEST(Broken, FlippedBytes) {
  std::mt19937 random(20240607);
  const ReadOptions options = {.max_pixels = 1 << 18, .keep_alpha = true};
  for (const auto& [name, bytes] : every_flavour()) {
    std::uniform_int_distribution<size_t> anywhere(0, bytes.size() - 1);
    std::uniform_int_distribution<size_t> in_header(0, std::min<size_t>(bytes.size(), 150) - 1);
    for (int round = 0; round < 400; ++round) {
      File broken = bytes;
      for (int flips = 1 + round % 4; flips > 0; --flips) {
        const size_t at = round % 2 == 0 ? anywhere(random) : in_header(random);
        broken[at] ^= static_cast<std::byte>(1u << random() % 8);
        if (round % 3 == 0) broken[at] = static_cast<std::byte>(random());
      }
      expect_image_or_sentence(decode_image(broken, name, options), name);
      expect_image_or_sentence(decode_label_png(broken, name, options), name);
      const Result<ImageInfo> info = probe_image(broken, name);
      if (!info.ok()) expect_error(info.status(), name, "", info.status().code());
    }
  }
}

/// Another size in the header of a JPEG, baseline or progressive.
void set_jpeg_size(File& jpeg, uint32_t side) {
  const auto frame = std::adjacent_find(jpeg.begin(), jpeg.end(), [](std::byte a, std::byte b) {
    return a == std::byte{0xFF} && (b == std::byte{0xC0} || b == std::byte{0xC2});
  });
  const File sides = FileBuilder().be16(side).be16(side).take();
  std::copy(sides.begin(), sides.end(), frame + 5);
}

/// The files of every format with another size in the header.
std::vector<NamedFile> resized_headers(uint32_t side) {
  const Samples rgb = gradient(kW, kH, 3);
  File jpeg = jpeg_file({.width = kW, .height = kH, .samples = rgb});
  set_jpeg_size(jpeg, side);

  const std::string size = std::to_string(side) + " " + std::to_string(side);
  const File lossy = webp_file(kW, kH, 3, rgb, false, 80);
  const int canvas = static_cast<int>(side);
  return {
      {"huge.jpg", jpeg},
      {"huge.png", with_png_size(png_file({.width = kW, .height = kH, .rows = rgb}), side, side)},
      {"huge.bmp", bmp_file({.width = canvas, .height = canvas, .data = Samples(100)})},
      {"huge_rle.bmp", bmp_file({.width = canvas,
                                 .height = canvas,
                                 .bits = 8,
                                 .compression = 1,
                                 .palette = {1, 2, 3},
                                 .data = {0, 1}})},
      {"huge_plain.ppm", text_file("P3 " + size + " 255 1 2 3")},
      {"huge_raw.pgm", text_file("P5 " + size + " 255\nabc")},
      {"huge.webp", webp_extended(lossy, canvas, canvas, 0x08, exif_block(1, true))},
  };
}

TEST(Broken, HeadersOf60000Squared) {
  for (const auto& [name, bytes] : resized_headers(60000)) {
    Status status;
    const int64_t taken = memory_taken_kib([&] { status = decode_image(bytes, name).status(); });
    EXPECT_LT(taken, 8 * 1024) << name << ": memory was taken before the check";
    // libwebp itself compares the canvas with the picture in it, which can be 16383 at most.
    if (name == "huge.webp") {
      expect_error(status, name, "contradicts", StatusCode::kInvalidImage);
      continue;
    }
    expect_error(status, name, "60000x60000", StatusCode::kResourceExhausted);
    expect_error(status, name, "268435456", StatusCode::kResourceExhausted);
  }
}

/// As large as is allowed, by the header, and the pixels of a small picture.
std::vector<NamedFile> claims_without_pixels() {
  constexpr uint32_t kSide = 16384;
  std::vector<NamedFile> files = resized_headers(kSide);
  // A picture of one colour may be as small in these two.
  std::erase_if(files, [](const NamedFile& file) {
    return file.name == "huge.webp" || file.name == "huge_rle.bmp";
  });
  const File png = png_file({.width = kW,
                             .height = kH,
                             .color_type = PNG_COLOR_TYPE_RGB_ALPHA,
                             .rows = gradient(kW, kH, 4),
                             .interlaced = true});
  files.push_back({"interlaced.png", with_png_size(png, kSide, kSide)});
  File jpeg =
      jpeg_file({.width = kW, .height = kH, .samples = gradient(kW, kH, 3), .progressive = true});
  set_jpeg_size(jpeg, kSide);
  files.push_back({"progressive.jpg", jpeg});
  return files;
}

TEST(Broken, MemoryIsTakenForPixelsThatAreThere) {
  if (deeplab::testing::kSanitizer) GTEST_SKIP() << "skipped: a sanitizer touches what is reserved";
  for (const auto& [name, bytes] : claims_without_pixels()) {
    Status status;
    const int64_t taken = memory_taken_kib([&] { status = decode_image(bytes, name).status(); });
    EXPECT_LT(taken, 2 * 1024) << name;
    expect_error(status, name, "", StatusCode::kInvalidImage);
  }
}

TEST(Broken, LiftedLimitStillChecksTheData) {
  // Nobody has 2^31 x 2^31 pixels, whatever the caller's limit.
  const ReadOptions any = {.max_pixels = INT64_MAX};
  for (const char* text : {"P3 2147483647 2147483647 255 1", "P6 2147483647 2147483647 255\nab"}) {
    expect_error(decode_image(text_file(text), "vast.ppm", any).status(), "vast.ppm",
                 "2147483647x2147483647", StatusCode::kResourceExhausted);
  }
  expect_error(decode_image(text_file("P6 60000 60000 255\nab"), "vast.ppm", any).status(),
               "vast.ppm", "truncated", StatusCode::kInvalidImage);
}

TEST(Broken, ZeroDimensions) {
  for (const auto& [name, bytes] : resized_headers(0)) {
    if (name == "huge.webp") continue;  // a WebP canvas stores its sides minus one
    expect_error(decode_image(bytes, name).status(), name, "", StatusCode::kInvalidImage);
  }
  const Status png =
      decode_image(
          with_png_size(png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)}), 0, 5),
          "flat.png")
          .status();
  expect_error(png, "flat.png", "0x5", StatusCode::kInvalidImage);
}

TEST(Broken, TheLimitIsInclusive) {
  const File file = png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)});
  EXPECT_TRUE(decode_image(file, "a.png", {.max_pixels = kW * kH}).ok());
  expect_error(decode_image(file, "a.png", {.max_pixels = kW * kH - 1}).status(), "a.png", "37x29",
               StatusCode::kResourceExhausted);
}

TEST(Broken, PngWithCompressedBombsInTextAndProfile) {
  const File png = png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)});
  const File zeros = zlib_zeros(size_t{200} << 20);
  const std::string keyword("bomb\0\0", 6);  // keyword, its end, method 0
  for (const char* name : {"zTXt", "iCCP"}) {
    const File chunk = png_chunk(name, FileBuilder().text(keyword).raw(zeros).take());
    const File bomb = with_png_chunk(with_png_chunk(png, chunk), chunk);
    Image image;
    EXPECT_LT(memory_taken_kib([&] { image = decode_ok(bomb); }), 1024) << name;
    EXPECT_EQ(image.pixels, gradient(kW, kH, 3));  // the picture itself is good
  }
}

TEST(Broken, PngExifChunkTooLarge) {
  const File png = png_file({.width = kW, .height = kH, .rows = gradient(kW, kH, 3)});
  File exif = exif_block(6, true);
  exif.resize(size_t{4} << 20);
  const auto image = decode_image(with_png_chunk(png, png_chunk("eXIf", exif)), "e.png");
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.status().message(), "e.png: damaged PNG: eXIf: chunk data is too large");
}

TEST(Broken, PngBombOfPixels) {
  // 30000 x 30000 grey pixels in a file of about 0.1 MB: well-formed, and over the limit.
  const Samples row_bytes(size_t{30000} / 8 * 30000);
  const File bomb = png_file({.width = 30000,
                              .height = 30000,
                              .color_type = PNG_COLOR_TYPE_GRAY,
                              .bit_depth = 1,
                              .rows = row_bytes});
  ASSERT_LT(bomb.size(), 200'000u);
  Status status;
  const auto decode = [&] { status = decode_image(bomb, "bomb.png").status(); };
  EXPECT_LT(memory_taken_kib(decode), 8 * 1024);
  expect_error(status, "bomb.png", "30000x30000", StatusCode::kResourceExhausted);
}

TEST(Broken, OutOfMemoryIsAnErrorLikeAnyOther) {
  if (deeplab::testing::kSanitizer)
    GTEST_SKIP() << "skipped: a sanitizer's shadow memory is over any limit";
  const Samples row_bytes(size_t{16000} / 8 * 16000);
  const File large = png_file({.width = 16000,
                               .height = 16000,
                               .color_type = PNG_COLOR_TYPE_GRAY,
                               .bit_depth = 1,
                               .rows = row_bytes});
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit = {size_t{500} << 20, size_t{500} << 20};  // the pixels need 732 MiB
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    const Status status = decode_image(large, "large.png").status();
    const bool good = status.code() == StatusCode::kResourceExhausted &&
                      status.message() == "large.png: not enough memory to read the image";
    ::_exit(good ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state;
}

TEST(Broken, TextThatStartsLikeAnImage) {
  for (const char* text : {"BMX racing is fun", "P5", "P6", "P6 ", "P9 1 1 1", "RIFF1234WEBP",
                           "RIFF1234WEBPVP8 ", "\xFF\xD8\xFF", "\x89PNG\r\n\x1A\n"}) {
    expect_error(decode_image(text_file(text), "text").status(), "text", "",
                 StatusCode::kInvalidImage);
  }
}

}  // namespace
}  // namespace deeplab::imageio::testing
