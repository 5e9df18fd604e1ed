#include "imageio/reader.h"

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "base/file.h"
#include "imageio/codec.h"
#include "imageio/codec_list.h"
#include "imageio/color.h"
#include "imageio/file_kind.h"
#include "imageio/orientation.h"

namespace deeplab::imageio {
namespace {

// Keeps every byte count far from overflow, whatever limit the caller asks for.
constexpr int64_t kMostPixels = int64_t{1} << 48;

Status not_an_image(Bytes bytes, const std::string& name) {
  const FileKind kind = kind_of(bytes);
  if (!kind.missing_codec.empty()) {
    return unsupported(name, ": ", kind.name, "; this deeplab was built without ",
                       kind.missing_codec, ", which ./build.sh --with codecs adds");
  }
  if (bytes.empty()) return invalid_image(name, " is empty; expected ", readable_formats());
  return invalid_image(name, " is of no known image format (", kind.name, "); expected ",
                       readable_formats());
}

/// The conversion that `options` ask for; nothing if there is nothing to convert.
std::optional<ToSrgb> find_conversion(const Codec& codec, Bytes bytes, bool to_srgb) {
  if (!to_srgb || codec.profile == nullptr || !kHasColorManagement) return std::nullopt;
  return ToSrgb::make(codec.profile(bytes));
}

constexpr const char* kNoMemory = ": not enough memory to read the image";

std::string display_name(const std::string& path) { return path == "-" ? "standard input" : path; }

/// Composes RGBA over white, as a viewer shows it, and leaves RGB.
void flatten_alpha(Image& image) {
  const size_t count = image.pixels.size() / 4;
  const uint8_t* from = image.pixels.data();
  uint8_t* to = image.pixels.data();
  for (size_t i = 0; i < count; ++i, from += 4) {
    const int alpha = from[3];
    for (int c = 0; c < 3; ++c) {
      *to++ = static_cast<uint8_t>((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  image.pixels.resize(count * 3);
  image.channels = 3;
}

/// read_file() and then `decode`, with running out of memory turned into a Status.
template <typename Decode>
Result<Image> read_and_decode(const std::string& path, const ReadOptions& options, Decode decode) {
  try {
    DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                             read_file(path, options.max_file_bytes));
    return decode(bytes, display_name(path), options);
  } catch (const std::bad_alloc&) {
    return no_memory(path == "-" ? "standard input" : path.c_str(), kNoMemory);
  }
}

}  // namespace

Status check_size(int64_t width, int64_t height, int64_t max_pixels) {
  constexpr int64_t kMostSide = std::numeric_limits<int32_t>::max();
  const int64_t limit = std::min(max_pixels, kMostPixels);
  if (width < 1 || height < 1) {
    return invalid_image("the header says ", width, "x", height,
                         " pixels; expected at least one in each direction");
  }
  if (width > kMostSide || height > kMostSide || width * height > limit) {
    return resource_exhausted("the header says ", width, "x", height, " pixels; the limit is ",
                              limit, " in all");
  }
  return {};
}

Image make_empty_image(int64_t width, int64_t height, int32_t channels) {
  Image image;
  image.width = image.original_width = static_cast<int32_t>(width);
  image.height = image.original_height = static_cast<int32_t>(height);
  image.channels = channels;
  image.pixels.reserve(static_cast<size_t>(width * height * channels));
  return image;
}

Image make_image(int64_t width, int64_t height, int32_t channels) {
  Image image = make_empty_image(width, height, channels);
  image.pixels.resize(static_cast<size_t>(width * height * channels));
  return image;
}

uint8_t* add_row(Image& image) {
  const size_t at = image.pixels.size();
  image.pixels.resize(at + static_cast<size_t>(image.width) * static_cast<size_t>(image.channels));
  return image.pixels.data() + at;
}

namespace {

/// Pixels as stored in the file, in the colours and with the channels that `options` ask for.
Result<Decoded> decode_stored(const Codec& codec, Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(Decoded decoded, codec.decode(bytes, options));
  Image& image = decoded.image;
  if (const auto conversion = find_conversion(codec, bytes, options.to_srgb)) {
    conversion->run(image.pixels.data(), image.pixels.size() / static_cast<size_t>(image.channels),
                    image.channels);
  }
  if (image.channels == 4 && !options.keep_alpha) flatten_alpha(image);
  return decoded;
}

}  // namespace

Result<Image> decode_image(Bytes bytes, const std::string& name, const ReadOptions& options) {
  const Codec* codec = find_codec(bytes);
  if (codec == nullptr) return not_an_image(bytes, name);
  try {
    Result<Decoded> decoded = decode_stored(*codec, bytes, options);
    if (!decoded.ok()) return annotate(decoded.status(), name);
    return make_upright(std::move(decoded->image), decoded->orientation);
  } catch (const std::bad_alloc&) {
    return no_memory(name, kNoMemory);
  }
}

Status decode_rows(Bytes bytes, const std::string& name, const ReadOptions& options,
                   const RowSink& sink) {
  try {
    DEEPLAB_ASSIGN_OR_RETURN(const ImageInfo info, probe_image(bytes, name));
    const Codec* codec = find_codec(bytes);
    const auto conversion = find_conversion(*codec, bytes, options.to_srgb);
    if (codec->decode_rows != nullptr && info.orientation == 1 && !conversion) {
      return annotate(codec->decode_rows(bytes, options, sink), name);
    }
    if (codec->decode_rows != nullptr && info.orientation == 1 && options.target_side == 0) {
      std::vector<uint8_t> row;
      const auto convert = [&](const uint8_t* rgb) {
        row.assign(rgb, rgb + static_cast<size_t>(info.width) * 3);
        conversion->run(row.data(), static_cast<size_t>(info.width), 3);
        return sink(row.data());
      };
      return annotate(codec->decode_rows(bytes, options, convert), name);
    }
    ReadOptions opaque = options;
    opaque.keep_alpha = false;
    const Result<Decoded> decoded = decode_stored(*codec, bytes, opaque);
    if (!decoded.ok()) return annotate(decoded.status(), name);
    return for_each_upright_row(decoded->image, decoded->orientation, sink);
  } catch (const std::bad_alloc&) {
    return no_memory(name, kNoMemory);
  }
}

bool has_color_management() { return kHasColorManagement; }

bool has_color_profile(Bytes bytes) {
  if (!kHasColorManagement) return false;
  const Codec* codec = find_codec(bytes);
  try {
    return codec != nullptr && find_conversion(*codec, bytes, true).has_value();
  } catch (const std::bad_alloc&) {
    return false;  // decoding says so
  }
}

Result<ImageInfo> probe_image(Bytes bytes, const std::string& name) {
  const Codec* codec = find_codec(bytes);
  if (codec == nullptr) return not_an_image(bytes, name);
  try {
    Result<ImageInfo> info = codec->probe(bytes);
    if (!info.ok()) return annotate(info.status(), name);
    if (swaps_sides(info->orientation)) std::swap(info->width, info->height);
    return info;
  } catch (const std::bad_alloc&) {
    return no_memory(name, kNoMemory);
  }
}

namespace {

Result<Image> decode_labels(Bytes bytes, const std::string& name, const ReadOptions& options,
                            bool wide) {
  if (!kPngCodec.recognizes(bytes)) {
    return invalid_image(name, bytes.empty() ? " is empty" : " is not a PNG",
                         "; expected a label map as an indexed or grey PNG");
  }
  try {
    Result<Image> labels = decode_png_labels(bytes, options, wide);
    if (!labels.ok()) return annotate(labels.status(), name);
    return labels;
  } catch (const std::bad_alloc&) {
    return no_memory(name, kNoMemory);
  }
}

}  // namespace

Result<Image> decode_label_png(Bytes bytes, const std::string& name, const ReadOptions& options) {
  return decode_labels(bytes, name, options, false);
}

Result<Image> decode_wide_label_png(Bytes bytes, const std::string& name,
                                    const ReadOptions& options) {
  return decode_labels(bytes, name, options, true);
}

Result<Image> read_image(const std::string& path, const ReadOptions& options) {
  return read_and_decode(path, options, decode_image);
}

Result<Image> read_label_png(const std::string& path, const ReadOptions& options) {
  return read_and_decode(path, options, decode_label_png);
}

}  // namespace deeplab::imageio
