// One image reader, which FUZZ_FORMAT chooses: the bytes are made to begin as its format does, so
// that no input is spent on another one. The first byte of the input holds the options.
#include <algorithm>
#include <string_view>
#include <vector>

#include "eval/voc_dataset.h"
#include "fuzz/target.h"
#include "imageio/reader.h"

namespace deeplab::fuzz {
namespace {

constexpr std::string_view kFormat = FUZZ_FORMAT;
/// '.' stands for any byte.
constexpr std::string_view kSignature = kFormat == "jpeg"   ? "\xFF\xD8\xFF"
                                        : kFormat == "png"  ? "\x89PNG\r\n\x1A\n"
                                        : kFormat == "webp" ? "RIFF....WEBP"
                                        : kFormat == "bmp"  ? "BM"
                                        : kFormat == "gif"  ? "GIF8.a"
                                        : kFormat == "tiff" ? ""
                                        : kFormat == "heif" ? "....ftyp"
                                                            : "P";

void check(const Result<imageio::Image>& image, const imageio::ReadOptions& options) {
  if (!image.ok()) {
    require_sentence(image.status());
    return;
  }
  const int64_t samples = int64_t{image->width} * image->height * image->channels;
  require(image->width > 0 && image->height > 0 && image->channels > 0, "a picture has pixels");
  require(static_cast<int64_t>(image->pixels.size()) == samples, "pixels are as many as it says");
  require(int64_t{image->original_width} * image->original_height <= options.max_pixels,
          "no picture is larger than its limit");
}

}  // namespace
}  // namespace deeplab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeplab;
  if (size <= fuzz::kSignature.size()) return 0;
  const uint8_t choice = data[0];
  std::vector<std::byte> bytes(size - 1);
  std::transform(data + 1, data + size, bytes.begin(), [](uint8_t b) { return std::byte{b}; });
  for (size_t i = 0; i < fuzz::kSignature.size(); ++i) {
    if (fuzz::kSignature[i] != '.') bytes[i] = static_cast<std::byte>(fuzz::kSignature[i]);
  }

  imageio::ReadOptions options;
  options.max_pixels = 1 << 14;
  options.keep_alpha = (choice & 1) != 0;
  options.target_side = (choice & 2) != 0 ? 1 + (choice >> 2) : 0;
  const auto info = imageio::probe_image(bytes, "file");
  if (!info.ok()) fuzz::require_sentence(info.status());
  const auto image = imageio::decode_image(bytes, "file", options);
  fuzz::check(image, options);
  if (image.ok()) {
    fuzz::require(info.ok(), "what can be decoded can be probed");
    fuzz::require(info->orientation >= 1 && info->orientation <= 8, "EXIF knows 8 orientations");
  }
  if (fuzz::kFormat == "png") {
    const auto labels = eval::decode_mask(bytes, "file", options);
    fuzz::check(labels, options);
    fuzz::require(!labels.ok() || labels->channels == 1, "a label map has one channel");
  }
  return 0;
}
