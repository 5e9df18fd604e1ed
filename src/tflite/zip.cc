#include "tflite/zip.h"

#if defined(DEEPLAB_WITH_ZLIB)
#include <zlib.h>
#endif

#include <algorithm>
#include <array>
#include <cstdint>

namespace deeplab::tflite {
namespace {

// Little-endian fields at byte positions of the three records, as APPNOTE 4.3 lists them.
constexpr uint32_t kEndSignature = 0x06054b50;      // 4.3.16, end of central directory
constexpr uint32_t kCentralSignature = 0x02014b50;  // 4.3.12, central directory header
constexpr uint32_t kLocalSignature = 0x04034b50;    // 4.3.7, local file header
constexpr size_t kEndSize = 22;
constexpr size_t kCentralSize = 46;
constexpr size_t kLocalSize = 30;
constexpr size_t kMaxComment = 0xFFFF;
constexpr uint32_t kVersion = 20;  // 4.4.3, of the plain format
constexpr uint32_t kNoTime = 0;
constexpr uint32_t kNoDate = 1 << 5 | 1;  // 1 January 1980, the first one that can be said
constexpr uint32_t kStored = 0;
constexpr uint32_t kDeflated = 8;

class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
  size_t size() const { return bytes_.size(); }
  bool holds(size_t at, size_t length) const {
    return at <= bytes_.size() && length <= bytes_.size() - at;
  }
  // The caller has asked holds().
  uint32_t u16(size_t at) const { return byte(at) | byte(at + 1) << 8; }
  uint32_t u32(size_t at) const { return u16(at) | u16(at + 2) << 16; }
  std::string_view text(size_t at, size_t length) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + at, length};
  }

 private:
  uint32_t byte(size_t at) const { return std::to_integer<uint32_t>(bytes_[at]); }
  std::span<const std::byte> bytes_;
};

/// What the central directory says of one entry.
struct Entry {
  uint32_t flags;
  uint32_t method;
  uint32_t crc;
  size_t packed_size;
  size_t size;
  size_t header;  ///< Position of the local header.
};

std::optional<size_t> find_end(const Bytes& zip) {
  if (zip.size() < kEndSize) return std::nullopt;
  const size_t last = zip.size() - kEndSize;
  const size_t first = last - std::min(last, kMaxComment);
  for (size_t at = last + 1; at-- > first;) {
    if (zip.u32(at) == kEndSignature && at + kEndSize + zip.u16(at + 20) == zip.size()) return at;
  }
  return std::nullopt;
}

Status damaged(const char* what) {
  return invalid_model("the ZIP archive after the model is damaged: ", what);
}

Result<std::optional<Entry>> find_entry(const Bytes& zip, std::string_view name) {
  const auto end = find_end(zip);
  if (!end) return std::optional<Entry>();
  const uint32_t entries = zip.u16(*end + 10);
  const size_t directory_size = zip.u32(*end + 12);
  const size_t directory_offset = zip.u32(*end + 16);
  if (directory_size > *end || directory_offset > *end - directory_size) {
    return damaged("its directory lies outside the file");
  }
  // Offsets count from the archive's first byte, which is that of the model file, or (archives
  // that were written apart and joined) whatever makes the directory end where it does.
  const size_t start = *end - directory_size - directory_offset;
  size_t at = start + directory_offset;
  for (uint32_t i = 0; i < entries; ++i) {
    if (!zip.holds(at, kCentralSize) || zip.u32(at) != kCentralSignature) {
      return damaged("its directory is cut off");
    }
    const size_t name_length = zip.u16(at + 28);
    if (!zip.holds(at + kCentralSize, name_length)) return damaged("its directory is cut off");
    if (zip.text(at + kCentralSize, name_length) == name) {
      return std::optional(Entry{zip.u16(at + 8), zip.u16(at + 10), zip.u32(at + 16),
                                 zip.u32(at + 20), zip.u32(at + 24), start + zip.u32(at + 42)});
    }
    at += kCentralSize + name_length + zip.u16(at + 30) + zip.u16(at + 32);
  }
  return std::optional<Entry>();
}

#if defined(DEEPLAB_WITH_ZLIB)

constexpr bool kInflates = true;

uint32_t checksum(std::string_view text) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

