// BMP: 1/4/8-bit palettes (4 and 8 also run-length coded), 16/24/32 bit with or without bit masks.
// Layouts: learn.microsoft.com, "Bitmap Structures" (BITMAPCOREHEADER to BITMAPV5HEADER).
#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "imageio/codec.h"

namespace deeplab::imageio {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr size_t kCoreHeaderBytes = 12;
constexpr size_t kInfoHeaderBytes = 40;
constexpr size_t kMasksAt = kFileHeaderBytes + kInfoHeaderBytes;  // inside V4/V5, after INFO
constexpr size_t kAlphaHeaderBytes = 56;  // the shortest header that has an alpha mask

enum Compression : uint32_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kBitfields = 3, kAlphaBitfields = 6 };

using Color = std::array<uint8_t, 3>;

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  uint32_t bits = 0;
  uint32_t compression = kRgb;
  std::array<uint32_t, 4> masks = {};  ///< Red, green, blue, alpha; 16 and 32 bit only.
  size_t palette_at = 0;
  size_t palette_entry_bytes = 4;
  size_t palette_count = 0;
  size_t pixels_at = 0;

  int64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
};

Status truncated() { return invalid_image("damaged BMP: the data ends early (truncated file)"); }

void read_core_header(Bytes bytes, Header& header) {
  header.width = load_le16(bytes, kFileHeaderBytes + 4);
  header.height = load_le16(bytes, kFileHeaderBytes + 6);
  header.bits = load_le16(bytes, kFileHeaderBytes + 10);
  header.palette_entry_bytes = 3;
}

void read_info_header(Bytes bytes, Header& header) {
  header.width = static_cast<int32_t>(load_le32(bytes, kFileHeaderBytes + 4));
  const int64_t height = static_cast<int32_t>(load_le32(bytes, kFileHeaderBytes + 8));
  header.top_down = height < 0;
  header.height = height < 0 ? -height : height;
  header.bits = load_le16(bytes, kFileHeaderBytes + 14);
  header.compression = load_le32(bytes, kFileHeaderBytes + 16);
  header.palette_count = load_le32(bytes, kFileHeaderBytes + 32);
}

/// Masks of 16 and 32-bit pixels. After a plain INFO header they are three more words, which
/// push the palette back.
Status read_masks(Bytes bytes, size_t header_bytes, Header& header) {
  if (header.compression == kRgb) {
    header.masks = header.bits == 16 ? std::array<uint32_t, 4>{0x7C00, 0x03E0, 0x001F, 0}
                                     : std::array<uint32_t, 4>{0xFF0000, 0x00FF00, 0x0000FF, 0};
    return {};
  }
  const bool has_alpha = header_bytes >= kAlphaHeaderBytes || header.compression == kAlphaBitfields;
  const size_t count = has_alpha ? 4 : 3;
  if (bytes.size() < kMasksAt + 4 * count) return truncated();
  for (size_t i = 0; i < count; ++i) {
    const uint32_t mask = header.masks[i] = load_le32(bytes, kMasksAt + 4 * i);
    const bool contiguous =
        mask == 0 || std::has_single_bit((uint64_t{mask} >> std::countr_zero(mask)) + 1);
    if (!contiguous || (mask == 0 && i < 3)) {
      return invalid_image("damaged BMP: a colour mask is empty or has gaps");
    }
  }
  return {};
}

Status check_flavour(const Header& header) {
  const uint32_t bits = header.bits;
  const bool masked = header.compression == kBitfields || header.compression == kAlphaBitfields;
  const bool known = (header.compression == kRgb && (bits == 1 || bits == 4 || bits == 8 ||
                                                     bits == 16 || bits == 24 || bits == 32)) ||
                     (masked && (bits == 16 || bits == 32)) ||
                     (header.compression == kRle8 && bits == 8 && !header.top_down) ||
                     (header.compression == kRle4 && bits == 4 && !header.top_down);
  if (known) return {};
  return unsupported("a BMP of ", bits, " bits per pixel with compression ", header.compression,
                     "; expected 1, 4, 8, 16, 24 or 32 bits, uncompressed, or RLE4 or RLE8");
}

