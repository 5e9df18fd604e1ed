#include "imageio/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "imageio/codec.h"
#include "imageio/codec_list.h"

namespace deeplab::imageio {
namespace {

using std::literals::operator""sv;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Signature {
  std::string_view bytes;
  std::string_view name;
  size_t at = 0;
};

// In order; the first that fits names the file.
constexpr Signature kSignatures[] = {
    {"\xFF\xD8\xFF"sv, "JPEG picture"},
    {"\x89PNG\r\n\x1A\n"sv, "PNG picture"},
    {"WEBP"sv, "WebP picture", 8},
    {"GIF87a"sv, "GIF picture"},
    {"GIF89a"sv, "GIF picture"},
    {"CR\x02"sv, "camera raw picture", 8},
    {"FUJIFILMCCD-RAW"sv, "camera raw picture"},
    {"IIRO"sv, "camera raw picture"},
    {"IIU\0"sv, "camera raw picture"},
    {"II*\0"sv, "TIFF picture"},
    {"MM\0*"sv, "TIFF picture"},
    {"II+\0"sv, "TIFF picture"},
    {"MM\0+"sv, "TIFF picture"},
    {"\0\0\0\x0CJXL "sv, "JPEG XL picture"},
    {"\xFF\x0A"sv, "JPEG XL picture"},
    {"\0\0\0\x0CjP  "sv, "JPEG 2000 picture"},
    {"\xFF\x4F\xFF\x51"sv, "JPEG 2000 picture"},
    {"8BPS"sv, "Photoshop picture"},
    {"v/1\x01"sv, "OpenEXR picture"},
    {"#?RADIANCE"sv, "Radiance HDR picture"},
    {"qoif"sv, "QOI picture"},
    {"DDS "sv, "DDS picture"},
    {"\0\0\x01\0"sv, "icon"},
    {"%PDF-"sv, "PDF document"},
    {"%!PS"sv, "PostScript document"},
    {"PK\x03\x04"sv, "ZIP archive"},
    {"\x1F\x8B"sv, "gzip archive"},
    {"BZh"sv, "bzip2 archive"},
    {"\xFD"
     "7zXZ\0"sv,
     "xz archive"},
    {"\x28\xB5\x2F\xFD"sv, "Zstandard archive"},
    {"7z\xBC\xAF\x27\x1C"sv, "7-Zip archive"},
    {"Rar!\x1A\x07"sv, "RAR archive"},
    {"ustar"sv, "tar archive", 257},
    {"\x1A\x45\xDF\xA3"sv, "Matroska video"},
    {"AVI "sv, "AVI video", 8},
    {"WAVE"sv, "sound file", 8},
    {"ID3"sv, "sound file"},
    {"OggS"sv, "sound file"},
    {"fLaC"sv, "sound file"},
    {"\x7F"
     "ELF"sv,
     "ELF program"},
    {"MZ"sv, "Windows program"},
    {"#!"sv, "script"},
    {"TFL3"sv, "TensorFlow Lite model", 4},
    {"\x93NUMPY"sv, "NumPy file"},
    {"\x89HDF\r\n\x1A\n"sv, "HDF5 file"},
    {"SQLite format 3\0"sv, "SQLite database"},
    {"version https://git-lfs"sv, "Git LFS pointer"},
};

/// ISO base media files name their kind in a box of brands: HEIC, AVIF, videos.
std::string_view kind_of_brands(std::string_view text) {
  const std::string_view brand = text.substr(8, 4);
  const auto any_of = [&](std::initializer_list<std::string_view> brands) {
    return std::ranges::find(brands, brand) != brands.end();
  };
  if (any_of({"avif", "avis"})) return "AVIF picture";
  if (any_of({"heic", "heix", "heim", "heis", "hevc", "hevx"})) return "HEIC picture";
  if (any_of({"crx "})) return "camera raw picture";
  if (any_of({"mif1", "msf1", "mif2"})) {
    return text.find("avif") != text.npos ? "AVIF picture" : "HEIC picture";
  }
  return any_of({"qt  "}) ? "QuickTime video" : "MP4 video";
}

bool is_bmp(Bytes bytes) {
  if (bytes.size() < 18 || !text_of(bytes).starts_with("BM")) return false;
  const uint32_t header = load_le32(bytes, 14);
  return header == 12 || (header >= 40 && header <= 124);
}

/// "P1" to "P6", then blanks, then a number or a comment.
bool is_pnm(std::string_view text) {
  if (text.size() < 4 || text[0] != 'P' || text[1] < '1' || text[1] > '6') return false;
  const size_t next = text.find_first_not_of(" \t\r\n", 2);
  return next > 2 && next != text.npos &&
         (text[next] == '#' || (text[next] >= '0' && text[next] <= '9'));
}

/// Bytes that a text in any of today's encodings has: no control characters but white space.
bool is_text(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && (byte < '\t' || byte > '\r') && byte != 0x1B) || byte == 0x7F;
  });
}

std::string_view kind_of_text(std::string_view text) {
  const size_t start = text.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  const std::string_view body = start == text.npos ? std::string_view() : text.substr(start);
  if (body.find("<svg") != body.npos) return "SVG drawing";
  std::string lower(body.substr(0, 64));
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (lower.starts_with("<!doctype html") || lower.starts_with("<html")) return "HTML page";
  if (lower.starts_with("<")) return "XML file";
  if (lower.starts_with("{") || lower.starts_with("[")) return "JSON file";
  return "text file";
}

std::string_view name_of(Bytes bytes) {
  const std::string_view text = text_of(bytes);
  if (text.empty()) return "empty file";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") return kind_of_brands(text);
  for (const Signature& known : kSignatures) {
    if (text.size() >= known.at && text.substr(known.at).starts_with(known.bytes)) {
      return known.name;
    }
  }
  if (is_bmp(bytes)) return "BMP picture";
  if (is_pnm(text)) return "PNM picture";
  return is_text(text) ? kind_of_text(text) : "unknown file";
}

struct KindWithCodec {
  std::string_view name;
  std::string_view codec;
  bool built_in;
};
constexpr KindWithCodec kPictures[] = {
    {"JPEG picture", "JPEG", true},     {"PNG picture", "PNG", true},
    {"WebP picture", "WebP", true},     {"BMP picture", "BMP", true},
    {"PNM picture", "PNM", true},       {"HEIC picture", "HEIC", kHasHeif},
    {"AVIF picture", "AVIF", kHasHeif}, {"TIFF picture", "TIFF", kHasTiff},
    {"GIF picture", "GIF", kHasGif},
};

std::string list_codecs(bool built_in) {
  std::string list;
  for (const KindWithCodec& picture : kPictures) {
    if (picture.built_in != built_in) continue;
    if (!list.empty()) list += ", ";
    list += picture.codec;
  }
  return list;
}

}  // namespace

FileKind kind_of(Bytes first) {
  FileKind kind{name_of(first.first(std::min(first.size(), kKindBytes)))};
  for (const KindWithCodec& picture : kPictures) {
    if (picture.name != kind.name) continue;
    kind.readable = picture.built_in;
    if (!picture.built_in) kind.missing_codec = picture.codec;
  }
  return kind;
}

std::string readable_formats() { return list_codecs(true); }
std::string missing_formats() { return list_codecs(false); }

}  // namespace deeplab::imageio
