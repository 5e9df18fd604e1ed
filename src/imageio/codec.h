// What the decoders of this room share: the interface each file format fills in, the size check
// and byte loads. Private to the room. Decoders do not know the file's name; decode_image() puts
// it in front of their sentence. They may throw std::bad_alloc, which decode_image() catches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"
#include "imageio/reader.h"

namespace deeplab::imageio {

using Bytes = std::span<const std::byte>;

/// An image as stored in the file, and the orientation that makes it upright.
struct Decoded {
  Image image;
  int orientation = 1;
};

/// One file format. probe() gives the size as stored; probe_image() turns it upright.
struct Codec {
  bool (*recognizes)(Bytes bytes);
  Result<ImageInfo> (*probe)(Bytes bytes);
  Result<Decoded> (*decode)(Bytes bytes, const ReadOptions& options);
  /// Rows as stored in the file, whatever the orientation; null if rows cannot be decoded one by
  /// one.
  Status (*decode_rows)(Bytes bytes, const ReadOptions& options, const RowSink& sink) = nullptr;
  /// The file's ICC profile; empty if it has none or it cannot be read. Null: the format has none.
  std::vector<std::byte> (*profile)(Bytes bytes) = nullptr;
};

extern const Codec kJpegCodec;
extern const Codec kPngCodec;
extern const Codec kWebpCodec;
extern const Codec kBmpCodec;
extern const Codec kPnmCodec;
// Optional, see codec_list.h.
extern const Codec kHeifCodec;
extern const Codec kTiffCodec;
extern const Codec kGifCodec;

/// The largest piece of metadata (EXIF, XMP, profile) that is kept in memory.
inline constexpr size_t kMostMetadataBytes = 1 << 20;

/// `wide`: 16-bit samples stay two bytes per pixel.
Result<Image> decode_png_labels(Bytes bytes, const ReadOptions& options, bool wide);

/// For when memory has just run out: `sentence`, if there is memory left for it. This room reports
/// errors only as a Status.
template <typename... Parts>
Status no_memory(const Parts&... sentence) noexcept {
  try {
    return resource_exhausted(sentence...);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

/// Refuses sizes from a header: zero or negative, over 2^31 - 1, or more than `max_pixels`.
Status check_size(int64_t width, int64_t height, int64_t max_pixels);

/// An all-zero image of a size that check_size() passed.
Image make_image(int64_t width, int64_t height, int32_t channels);

/// The same without pixels yet: memory for them is reserved, but not touched before add_row(), so
/// that a header takes none for rows that never come.
Image make_empty_image(int64_t width, int64_t height, int32_t channels);
/// Appends a row of zeros. Takes no memory, and no row that was given before moves.
uint8_t* add_row(Image& image);

// Loads from a file's bytes. The caller has checked that they are there.
inline uint32_t load_u8(Bytes bytes, size_t at) { return std::to_integer<uint32_t>(bytes[at]); }
inline uint32_t load_le16(Bytes bytes, size_t at) {
  return load_u8(bytes, at) | load_u8(bytes, at + 1) << 8;
}
inline uint32_t load_le32(Bytes bytes, size_t at) {
  return load_le16(bytes, at) | load_le16(bytes, at + 2) << 16;
}
inline uint32_t load_be16(Bytes bytes, size_t at) {
  return load_u8(bytes, at) << 8 | load_u8(bytes, at + 1);
}
inline uint32_t load_be32(Bytes bytes, size_t at) {
  return load_be16(bytes, at) << 16 | load_be16(bytes, at + 2);
}

}  // namespace deeplab::imageio
