#include "imageio/png_metadata.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "imageio/codec.h"
#include "imageio/orientation.h"

namespace deeplab::imageio {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverhead = 12;  // length, name, checksum
// Each may unpack to a megabyte in a millisecond; a photo has one or two.
constexpr int kMostTexts = 16;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Calls `take(name, data)` for each whole chunk.
template <typename Take>
void for_each_chunk(Bytes png, const Take& take) {
  for (size_t at = kSignatureBytes; at < png.size() && png.size() - at >= kChunkOverhead;) {
    const size_t size = load_be32(png, at);
    if (size > png.size() - at - kChunkOverhead) return;
    take(text_of(png.subspan(at + 4, 4)), png.subspan(at + 8, size));
    at += size + kChunkOverhead;
  }
}

/// The data of a zlib stream; empty if it is damaged or has more than kMostMetadataBytes.
std::vector<std::byte> inflate_bounded(Bytes packed) {
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return {};
  std::vector<std::byte> out(std::min(kMostMetadataBytes, packed.size() * 4 + 1024));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK || stream.avail_out > 0) break;
    if (out.size() == kMostMetadataBytes) break;
    out.resize(std::min(kMostMetadataBytes, 2 * out.size()));
  }
  const size_t size = stream.total_out;
  inflateEnd(&stream);
  out.resize(code == Z_STREAM_END ? size : 0);
  return out;
}

/// A text chunk's keyword, and its text if somebody wants it.
struct TextChunk {
  std::string_view keyword;
  Bytes rest;  ///< After the keyword's end.
};

TextChunk split_keyword(Bytes data) {
  constexpr size_t kMostKeyword = 79;
  const std::string_view text = text_of(data);
  const size_t end = text.substr(0, kMostKeyword + 1).find('\0');
  if (end == text.npos) return {};
  return {text.substr(0, end), data.subspan(end + 1)};
}

/// zTXt and iCCP: a method (0), then a zlib stream.
std::vector<std::byte> unpack(Bytes rest) {
  if (rest.empty() || load_u8(rest, 0) != 0) return {};
  return inflate_bounded(rest.subspan(1));
}

/// iTXt: compressed or not, method, language, translated keyword, text.
std::vector<std::byte> international_text(Bytes rest) {
  if (rest.size() < 2) return {};
  const bool compressed = load_u8(rest, 0) == 1;
  rest = rest.subspan(2);
  for (int i = 0; i < 2; ++i) {
    const size_t end = text_of(rest).find('\0');
    if (end == std::string_view::npos) return {};
    rest = rest.subspan(end + 1);
  }
  if (compressed) return inflate_bounded(rest);
  if (rest.size() > kMostMetadataBytes) return {};
  return {rest.begin(), rest.end()};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// ImageMagick's form of a block in a text: a newline, a name, a number of bytes, hexadecimal
/// digits in lines.
std::vector<std::byte> raw_profile(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  for (int word = 0; word < 2; ++word) {  // name and number
    const size_t start = text.find_first_not_of(kSpace);
    if (start == text.npos) return {};
    const size_t end = text.find_first_of(kSpace, start);
    if (end == text.npos) return {};
    text.remove_prefix(end);
  }
  std::vector<std::byte> block;
  int high = -1;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      block.push_back(static_cast<std::byte>(high * 16 + digit));
      high = -1;
    }
  }
  return block;
}

/// Reads what a text chunk says of the orientation; false if its keyword is of something else.
bool read_text(std::string_view name, Bytes data, OrientationFinder& finder) {
  if (data.size() > kMostMetadataBytes) return false;
  const auto [keyword, rest] = split_keyword(data);
  const bool is_exif = keyword == "Raw profile type exif" || keyword == "Raw profile type APP1";
  const bool is_raw_xmp = keyword == "Raw profile type xmp";
  const bool is_xmp = keyword == "XML:com.adobe.xmp";
  if (!is_exif && !is_raw_xmp && !is_xmp) return false;
  std::vector<std::byte> text;
  if (name == "tEXt") text.assign(rest.begin(), rest.end());
  if (name == "zTXt") text = unpack(rest);
  if (name == "iTXt") text = international_text(rest);
  const std::vector<std::byte> block = is_xmp ? text : raw_profile(text_of(text));
  if (is_exif) {
    finder.app1(block);
    finder.exif(block);
  } else {
    finder.xmp(block);
  }
  return true;
}

}  // namespace

int png_orientation(Bytes png) {
  OrientationFinder standard;
  OrientationFinder texts;
  int texts_read = 0;
  for_each_chunk(png, [&](std::string_view name, Bytes data) {
    if (name == "eXIf" && data.size() <= kMostMetadataBytes) {
      standard.exif(data);
    } else if ((name == "tEXt" || name == "zTXt" || name == "iTXt") && texts_read < kMostTexts) {
      texts_read += read_text(name, data, texts) ? 1 : 0;
    }
  });
  return standard.has_exif_tag() ? standard.orientation() : texts.orientation();
}

std::vector<std::byte> png_profile(Bytes png) {
  std::vector<std::byte> profile;
  for_each_chunk(png, [&](std::string_view name, Bytes data) {
    if (name != "iCCP" || !profile.empty() || data.size() > kMostMetadataBytes) return;
    profile = unpack(split_keyword(data).rest);
  });
  return profile;
}

}  // namespace deeplab::imageio