/// Raw deflate data of which the unpacked size is known; false when it is not that.
bool inflate_exactly(std::string_view packed, std::string& out) {
  z_stream stream{};
  constexpr int kRawDeflate = -MAX_WBITS;
  if (inflateInit2(&stream, kRawDeflate) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return result == Z_STREAM_END && stream.total_out == out.size();
}

#else

constexpr bool kInflates = false;

bool inflate_exactly(std::string_view /*packed*/, std::string& /*out*/) { return false; }

/// CRC-32 as ZIP has it: APPNOTE 4.4.7.
uint32_t checksum(std::string_view text) {
  static constexpr auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = 0xFFFFFFFF;
  for (char c : text) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

#endif

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& bytes) : bytes_(bytes) {}
  uint32_t position() const { return static_cast<uint32_t>(bytes_.size()); }
  void u16(uint32_t value) {
    bytes_.push_back(static_cast<std::byte>(value));
    bytes_.push_back(static_cast<std::byte>(value >> 8));
  }
  void u32(uint32_t value) {
    u16(value & 0xFFFF);
    u16(value >> 16);
  }
  void text(std::string_view text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), first, first + text.size());
  }
  /// What the local header and the directory both say of a stored file.
  void common(std::string_view name, std::string_view content) {
    const auto size = static_cast<uint32_t>(content.size());
    u16(kVersion);
    u16(0);  // flags
    u16(kStored);
    u16(kNoTime);
    u16(kNoDate);
    u32(checksum(content));
    u32(size);  // packed
    u32(size);
    u16(static_cast<uint32_t>(name.size()));
    u16(0);  // extra field
  }

 private:
  std::vector<std::byte>& bytes_;
};

}  // namespace

Result<std::optional<std::string>> read_zip_entry(std::span<const std::byte> bytes,
                                                  std::string_view name, size_t max_size) {
  const Bytes zip(bytes);
  DEEPLAB_ASSIGN_OR_RETURN(const auto found, find_entry(zip, name));
  if (!found) return std::optional<std::string>();
  const Entry& entry = *found;
  constexpr uint32_t kEncrypted = 1;
  if ((entry.flags & kEncrypted) != 0 || (entry.method != kStored && entry.method != kDeflated)) {
    return unsupported(
        "the ZIP archive after the model: expected a stored or deflated entry, "
        "found method ",
        entry.method, (entry.flags & kEncrypted) != 0 ? ", encrypted" : "");
  }
  if (entry.method == kDeflated && !kInflates) {
    return unsupported(
        "the ZIP archive after the model: an entry is deflated, and this library was built "
        "without zlib");
  }
  if (entry.size > max_size) {
    return resource_exhausted("the ZIP archive after the model: an entry has ", entry.size,
                              " bytes; at most ", max_size, " are read");
  }
  if (!zip.holds(entry.header, kLocalSize) || zip.u32(entry.header) != kLocalSignature) {
    return damaged("an entry's header is missing");
  }
  const size_t data =
      entry.header + kLocalSize + zip.u16(entry.header + 26) + zip.u16(entry.header + 28);
  if (!zip.holds(data, entry.packed_size)) return damaged("an entry is cut off");
  const std::string_view packed = zip.text(data, entry.packed_size);
  std::string content(entry.size, '\0');
  if (entry.method == kDeflated) {
    if (!inflate_exactly(packed, content)) return damaged("an entry does not inflate");
  } else if (packed.size() == content.size()) {
    content = packed;
  } else {
    return damaged("a stored entry has two sizes");
  }
  if (checksum(content) != entry.crc) {
    return damaged("an entry's checksum is wrong");
  }
  return std::optional(std::move(content));
}

void append_zip_entry(std::vector<std::byte>& bytes, std::string_view name,
                      std::string_view content) {
  Writer out(bytes);
  const uint32_t header = out.position();
  out.u32(kLocalSignature);
  out.common(name, content);
  out.text(name);
  out.text(content);

  const uint32_t directory = out.position();
  out.u32(kCentralSignature);
  out.u16(kVersion);
  out.common(name, content);
  out.u16(0);  // comment
  out.u16(0);  // disk
  out.u16(0);  // internal attributes
  out.u32(0);  // external attributes
  out.u32(header);
  out.text(name);

  const uint32_t end = out.position();
  out.u32(kEndSignature);
  out.u16(0);  // this disk
  out.u16(0);  // the directory's disk
  out.u16(1);  // entries on this disk
  out.u16(1);  // entries
  out.u32(end - directory);
  out.u32(directory);
  out.u16(0);  // comment
}

}  // namespace deeplab::tflite
