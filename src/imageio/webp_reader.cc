#include <webp/decode.h>

#include <cstring>

#include "imageio/codec.h"
#include "imageio/orientation.h"

namespace deeplab::imageio {
namespace {

constexpr size_t kRiffHeaderBytes = 12;  // "RIFF", size, "WEBP"
constexpr size_t kChunkHeaderBytes = 8;  // name, size

const uint8_t* as_u8(Bytes bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

bool named(Bytes bytes, size_t at, const char (&name)[5]) {
  return std::memcmp(bytes.data() + at, name, 4) == 0;
}

/// The orientation in the EXIF chunk, which follows the pixels (RIFF container of WebP).
int orientation(Bytes bytes) {
  for (size_t at = kRiffHeaderBytes; bytes.size() - at >= kChunkHeaderBytes;) {
    const bool is_exif = named(bytes, at, "EXIF");
    const size_t size = load_le32(bytes, at + 4);
    at += kChunkHeaderBytes;
    if (size > bytes.size() - at) break;
    if (is_exif) return exif_orientation(bytes.subspan(at, size));
    const size_t padded = size + size % 2;
    if (padded > bytes.size() - at) break;
    at += padded;
  }
  return 1;
}

Status failure(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
    case VP8_STATUS_USER_ABORT:  // nobody aborts, but this is what no memory for a row gives
      return resource_exhausted("not enough memory to decode the WebP");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return invalid_image("damaged WebP: the data ends early (truncated file)");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return unsupported("a WebP with a feature that libwebp does not know");
    default:
      return invalid_image("damaged WebP: the bitstream contradicts itself");
  }
}

Result<WebPBitstreamFeatures> read_features(Bytes bytes) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(as_u8(bytes), bytes.size(), &features);
  if (code != VP8_STATUS_OK) return failure(code);
  if (features.has_animation != 0) {
    return unsupported("an animated WebP; expected a still picture");
  }
  return features;
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= kRiffHeaderBytes && named(bytes, 0, "RIFF") && named(bytes, 8, "WEBP");
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const WebPBitstreamFeatures features, read_features(bytes));
  return ImageInfo{ImageFormat::kWebp, features.width, features.height, orientation(bytes)};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const WebPBitstreamFeatures features, read_features(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(features.width, features.height, options.max_pixels));

  Image image = make_image(features.width, features.height, features.has_alpha != 0 ? 4 : 3);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    return internal_error("libwebp is not of the version this program was built for");
  }
  // Straight into the image: libwebp then owns nothing that had to be freed.
  config.output.colorspace = image.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.pixels.data(), image.width * image.channels, image.pixels.size()};
  const VP8StatusCode code = WebPDecode(as_u8(bytes), bytes.size(), &config);
  if (code != VP8_STATUS_OK) return failure(code);
  return Decoded{std::move(image), orientation(bytes)};
}

}  // namespace

const Codec kWebpCodec = {recognizes, probe, decode};

}  // namespace deeplab::imageio
