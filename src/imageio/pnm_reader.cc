// PBM, PGM and PPM, plain (P1, P2, P3) and raw (P4, P5, P6), 1, 8 and 16 bit:
// netpbm.sourceforge.net/doc/pbm.html, pgm.html, ppm.html
#include <algorithm>
#include <cstring>
#include <optional>

#include "imageio/codec.h"

namespace deeplab::imageio {
namespace {

constexpr int64_t kMostValue = 65535;

bool is_space(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/// Walks the text of a header or of a plain raster.
class Scanner {
 public:
  Scanner(Bytes bytes, size_t at) : bytes_(bytes), at_(at) {}

  /// The next decimal number, past white space and comments; nothing if there is none or it
  /// is larger than any size or sample may be.
  std::optional<int64_t> number() {
    skip_space();
    if (at_end() || !is_digit(peek())) return std::nullopt;
    int64_t value = 0;
    for (; !at_end() && is_digit(peek()); ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > INT32_MAX) return std::nullopt;
    }
    if (!at_end() && !is_space(peek()) && peek() != '#') return std::nullopt;
    return value;
  }

  /// The next digit 0 or 1, which PBM need not separate from the next one.
  std::optional<int64_t> bit() {
    skip_space();
    if (at_end() || (peek() != '0' && peek() != '1')) return std::nullopt;
    return load_u8(bytes_, at_++) - '0';
  }

  bool at_end() const { return at_ >= bytes_.size(); }
  Bytes rest() const { return bytes_.subspan(at_); }
  void skip(size_t count) { at_ += count; }

 private:
  uint32_t peek() const { return load_u8(bytes_, at_); }
  void skip_space() {
    for (; !at_end() && (is_space(peek()) || peek() == '#'); ++at_) {
      if (peek() != '#') continue;
      while (!at_end() && peek() != '\n' && peek() != '\r') ++at_;
      if (at_end()) return;
    }
  }

  Bytes bytes_;
  size_t at_;
};

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  int64_t max_value = 0;
  bool bitmap = false;    ///< PBM: one bit per sample, 1 is black.
  bool plain = false;     ///< Samples as decimal text.
  int file_channels = 0;  ///< 1 = grey, 3 = RGB
  size_t raster_at = 0;   ///< Where the samples begin.
};

bool recognizes(Bytes bytes) {
  if (bytes.size() < 3 || load_u8(bytes, 0) != 'P') return false;
  const uint32_t kind = load_u8(bytes, 1);
  const uint32_t next = load_u8(bytes, 2);
  return kind >= '1' && kind <= '6' && (is_space(next) || next == '#');
}

Result<Header> read_header(Bytes bytes) {
  const uint32_t kind = load_u8(bytes, 1);
  Scanner scanner(bytes, 2);
  const auto width = scanner.number();
  const auto height = width ? scanner.number() : std::nullopt;
  const bool bitmap = kind == '1' || kind == '4';
  auto max_value = height && !bitmap ? scanner.number() : std::nullopt;
  if (height && bitmap) max_value = 1;
  if (!max_value || scanner.at_end()) {
    return invalid_image("damaged PNM: expected a width, a height",
                         bitmap ? "" : " and a largest value");
  }
  if (*max_value < 1 || *max_value > kMostValue) {
    return invalid_image("damaged PNM: the largest value is ", *max_value, "; expected 1 to ",
                         kMostValue);
  }
  scanner.skip(1);  // exactly one white space before the raster
  Header header;
  header.width = *width;
  header.height = *height;
  header.max_value = *max_value;
  header.bitmap = bitmap;
  header.plain = kind <= '3';
  header.file_channels = kind == '3' || kind == '6' ? 3 : 1;
  header.raster_at = bytes.size() - scanner.rest().size();
  return header;
}

/// To 8 bits, rounded. Samples beyond the stated largest value are taken as white.
uint8_t to_byte(int64_t value, int64_t max_value) {
  return static_cast<uint8_t>((std::min(value, max_value) * 255 + max_value / 2) / max_value);
}

/// Fills the image with the samples that `next` gives (a number, or nothing: damaged).
template <typename Next>
bool fill(const Header& header, Image& image, Next next) {
  const int repeat = header.file_channels == 1 ? 3 : 1;
  for (auto out = image.pixels.begin(); out != image.pixels.end();) {
    const std::optional<int64_t> sample = next();
    if (!sample) return false;
    out = std::fill_n(out, repeat, to_byte(*sample, header.max_value));
  }
  return true;
}

bool read_raster(const Header& header, Bytes raster, Image& image) {
  size_t at = 0;
  if (header.bitmap) {
    Scanner scanner(raster, 0);
    const auto white = [](std::optional<int64_t> bit) {
      return bit ? std::optional(1 - *bit) : std::nullopt;
    };
    if (header.plain) return fill(header, image, [&] { return white(scanner.bit()); });
    int64_t x = 0;
    return fill(header, image, [&]() -> std::optional<int64_t> {  // each row begins with a byte
      const int64_t bit = load_u8(raster, at) >> (7 - x % 8) & 1;
      ++x;
      if (x % 8 == 0 || x == header.width) ++at;
      if (x == header.width) x = 0;
      return 1 - bit;
    });
  }
  if (header.plain) {
    Scanner scanner(raster, 0);
    return fill(header, image, [&] { return scanner.number(); });
  }
  if (header.max_value > 255) {
    return fill(header, image, [&]() -> std::optional<int64_t> {
      at += 2;
      return load_be16(raster, at - 2);
    });
  }
  if (header.max_value == 255 && header.file_channels == 3) {
    std::memcpy(image.pixels.data(), raster.data(), image.pixels.size());
    return true;
  }
  return fill(header, image, [&]() -> std::optional<int64_t> { return load_u8(raster, at++); });
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const Header header, read_header(bytes));
  return ImageInfo{ImageFormat::kPnm, static_cast<int32_t>(header.width),
                   static_cast<int32_t>(header.height), 1};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const Header header, read_header(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(header.width, header.height, options.max_pixels));
  const Bytes raster = bytes.subspan(header.raster_at);
  // The fewest bytes that can hold the samples, before anything is allocated. As text, each
  // sample but the last is a digit and a space.
  const int64_t samples = header.width * header.height * header.file_channels;
  const int64_t needed = header.bitmap
                             ? (header.plain ? samples : (header.width + 7) / 8 * header.height)
                         : header.plain           ? 2 * samples - 1
                         : header.max_value > 255 ? 2 * samples
                                                  : samples;
  if (static_cast<int64_t>(raster.size()) < needed) {
    return invalid_image("damaged PNM: the data ends early (truncated file)");
  }
  Image image = make_image(header.width, header.height, 3);
  if (!read_raster(header, raster, image)) {
    return invalid_image("damaged PNM: expected ", samples,
                         header.bitmap ? " digits 0 or 1" : " decimal numbers");
  }
  return Decoded{std::move(image), 1};
}

}  // namespace

const Codec kPnmCodec = {recognizes, probe, decode};

}  // namespace deeplab::imageio
