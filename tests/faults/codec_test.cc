// Memory that runs out while photos are read and pictures are written: the codec libraries ask for
// it by themselves, and some of them continue without it.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/file.h"
#include "imageio/reader.h"
#include "imageio/writer.h"
#include "tests/faults/campaign.h"
#include "tests/faults/folder.h"
#include "tests/imageio/sample_files.h"

namespace deeplab::testing {
namespace {

using namespace deeplab::imageio;
using deeplab::imageio::testing::every_flavour;
using deeplab::imageio::testing::gradient;
using deeplab::imageio::testing::NamedFile;
using Throws = RoomCall::Throws;

constexpr int32_t kWidth = 37;
constexpr int32_t kHeight = 29;

uint64_t digest_of(const Image& image) {
  const int32_t size[] = {image.width, image.height, image.channels, image.original_width,
                          image.original_height};
  return Digest().add(size, std::size(size)).add(image.pixels.data(), image.pixels.size()).value();
}

uint64_t digest_of(const EncodedImage& file) {
  return Digest().add(file.data(), file.size()).value();
}
uint64_t digest_of(const ImageInfo& info) {
  const int32_t facts[] = {info.width, info.height, info.orientation};
  return Digest().add(facts, std::size(facts)).value();
}

/// Of what a call gave, whose error keeps its code if there is no memory to copy the sentence.
template <typename T>
Result<uint64_t> digest_of(const Result<T>& result) {
  if (result.ok()) return digest_of(*result);
  try {
    return result.status();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

TEST(Codecs, ProbeAndDecodeEveryFlavour) {
  for (const NamedFile& file : every_flavour()) {
    campaign(("probe " + file.name).c_str(), Throws::kNever,
             [&] { return digest_of(probe_image(file.bytes, file.name)); });
    // libwebp before 1.4.0 frees what was never set if it lacks memory for a Huffman table.
    if (file.name == "lossless.webp" || file.name == "alpha.webp") continue;
    campaign(("decode " + file.name).c_str(), Throws::kNever,
             [&] { return digest_of(decode_image(file.bytes, file.name, {.keep_alpha = true})); });
    campaign(("rows of " + file.name).c_str(), Throws::kNever, [&]() -> Result<uint64_t> {
      Digest digest;
      Status status =
          decode_rows(file.bytes, file.name, {.target_side = 20}, [&](const uint8_t* rgb) {
            digest.add(rgb, 3);
            return Status();
          });
      if (!status.ok()) return status;
      return digest.value();
    });
  }
}

TEST(Codecs, LabelMaps) {
  const auto gray = gradient(kWidth, kHeight, 1);
  const auto file = encode_png_gray(kWidth, kHeight, gray);
  ASSERT_TRUE(file.ok());
  campaign("decode label map", Throws::kNever,
           [&] { return digest_of(decode_label_png(*file, "labels.png")); });
}

TEST(Codecs, Encode) {
  const auto gray = gradient(kWidth, kHeight, 1);
  const auto rgb = gradient(kWidth, kHeight, 3);
  const auto rgba = gradient(kWidth, kHeight, 4);
  std::vector<uint16_t> deep(gray.size(), 4711);
  std::vector<Rgb> palette(256, Rgb{1, 2, 3});
  campaign("encode indexed PNG", Throws::kNever,
           [&] { return digest_of(encode_png_indexed(kWidth, kHeight, gray, palette)); });
  campaign("encode grey PNG", Throws::kNever,
           [&] { return digest_of(encode_png_gray(kWidth, kHeight, gray)); });
  campaign("encode 16-bit PNG", Throws::kNever,
           [&] { return digest_of(encode_png_gray16(kWidth, kHeight, deep)); });
  campaign("encode RGB PNG", Throws::kNever,
           [&] { return digest_of(encode_png_rgb(kWidth, kHeight, rgb)); });
  campaign("encode RGBA PNG", Throws::kNever,
           [&] { return digest_of(encode_png_rgba(kWidth, kHeight, rgba)); });
  campaign("encode JPEG", Throws::kNever,
           [&] { return digest_of(encode_jpeg(kWidth, kHeight, rgb, 90)); });
}

/// Writes a mask over an old file.
class WriteMask : public Subject {
 public:
  WriteMask() : mask_(gradient(kWidth, kHeight, 1)) {
    std::ofstream(path_) << kOld;
    write_.emplace(Throws::kBadAlloc, [this]() -> Result<uint64_t> {
      const auto png = encode_png_gray(kWidth, kHeight, mask_);
      if (!png.ok()) return png.status();
      const Status written = write_file_atomically(path_, *png);
      if (!written.ok()) return written;
      return Digest().add(png->data(), png->size()).value();
    });
  }
  Outcome call() override { return write_->call(); }
  bool left_whole() override {
    const auto bytes = read_file(path_, 1 << 20);
    if (!bytes.ok() || folder_.files() != 1) return false;
    const std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    if (text == kOld) return true;
    const auto mask = decode_label_png(*bytes, path_);
    return mask.ok() && mask->pixels == mask_;
  }

 private:
  static constexpr const char* kOld = "what was there before";
  Folder folder_;
  std::string path_ = folder_.file("mask.png");
  std::vector<uint8_t> mask_;
  std::optional<RoomCall> write_;
};

TEST(Codecs, AMaskOverAnOldFile) {
  campaign("write a mask", [] { return std::make_unique<WriteMask>(); });
}

TEST(Codecs, ReadFile) {
  const Folder folder;
  const std::string path = folder.file("photo");
  const NamedFile photo = every_flavour().front();
  ASSERT_TRUE(write_file_atomically(path, photo.bytes).ok());
  campaign("read a photo's file", Throws::kNever, [&] { return digest_of(read_image(path)); });
}

}  // namespace
}  // namespace deeplab::testing
