#include <webp/decode.h>

#include <cstring>
#include <utility>
#include <vector>

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

/// Calls `take(name's place, data)` for each whole chunk of a list of them, until it says true.
template <typename Take>
void for_each_chunk(Bytes bytes, size_t at, const Take& take) {
  while (bytes.size() - at >= kChunkHeaderBytes) {
    const size_t name = at;
    const size_t size = load_le32(bytes, at + 4);
    at += kChunkHeaderBytes;
    if (size > bytes.size() - at || take(name, bytes.subspan(at, size))) return;
    const size_t padded = size + size % 2;
    if (padded > bytes.size() - at) return;
    at += padded;
  }
}

/// What the EXIF and XMP chunks say, which follow the pixels (RIFF container of WebP).
int orientation(Bytes bytes) {
  OrientationFinder finder;
  for_each_chunk(bytes, kRiffHeaderBytes, [&](size_t name, Bytes data) {
    if (named(bytes, name, "EXIF")) finder.exif(data);
    if (named(bytes, name, "XMP ")) finder.xmp(data);
    return false;
  });
  return finder.orientation();
}

std::vector<std::byte> profile(Bytes bytes) {
  std::vector<std::byte> profile;
  for_each_chunk(bytes, kRiffHeaderBytes, [&](size_t name, Bytes data) {
    if (!named(bytes, name, "ICCP") || data.size() > kMostMetadataBytes) return false;
    profile.assign(data.begin(), data.end());
    return true;
  });
  return profile;
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
  return features;
}

uint32_t load_le24(Bytes bytes, size_t at) {
  return load_le16(bytes, at) | load_u8(bytes, at + 2) << 16;
}

/// The first frame of an animation, and where it lies on the canvas.
struct Frame {
  std::vector<std::byte> file;  ///< A still WebP of the frame alone.
  int64_t x = 0;
  int64_t y = 0;
};

constexpr size_t kFrameHeaderBytes = 16;  // place, size, duration, flags

void append_text(std::vector<std::byte>& out, const char* text) {
  for (; *text != '\0'; ++text) out.push_back(static_cast<std::byte>(*text));
}
void append_le(std::vector<std::byte>& out, size_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8) out.push_back(static_cast<std::byte>(value));
}

/// libwebp alone decodes no animation; but a frame's chunks are those of a still picture.
Result<Frame> first_frame(Bytes bytes) {
  Bytes data;
  for_each_chunk(bytes, kRiffHeaderBytes, [&](size_t name, Bytes chunk) {
    if (!named(bytes, name, "ANMF")) return false;
    data = chunk;
    return true;
  });
  if (data.size() <= kFrameHeaderBytes) {
    return invalid_image("damaged WebP: the first frame of the animation is missing or truncated");
  }
  Frame frame;
  frame.x = 2 * static_cast<int64_t>(load_le24(data, 0));
  frame.y = 2 * static_cast<int64_t>(load_le24(data, 3));
  bool has_alpha = false;
  const Bytes chunks = data.subspan(kFrameHeaderBytes);
  for_each_chunk(chunks, 0, [&](size_t name, Bytes) {
    has_alpha = has_alpha || named(chunks, name, "ALPH");
    return false;
  });
  std::vector<std::byte>& file = frame.file;
  const size_t extension = has_alpha ? 18 : 0;  // VP8X, which ALPH needs
  append_text(file, "RIFF");
  append_le(file, 4 + extension + chunks.size(), 4);
  append_text(file, "WEBP");
  if (has_alpha) {
    append_text(file, "VP8X");
    append_le(file, 10, 4);
    append_le(file, 0x10, 4);                // has alpha
    append_le(file, load_le24(data, 6), 3);  // both sides less 1, as in the frame's header
    append_le(file, load_le24(data, 9), 3);
  }
  file.insert(file.end(), chunks.begin(), chunks.end());
  return frame;
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= kRiffHeaderBytes && named(bytes, 0, "RIFF") && named(bytes, 8, "WEBP");
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const WebPBitstreamFeatures features, read_features(bytes));
  return ImageInfo{ImageFormat::kWebp, features.width, features.height, orientation(bytes)};
}

Result<Image> decode_still(Bytes bytes, int64_t max_pixels) {
  DEEPLAB_ASSIGN_OR_RETURN(const WebPBitstreamFeatures features, read_features(bytes));
  if (features.has_animation != 0) {
    return invalid_image("damaged WebP: a frame of the animation is itself an animation");
  }
  DEEPLAB_RETURN_IF_ERROR(check_size(features.width, features.height, max_pixels));

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
  return image;
}

/// The frame on its canvas, which is transparent around it.
Image on_canvas(const Image& frame, int64_t x, int64_t y, int64_t width, int64_t height) {
  Image canvas = make_image(width, height, 4);
  const auto channels = static_cast<size_t>(frame.channels);
  for (int64_t row = 0; row < frame.height; ++row) {
    const uint8_t* from = frame.pixels.data() + static_cast<size_t>(row * frame.width) * channels;
    uint8_t* to = canvas.pixels.data() + static_cast<size_t>(((y + row) * width + x) * 4);
    for (int32_t column = 0; column < frame.width; ++column, from += channels, to += 4) {
      std::memcpy(to, from, 3);
      to[3] = channels == 4 ? from[3] : 255;
    }
  }
  return canvas;
}

Result<Image> decode_first_frame(Bytes bytes, const WebPBitstreamFeatures& canvas,
                                 int64_t max_pixels) {
  DEEPLAB_RETURN_IF_ERROR(check_size(canvas.width, canvas.height, max_pixels));
  DEEPLAB_ASSIGN_OR_RETURN(const Frame frame, first_frame(bytes));
  DEEPLAB_ASSIGN_OR_RETURN(Image image, decode_still(frame.file, max_pixels));
  if (frame.x + image.width > canvas.width || frame.y + image.height > canvas.height) {
    return invalid_image("damaged WebP: the first frame leaves the canvas");
  }
  if (image.width == canvas.width && image.height == canvas.height) return image;
  return on_canvas(image, frame.x, frame.y, canvas.width, canvas.height);
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const WebPBitstreamFeatures features, read_features(bytes));
  Decoded decoded;
  if (features.has_animation != 0) {
    DEEPLAB_ASSIGN_OR_RETURN(decoded.image,
                             decode_first_frame(bytes, features, options.max_pixels));
  } else {
    DEEPLAB_ASSIGN_OR_RETURN(decoded.image, decode_still(bytes, options.max_pixels));
  }
  decoded.orientation = orientation(bytes);
  return decoded;
}

}  // namespace

const Codec kWebpCodec = {recognizes, probe, decode, nullptr, profile};

}  // namespace deeplab::imageio