Result<Header> read_header(Bytes bytes) {
  if (bytes.size() < kFileHeaderBytes + kCoreHeaderBytes) return truncated();
  const size_t header_bytes = load_le32(bytes, kFileHeaderBytes);
  const bool core = header_bytes == kCoreHeaderBytes;
  if (!core && (header_bytes < kInfoHeaderBytes || header_bytes > 124)) {
    return unsupported("a BMP with a header of ", header_bytes,
                       " bytes; expected 12 (OS/2) or 40 to 124 (Windows)");
  }
  if (bytes.size() < kFileHeaderBytes + header_bytes) return truncated();
  Header header;
  header.pixels_at = load_le32(bytes, 10);
  header.palette_at = kFileHeaderBytes + header_bytes;
  if (core) {
    read_core_header(bytes, header);
  } else {
    read_info_header(bytes, header);
  }
  DEEPLAB_RETURN_IF_ERROR(check_flavour(header));
  if (header.bits == 16 || header.bits == 32) {
    DEEPLAB_RETURN_IF_ERROR(read_masks(bytes, header_bytes, header));
  }
  if (header.bits <= 8) {
    const size_t most = size_t{1} << header.bits;
    if (header.palette_count == 0 || header.palette_count > most) header.palette_count = most;
  }
  if (header.pixels_at < header.palette_at) {
    return invalid_image("damaged BMP: the pixels start at byte ", header.pixels_at,
                         ", inside the header");
  }
  return header;
}

Result<std::vector<Color>> read_palette(Bytes bytes, const Header& header) {
  // A short palette that runs into the pixels has as many entries as fit.
  const size_t room = std::min(header.pixels_at, bytes.size()) - header.palette_at;
  const size_t count = std::min(header.palette_count, room / header.palette_entry_bytes);
  if (count == 0) return invalid_image("damaged BMP: the palette is missing");
  std::vector<Color> palette(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = header.palette_at + i * header.palette_entry_bytes;
    for (size_t c = 0; c < 3; ++c) {
      palette[i][c] = static_cast<uint8_t>(load_u8(bytes, at + 2 - c));  // stored blue first
    }
  }
  return palette;
}

/// Palette indices of one uncompressed row, leftmost pixel in the highest bits.
void unpack_row(Bytes row, uint32_t bits, std::span<uint8_t> indices) {
  const size_t per_byte = 8 / bits;
  const uint32_t mask = (1u << bits) - 1;
  for (size_t x = 0; x < indices.size(); ++x) {
    const auto shift = static_cast<uint32_t>(8 - bits * (x % per_byte + 1));
    indices[x] = static_cast<uint8_t>((load_u8(row, x / per_byte) >> shift) & mask);
  }
}

/// The value of pixel `i` of a run or of literal pixels: RLE4 has two of them in a byte.
uint8_t rle_value(uint32_t byte, uint32_t bits, size_t i) {
  if (bits == 8) return static_cast<uint8_t>(byte);
  return static_cast<uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15);
}

/// RLE8 or RLE4 into indices, rows in file order; pixels that the code skips stay 0. A pair
/// (n > 0, v) is a run; (0, 0) ends the row, (0, 1) the picture, (0, 2) moves on, (0, n) has n
/// literal pixels.
bool unpack_rle(Bytes code, uint32_t bits, int64_t width, int64_t height,
                std::vector<uint8_t>& indices) {
  size_t at = 0;
  int64_t x = 0;
  int64_t y = 0;
  while (y < height) {
    if (code.size() - at < 2) return false;
    const uint32_t count = load_u8(code, at);
    const uint32_t value = load_u8(code, at + 1);
    at += 2;
    if (count > 0 || value > 2) {
      const uint32_t length = count > 0 ? count : value;
      // Runs of RLE4 fill whole bytes, so that one of an odd width may end a pixel late.
      const bool ends_late = bits == 4 && length == width - x + 1;
      if (length > width - x && !ends_late) return false;
      const size_t kept = ends_late ? length - 1 : length;
      auto out = indices.begin() + (y * width + x);
      x += static_cast<int64_t>(kept);
      if (count > 0) {
        for (size_t i = 0; i < kept; ++i) *out++ = rle_value(value, bits, i);
        continue;
      }
      const size_t stored = bits == 8 ? length : (length + 1) / 2;
      const size_t padded = stored + stored % 2;
      if (code.size() - at < padded) return false;
      for (size_t i = 0; i < kept; ++i) {
        *out++ = rle_value(load_u8(code, at + (bits == 8 ? i : i / 2)), bits, i);
      }
      at += padded;
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      return true;
    } else {
      if (code.size() - at < 2) return false;
      x += load_u8(code, at);
      y += load_u8(code, at + 1);
      at += 2;
      if (x > width || y > height) return false;
    }
  }
  return true;
}

