// Image files built in memory, one function a format: by the codec libraries' own encoders, or
// byte by byte if a format is simple enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deeplab::imageio::testing {

using File = std::vector<std::byte>;
using Samples = std::vector<uint8_t>;

/// Appends integers and text to a file.
class FileBuilder {
 public:
  FileBuilder& u8(uint32_t value);
  FileBuilder& le16(uint32_t value) { return u8(value).u8(value >> 8); }
  FileBuilder& le32(uint32_t value) { return le16(value).le16(value >> 16); }
  FileBuilder& be16(uint32_t value) { return u8(value >> 8).u8(value); }
  FileBuilder& be32(uint32_t value) { return be16(value >> 16).be16(value); }
  FileBuilder& text(const std::string& text);
  FileBuilder& raw(const File& bytes);
  FileBuilder& raw(const Samples& bytes);
  size_t size() const { return file_.size(); }
  File take() { return std::move(file_); }

 private:
  File file_;
};

/// Samples of a smooth picture whose four corners differ: x rises in channel 0, y in channel 1,
/// falling x in channel 2, a constant 200 in channel 3.
Samples gradient(int width, int height, int channels);

/// A TIFF header whose first directory holds one orientation tag among others.
File exif_block(int orientation, bool big_endian);

enum class JpegColor { kGray, kYcc, kRgb, kCmyk, kYcck, kTwoChannels };

struct JpegSpec {
  int width = 0;
  int height = 0;
  JpegColor color = JpegColor::kYcc;
  Samples samples = {};  ///< 1 to 4 channels by color; CMYK as it shall be stored.
  bool progressive = false;
  bool adobe_marker = true;  ///< CMYK and YCCK only.
  bool chroma_subsampling = false;
  int restart_rows = 0;
  int quality = 100;
  File exif = {};  ///< With the leading "Exif\0\0".
};
File jpeg_file(const JpegSpec& spec);
/// The pixels of a JPEG as RGB, by libjpeg with nothing set but its defaults.
Samples default_jpeg_pixels(const File& file);

struct PngSpec {
  int width = 0;
  int height = 0;
  int color_type = 2;  ///< PNG_COLOR_TYPE_...
  int bit_depth = 8;
  Samples rows = {};     ///< Packed as PNG stores them: height rows of ceil(bits / 8) bytes.
  Samples palette = {};  ///< RGB triples.
  Samples palette_alpha = {};
  int transparent_gray = -1;
  bool interlaced = false;
  File exif = {};  ///< A TIFF header, no prefix.
};
File png_file(const PngSpec& spec);

/// The samples of a 16-bit grey PNG, by libpng; empty if it is anything else.
std::vector<uint16_t> png_gray16_values(const File& file);

/// A PNG chunk with its checksum, and one that holds `size` zeros compressed by zlib.
File png_chunk(const std::string& name, const File& data);
File zlib_zeros(size_t size);
Samples zlib_of(const Samples& data);
/// `png` with `chunk` after IHDR, or with another size in IHDR.
File with_png_chunk(const File& png, const File& chunk);
File with_png_size(const File& png, uint32_t width, uint32_t height);

/// RGB or RGBA by `channels`; quality 0..100, lossless if `lossless`.
File webp_file(int width, int height, int channels, const Samples& samples, bool lossless,
               float quality = 100);
/// The same picture in an extended (VP8X) container. `flags`: 0x08 EXIF, 0x02 animation.
File webp_extended(const File& simple, int width, int height, uint32_t flags, const File& exif);

struct BmpSpec {
  int width = 0;
  int height = 0;  ///< Negative: top-down.
  int bits = 24;
  uint32_t compression = 0;
  uint32_t header_bytes = 40;
  std::vector<uint32_t> masks = {};
  Samples palette = {};  ///< RGB triples.
  Samples data = {};     ///< Rows as stored, padding included.
};
File bmp_file(const BmpSpec& spec);

File text_file(const std::string& text);

struct NamedFile {
  std::string name;
  File bytes;
};
/// One small valid file of every flavour the reader knows.
std::vector<NamedFile> every_flavour();

}  // namespace deeplab::imageio::testing
