#include "imageio/orientation.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "imageio/codec.h"

namespace deeplab::imageio {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;
constexpr size_t kEntryBytes = 12;

// A tile of the result and the strip of the source it comes from both stay in the L1 cache.
constexpr int64_t kTile = 32;

/// Out pixel (x, y) is source pixel start + x * step_x + y * step_y, in pixels.
struct Walk {
  int64_t start;
  int64_t step_x;
  int64_t step_y;
};

Walk source_walk(int orientation, int64_t width, int64_t height) {
  const int64_t right = width - 1;
  const int64_t bottom = (height - 1) * width;
  switch (orientation) {
    case 2:  // mirrored left-right
      return {right, -1, width};
    case 3:  // turned by 180 degrees
      return {right + bottom, -1, -width};
    case 4:  // mirrored top-bottom
      return {bottom, 1, -width};
    case 5:  // transposed
      return {0, width, 1};
    case 6:  // needs a quarter turn clockwise
      return {bottom, -width, 1};
    case 7:  // transposed along the other diagonal
      return {right + bottom, -width, -1};
    case 8:  // needs a quarter turn counter-clockwise
      return {right, width, -1};
    default:
      return {0, 1, width};
  }
}

/// `to` has the rows of the upright image that begin with `first_row`.
template <int kChannels>
void copy_pixels(const Image& from, const Walk& walk, int64_t first_row, Image& to) {
  for (int64_t tile_y = 0; tile_y < to.height; tile_y += kTile) {
    const int64_t end_y = std::min<int64_t>(tile_y + kTile, to.height);
    for (int64_t tile_x = 0; tile_x < to.width; tile_x += kTile) {
      const int64_t end_x = std::min<int64_t>(tile_x + kTile, to.width);
      for (int64_t y = tile_y; y < end_y; ++y) {
        uint8_t* out = to.pixels.data() + (y * to.width + tile_x) * kChannels;
        for (int64_t x = tile_x; x < end_x; ++x, out += kChannels) {
          const int64_t source = walk.start + x * walk.step_x + (first_row + y) * walk.step_y;
          std::memcpy(out, from.pixels.data() + source * kChannels, kChannels);
        }
      }
    }
  }
}

/// The tag's value; nothing if the block has no tag that can be used.
std::optional<int> find_exif_orientation(std::span<const std::byte> exif) {
  constexpr char kPrefix[6] = {'E', 'x', 'i', 'f', '\0', '\0'};
  if (exif.size() >= sizeof(kPrefix) && std::memcmp(exif.data(), kPrefix, sizeof(kPrefix)) == 0) {
    exif = exif.subspan(sizeof(kPrefix));
  }
  if (exif.size() < 8) return std::nullopt;
  const bool big_endian = std::memcmp(exif.data(), "MM", 2) == 0;
  if (!big_endian && std::memcmp(exif.data(), "II", 2) != 0) return std::nullopt;
  const auto load16 = big_endian ? load_be16 : load_le16;
  const auto load32 = big_endian ? load_be32 : load_le32;
  if (load16(exif, 2) != 42) return std::nullopt;

  size_t at = load32(exif, 4);
  if (at > exif.size() - 2) return std::nullopt;
  const uint32_t entries = load16(exif, at);
  at += 2;
  for (uint32_t i = 0; i < entries && exif.size() - at >= kEntryBytes; ++i, at += kEntryBytes) {
    if (load16(exif, at) != kOrientationTag) continue;
    const uint32_t type = load16(exif, at + 2);
    if ((type != kShort && type != kLong) || load32(exif, at + 4) != 1) return std::nullopt;
    const uint32_t value = type == kShort ? load16(exif, at + 8) : load32(exif, at + 8);
    if (value < 1 || value > 8) return std::nullopt;
    return static_cast<int>(value);
  }
  return std::nullopt;
}

/// tiff:Orientation as an attribute (="6") or as an element (>6<), whichever comes first.
std::optional<int> find_xmp_orientation(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos; at = xmp.find(kName, at + 1)) {
    size_t next = xmp.find_first_not_of(" \t\r\n=\"'>", at + kName.size());
    if (next == xmp.npos) return std::nullopt;
    const bool ends = next + 1 == xmp.size() || xmp[next + 1] < '0' || xmp[next + 1] > '9';
    if (xmp[next] >= '1' && xmp[next] <= '8' && ends) return xmp[next] - '0';
  }
  return std::nullopt;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  return find_exif_orientation(exif).value_or(1);
}

void OrientationFinder::exif(std::span<const std::byte> block) {
  if (!exif_) exif_ = find_exif_orientation(block);
}

void OrientationFinder::xmp(std::span<const std::byte> packet) {
  if (!xmp_) xmp_ = find_xmp_orientation(text_of(packet));
}

void OrientationFinder::app1(std::span<const std::byte> data) {
  constexpr std::string_view kXmp = "http://ns.adobe.com/xap/1.0/";
  if (text_of(data).starts_with("Exif")) exif(data);
  if (text_of(data).starts_with(kXmp)) xmp(data.subspan(kXmp.size()));
}

Image make_upright(Image image, int orientation) {
  if (orientation <= 1) return image;
  Image upright = swaps_sides(orientation) ? make_image(image.height, image.width, image.channels)
                                           : make_image(image.width, image.height, image.channels);
  upright.original_width = image.original_width;
  upright.original_height = image.original_height;
  upright.warning = std::move(image.warning);
  if (swaps_sides(orientation)) std::swap(upright.original_width, upright.original_height);
  const Walk walk = source_walk(orientation, image.width, image.height);
  if (image.channels == 4) {
    copy_pixels<4>(image, walk, 0, upright);
  } else {
    copy_pixels<3>(image, walk, 0, upright);
  }
  return upright;
}

Status for_each_upright_row(const Image& image, int orientation, const RowSink& sink) {
  const bool swapped = swaps_sides(orientation);
  const int64_t width = swapped ? image.height : image.width;
  const int64_t height = swapped ? image.width : image.height;
  const Walk walk = source_walk(orientation, image.width, image.height);
  Image strip = make_image(width, std::min(kTile, height), image.channels);
  const size_t stride = static_cast<size_t>(width) * static_cast<size_t>(image.channels);
  for (int64_t first = 0; first < height; first += strip.height) {
    strip.height = static_cast<int32_t>(std::min(kTile, height - first));
    if (image.channels == 4) {
      copy_pixels<4>(image, walk, first, strip);
    } else {
      copy_pixels<3>(image, walk, first, strip);
    }
    for (int32_t y = 0; y < strip.height; ++y) {
      DEEPLAB_RETURN_IF_ERROR(sink(strip.pixels.data() + static_cast<size_t>(y) * stride));
    }
  }
  return {};
}

}  // namespace deeplab::imageio