Result<Image> decode_indexed(Bytes bytes, const Header& header) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<Color> palette, read_palette(bytes, header));
  const auto width = static_cast<size_t>(header.width);
  const auto height = static_cast<size_t>(header.height);
  const Bytes data = bytes.subspan(header.pixels_at);
  std::vector<uint8_t> indices(width * height);
  if (header.compression == kRle8 || header.compression == kRle4) {
    if (!unpack_rle(data, header.bits, header.width, header.height, indices)) {
      return invalid_image("damaged BMP: the run-length code ends early or leaves the picture");
    }
  } else {
    const auto stride = static_cast<size_t>(header.row_bytes());
    for (size_t y = 0; y < height; ++y) {
      unpack_row(data.subspan(y * stride, stride), header.bits,
                 std::span(indices).subspan(y * width, width));
    }
  }
  Image image = make_image(header.width, header.height, 3);
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* from = indices.data() + (header.top_down ? y : height - 1 - y) * width;
    uint8_t* to = image.pixels.data() + y * width * 3;
    for (size_t x = 0; x < width; ++x) {
      if (from[x] >= palette.size()) {
        return invalid_image("damaged BMP: colour ", int{from[x]}, " of a palette of ",
                             palette.size());
      }
      to = std::copy_n(palette[from[x]].data(), 3, to);
    }
  }
  return image;
}

/// The bits of `mask` in `pixel`, scaled to 8 bits and rounded.
uint8_t masked(uint32_t pixel, uint32_t mask) {
  const int shift = std::countr_zero(mask);
  const uint64_t most = mask >> shift;
  const uint64_t value = (pixel & mask) >> shift;
  return static_cast<uint8_t>((value * 255 + most / 2) / most);
}

Image decode_direct(Bytes bytes, const Header& header) {
  const Bytes data = bytes.subspan(header.pixels_at);
  const auto stride = static_cast<size_t>(header.row_bytes());
  const auto width = static_cast<size_t>(header.width);
  const auto height = static_cast<size_t>(header.height);
  const int32_t channels = header.masks[3] != 0 ? 4 : 3;
  Image image = make_image(header.width, header.height, channels);
  uint8_t* to = image.pixels.data();
  for (size_t y = 0; y < height; ++y) {
    const Bytes row = data.subspan((header.top_down ? y : height - 1 - y) * stride, stride);
    for (size_t x = 0; x < width; ++x) {
      if (header.bits == 24) {
        for (size_t c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>(load_u8(row, 3 * x + 2 - c));
        continue;
      }
      const uint32_t pixel = header.bits == 16 ? load_le16(row, 2 * x) : load_le32(row, 4 * x);
      for (int32_t c = 0; c < channels; ++c) {
        *to++ = masked(pixel, header.masks[static_cast<size_t>(c)]);
      }
    }
  }
  return image;
}

/// Many programs declare an alpha mask and leave its bits zero: such a picture is opaque.
void repair_empty_alpha(Image& image) {
  if (image.channels != 4) return;
  for (size_t i = 3; i < image.pixels.size(); i += 4) {
    if (image.pixels[i] != 0) return;
  }
  for (size_t i = 3; i < image.pixels.size(); i += 4) image.pixels[i] = 255;
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= 2 && load_u8(bytes, 0) == 'B' && load_u8(bytes, 1) == 'M';
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const Header header, read_header(bytes));
  return ImageInfo{ImageFormat::kBmp, static_cast<int32_t>(header.width),
                   static_cast<int32_t>(header.height), 1};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const Header header, read_header(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(header.width, header.height, options.max_pixels));
  const bool is_rle = header.compression == kRle8 || header.compression == kRle4;
  const int64_t needed = is_rle ? 1 : header.row_bytes() * header.height;
  if (static_cast<int64_t>(bytes.size()) - static_cast<int64_t>(header.pixels_at) < needed) {
    return truncated();
  }
  if (header.bits <= 8) {
    DEEPLAB_ASSIGN_OR_RETURN(Image image, decode_indexed(bytes, header));
    return Decoded{std::move(image), 1};
  }
  Image image = decode_direct(bytes, header);
  repair_empty_alpha(image);
  return Decoded{std::move(image), 1};
}

}  // namespace

const Codec kBmpCodec = {recognizes, probe, decode};

}  // namespace deeplab::imageio
